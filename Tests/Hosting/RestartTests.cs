using System.Collections.Concurrent;
using Billing.Accounts;
using Billing.Silo.Hosting;
using Billing.Silo.Scheduling;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans;

namespace Billing.Tests.Hosting;

/// <summary>The platform in this process, started again on the store it left.</summary>
public sealed class RestartTests : IDisposable
{
    private static readonly DateTimeOffset Begin = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("billing-restart-");
    private readonly Complaints _complaints = new();

    [Fact]
    public async Task WorkThatFellDueWhileThePlatformWasDown_IsDoneAtStart_WithoutComplaint()
    {
        await using (var before = await Start())
        {
            var account = before.Services.GetRequiredService<IGrainFactory>().GetGrain<IMerchantAccountGrain>("due");
            var opened = await account.Open(new("Due", "due@example.com", null, null, ["mail-flat"], "mail-1", "pm_card_visa", true, null));
            Assert.Null(opened.Refusal);
        }

        await using (var store = await SqliteStore.Open(_data.FullName))
        {
            var clock = await BillingClock.Load(store, TimeProvider.System, null);
            await clock.MoveTo(Begin.AddMonths(3));
            Assert.True(await ((IDueTimes)store).Next() <= clock.Now);
        }

        await using var after = await Start();
        var due = after.Services.GetRequiredService<IDueTimes>();
        using var patience = new CancellationTokenSource(Patience);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (await due.Next() <= Begin.AddMonths(3)) await look.WaitForNextTickAsync(patience.Token);

        Assert.Empty(_complaints.Lines);
    }

    [Fact]
    public async Task ClusterOverASqliteStore_IsRefused()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Start("--BILLING_CLUSTER_DATABASE=Host=127.0.0.1"));

        Assert.StartsWith("BILLING_CLUSTER_DATABASE is set, but the store is SQLite", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _data.Delete(recursive: true);

    private Task<Platform> Start(params string[] settings) => Platform.Start(
        [
            $"--BILLING_DATA={_data.FullName}",
            "--BILLING_URL=http://127.0.0.1:0",
            "--BILLING_SANDBOX_URL=http://127.0.0.1:0",
            "--BILLING_CLOCK=2026-03-01T00:00:00Z",
            "--BILLING_ADMIN_KEY=key-of-a-restarted-silo",
            $"--BILLING_CATALOG={Mail.MailData.CatalogPath}",
            .. settings,
        ],
        builder => builder.Logging.AddProvider(_complaints));

    /// <summary>What the platform itself logs as an error.</summary>
    private sealed class Complaints : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) Lines.Enqueue($"{formatter(state, exception)} {exception}");
        }

        public void Dispose()
        {
        }
    }
}
