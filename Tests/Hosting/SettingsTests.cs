using Billing.Journal;
using Billing.Silo.Hosting;
using Billing.Silo.Security;
using Billing.Silo.Storage;
using Billing.Tests.Support;

namespace Billing.Tests.Hosting;

/// <summary>Settings that cannot be met stop the start with a sentence.</summary>
public sealed class SettingsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("BILLING_CLOCK=1969-12-31T23:59:59Z", "1970 to 2148")]
    [InlineData("BILLING_CLOCK=2149-01-01T00:00:00Z", "1970 to 2148")]
    [InlineData("BILLING_CLOCK=yesterday", "yesterday")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Port=1;Username=nobody;Password=hidden;Timeout=5", "cannot be used: Failed to connect")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Password=half;hidden", "connection string")]
    [InlineData("BILLING_DATABASE=mysql", "connection string")]
    [InlineData("BILLING_DATABASE=Username=billing;Password=hidden;Database=billing", "It names no Host")]
    [InlineData("BILLING_DATABASE=Host=;Username=billing;Password=hidden", "It names no Host")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Hosting=hidden;Password=hidden", "connection string")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Password=hidden;Minimum Pool Size=9;Maximum Pool Size=3", "\"Minimum Pool Size\" is 9 and \"Maximum Pool Size\" is 3")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Password=hidden;Maximum Pool Size=0", "\"Maximum Pool Size\" is 0")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Password=hidden;Timeout=-1", "connection string")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Password=hidden;SSL Mode=VerifyFull;Root Certificate=/nowhere/hidden.pem;Port=1", "cannot be used: ")]
    [InlineData("BILLING_DATABASE=Host=nowhere.invalid;Password=hidden;Timeout=5", "cannot be used: ")]
    [InlineData("BILLING_DATABASE=Host=/nowhere;Password=hidden", "cannot be used: ")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1,127.0.0.2;Port=1;Password=hidden;Timeout=5", "cannot be used: ")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Port=1;Password=hidden;Target Session Attributes=hidden", "connection string")]
    [InlineData("BILLING_DATABASE_SHARED=perhaps", "true or false")]
    [InlineData("BILLING_CLUSTER_DATABASE=Host=elsewhere", "store")]
    [InlineData("STRIPE_SECRET_KEY=pk_test_1", "no secret key")]
    [InlineData("BILLING_ADMIN_KEY=short", "at least 20")]
    public async Task ASettingThatCannotBeMet_IsRefusedByName(string setting, string says)
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Platform.Start(
            [$"--BILLING_DATA={_folder.File("data")}", "--BILLING_URL=http://127.0.0.1:0", "--BILLING_SANDBOX_URL=http://127.0.0.1:0", "--" + setting]));

        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.Contains(setting[..setting.IndexOf('=', StringComparison.Ordinal)], refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADataFolderThatIsAFile_IsRefusedByName()
    {
        await File.WriteAllTextAsync(_folder.File("data"), "a note");

        foreach (var data in new[] { _folder.File("data"), _folder.File("data/below") })
        {
            var refused = await Refused(data);

            Assert.Contains($"BILLING_DATA is \"{data}\"", refused.Message, StringComparison.Ordinal);
            Assert.Contains("it needs a folder", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal("a note", await File.ReadAllTextAsync(_folder.File("data")));
    }

    // The system's own folders let nobody write, the administrator included.
    [Theory]
    [InlineData("/proc/self/fdinfo")]
    [InlineData("/proc/self/fdinfo/billing")]
    [InlineData("/sys/billing")]
    public async Task ADataFolderThatMayNotBeWritten_IsRefusedByName(string data)
    {
        var refused = await Refused(data);

        Assert.Contains($"BILLING_DATA is \"{data}\"", refused.Message, StringComparison.Ordinal);
        Assert.Contains("read and write", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("backup", refused.Message, StringComparison.Ordinal);
    }

    private static Task<InvalidOperationException> Refused(string data) =>
        Assert.ThrowsAsync<InvalidOperationException>(() => Platform.Start([$"--BILLING_DATA={data}", "--BILLING_URL=http://127.0.0.1:0"]));

    [Fact]
    public async Task AKeyThatIsMade_IsShownBeforeItIsStored()
    {
        var store = new Keys();
        var storedWhenShown = -1;
        string? shown = null;

        var keys = await ApiKeys.Load(store, new StandingClock(), adminKey: "", made => (shown, storedWhenShown) = (made, store.Stored.Count));

        Assert.Equal(0, storedWhenShown);
        Assert.Equal(Scopes.All, keys.ScopesOf(shown!));
        Assert.Null((await Again()).Made);

        async Task<(ApiKeys Keys, string? Made)> Again()
        {
            string? made = null;
            return (await ApiKeys.Load(store, new StandingClock(), null, m => made = m), made);
        }
    }

    private sealed class Keys : IApiKeyStore
    {
        public List<StoredApiKey> Stored { get; } = [];

        public Task<IReadOnlyList<StoredApiKey>> All() => Task.FromResult<IReadOnlyList<StoredApiKey>>(Stored);

        public Task Add(StoredApiKey key)
        {
            Stored.Add(key);
            return Task.CompletedTask;
        }
    }

    private sealed class StandingClock : IBillingClock
    {
        public DateTimeOffset Now => new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
    }
}
