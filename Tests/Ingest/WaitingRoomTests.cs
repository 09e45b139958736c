using System.Text;
using Billing.Silo.Ingest;
using Billing.Tests.Cluster;
using Billing.Tests.Support;
using Billing.Usage;
using Microsoft.Extensions.Logging;

namespace Billing.Tests.Ingest;

/// <summary>Events that wait for an account that takes none: in order, once the account has stored them gone, and never before.</summary>
public sealed class WaitingRoomTests
{
    private static readonly DateTimeOffset Received = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);
    private static readonly Refusal Held = new(RefusalKind.Held, "The account is held.");

    private readonly MemoryWaiting _waiting = new();
    private readonly ManualTime _time = new();
    private readonly Said<WaitingRoom> _said = new();
    private readonly List<(string Account, UsageBatch Batch)> _given = [];
    private readonly Dictionary<string, Refusal> _refusals = new(StringComparer.Ordinal);

    [Fact]
    public async Task AccountThatTakesEventsAgain_GetsThemInOrderAsOfTheirReceipt()
    {
        var room = Room();
        foreach (var (account, id) in new[] { ("a", "1"), ("b", "2"), ("a", "3"), ("a", "4") }) await Keep(room, account, id);

        await room.GiveBack(default);

        Assert.Equal(["1", "3", "4"], _given.Where(g => g.Account == "a").Select(g => MemoryWaiting.Ids(g.Batch).Single()));
        Assert.All(_given, g => Assert.Equal((Received, true), (g.Batch.ReceivedAt, g.Batch.Waited)));
        Assert.Empty(_waiting.Kept);
    }

    [Theory]
    [InlineData(RefusalKind.Held)]
    [InlineData(RefusalKind.Failed)]
    [InlineData(RefusalKind.Retry)]
    public async Task EventsThatAreRefusedAgain_StayAndTheOtherAccountsGetTheirs(RefusalKind kind)
    {
        var room = Room();
        foreach (var (account, id) in new[] { ("a", "1"), ("b", "2"), ("a", "3") }) await Keep(room, account, id);
        _refusals["a"] = new(kind, "no");

        await room.GiveBack(default);

        Assert.Equal(["a", "a"], _waiting.Kept.Select(k => k.Events!.Account));
        Assert.Contains("b", _given.Select(g => g.Account));
    }

    [Fact]
    public async Task EventsThatFail_HoldUpNoneBehindThem()
    {
        var room = Room();
        foreach (var id in new[] { "1", "poison", "3" }) await Keep(room, "a", id);
        _refusals["poison"] = new(RefusalKind.Failed, "The turn failed.");

        await room.GiveBack(default);

        Assert.Equal(["poison"], _waiting.Kept.Select(k => MemoryWaiting.Ids(k.Events!.Batch).Single()));
    }

    [Fact]
    public async Task HeldAccount_IsTriedEverMoreSeldomAndSaidOnce()
    {
        var room = Room();
        _refusals["a"] = Held;
        for (var i = 0; i < 100; i++) await Keep(room, "a", $"{i}");
        Assert.Single(_said.Lines);

        for (var second = 0; second < 3_599; second++)
        {
            await room.GiveBack(default);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(_given.Count, 10, 13);
        Assert.Equal(2, _said.Lines.Count);
        _refusals.Clear();
        _time.Advance(TimeSpan.FromHours(1));
        await room.GiveBack(default);

        Assert.Empty(_waiting.Kept);
        Assert.Equal((LogLevel.Information, true), (_said.Lines[^1].Level, _said.Lines[^1].Text.Contains("100 that waited", StringComparison.Ordinal)));
        await Keep(room, "a", "again");
        Assert.Equal(4, _said.Lines.Count);
    }

    private WaitingRoom Room() => new(
        _waiting,
        AccountDouble.Factory(account => AccountDouble.Account(batch =>
        {
            _given.Add((account, batch));
            var refusal = _refusals.GetValueOrDefault(account) ?? _refusals.GetValueOrDefault(MemoryWaiting.Ids(batch)[0]);
            return Task.FromResult(refusal is not null ? UsageResult.Refused(refusal) : new(null, new byte[] { (byte)UsageOutcome.Accepted }, []));
        })),
        _time,
        _said);

    private static async Task Keep(WaitingRoom room, string account, string id)
    {
        var writer = new UsageBatchWriter();
        writer.Add(new() { Id = Encoding.UTF8.GetBytes(id) });
        var receipt = await room.Keep(account, writer.ToBatch(keepBodies: true, wantReceipts: true) with { ReceivedAt = Received }, Held);
        Assert.Equal((UsageOutcome.Quarantined, "account_held"), (receipt.Outcome, receipt.Reason));
    }
}
