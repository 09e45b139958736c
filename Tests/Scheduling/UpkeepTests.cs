using Billing.Journal;
using Billing.Silo.Checking;
using Billing.Silo.Ingest;
using Billing.Silo.Scheduling;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Sqlite;
using Billing.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Billing.Tests.Scheduling;

/// <summary>What is dropped when, and what is looked through how often.</summary>
public sealed class UpkeepTests : IAsyncLifetime
{
    // Day 20,522 since 1970.
    private static readonly DateTimeOffset Start = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);
    private const int Today = 20_522;

    private readonly TemporaryFolder _folder = new();
    private readonly Checks _checks = new();
    private readonly MachineTime _machine = new() { Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero) };
    private SqliteStore _store = null!;
    private BillingClock _clock = null!;
    private Upkeep _upkeep = null!;

    public async Task InitializeAsync()
    {
        _store = await SqliteStore.Open(_folder.Path);
        _clock = await BillingClock.Load(_store, _machine, Start);
        _upkeep = Made(_store);
        await ((ICatalogStore)_store).Add(new("2026-01", Start, System.Text.Encoding.UTF8.GetBytes(TestCatalog.Json)));
    }

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task ForgottenIds_GoOneDayAfterTheyAreForgotten()
    {
        await _store.Append(new("a", 1, Start, "fact"u8.ToArray(), default, null, null));
        await _store.SaveSnapshot(new("a", 1, "state"u8.ToArray(), [.. Enumerable.Range(Today - 2, 5).Select(d => new IdSegment(d, new byte[20]))]));

        await _upkeep.Run(default);
        Assert.Equal([Today, Today + 1, Today + 2], await Segments());

        await _upkeep.Run(default);
        Assert.Equal([Today, Today + 1, Today + 2], await Segments());

        await _clock.MoveTo(Start.AddDays(2));
        await _upkeep.Run(default);
        Assert.Equal([Today + 2], await Segments());

        async Task<IEnumerable<int>> Segments() => (await _store.Read("a", default)).Segments.Select(s => s.ForgetDay);
    }

    // The window of the catalogue is 35 days; 1 day was asked for.
    [Theory]
    [InlineData(1, 36, true)]
    [InlineData(1, 38, false)]
    [InlineData(100, 99, true)]
    [InlineData(100, 101, false)]
    public async Task Bodies_GoAfterTheirTimeButNeverInsideTheWindow(int daysAsked, int age, bool kept)
    {
        await _store.Append(new("a", 1, Start.AddDays(-age), "fact"u8.ToArray(), "body"u8.ToArray(), null, null));

        await Made(_store, daysAsked).Run(default);

        Assert.Equal(kept, (await _store.ReadBodies("a", 1, default)).Length > 0);
        Assert.Single((await _store.ReadAll("a", default)).Entries);
    }

    [Fact]
    public async Task EverythingIsCheckedOnceADayOfTheMachine_AlsoOverARestart()
    {
        await _upkeep.Run(default);
        _machine.Now = _machine.Now.AddHours(23);
        await Made(_checks).Run(default);
        Assert.Equal(1, _checks.Count);

        _machine.Now = _machine.Now.AddHours(1);
        await Made(_checks).Run(default);

        Assert.Equal(2, _checks.Count);
    }

    [Theory]
    [InlineData("no number")]
    [InlineData("699000000000000000")]
    public async Task NoteOfTheLastCheckThatIsDamaged_KeepsNobodyFromChecking(string note)
    {
        await _upkeep.Run(default);
        await ((ISettings)_store).Set("integrity_checked_at", note);

        await Made(_checks).Run(default);

        Assert.Equal(2, _checks.Count);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("P1D")]
    [InlineData("36501")]
    public void RetentionThatIsNone_IsRefusedWithASentence(string days)
    {
        var refused = Assert.Throws<InvalidOperationException>(() => BodyRetention.Read(days));

        Assert.Equal($"BILLING_BODY_RETENTION_DAYS is \"{days}\"; it needs whole days from 1 to 36500, such as 400.", refused.Message);
    }

    [Theory]
    [InlineData(null, 400)]
    [InlineData("", 400)]
    [InlineData("36500", 36_500)]
    public void Retention_IsWhatTheSettingSays(string? days, int expected) => Assert.Equal(TimeSpan.FromDays(expected), BodyRetention.Read(days).Wanted);

    private Upkeep Made(IIntegrity integrity, int days = 400)
    {
        _checks.Inner = integrity == _checks ? null : integrity;
        var nobody = AccountDouble.Factory(_ => throw new NotSupportedException("No account is called."));
        var holds = new Holds();
        var check = new StoreCheck(
            _checks,
            _store,
            new(_store, nobody, holds, NullLogger<AccountListing>.Instance),
            holds,
            new(_store, nobody, _machine, NullLogger<WaitingRoom>.Instance),
            new(_store, nobody, NoStripe.Work(nobody), _clock, _machine, NullLogger<DueWork>.Instance),
            nobody,
            _machine,
            NullLogger<StoreCheck>.Instance);
        return new(_store, _store, check, _clock, _store, new(TimeSpan.FromDays(days)), _machine, NullLogger<Upkeep>.Instance);
    }

    private sealed class Checks : IIntegrity
    {
        public IIntegrity? Inner { get; set; }

        public int Count { get; private set; }

        public Task Check(CheckFindings findings, CancellationToken cancellation)
        {
            Count++;
            return Inner?.Check(findings, cancellation) ?? Task.CompletedTask;
        }
    }

    private sealed class MachineTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
