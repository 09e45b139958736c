using Billing.Accounts;
using Billing.Silo.Scheduling;
using Billing.Silo.Storage;
using Billing.Tests.Cluster;
using Billing.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Billing.Tests.Scheduling;

/// <summary>A move of the sandbox clock that is made again, and one on the way of which accounts cannot go on.</summary>
public sealed class ClockMoveTests
{
    private readonly MemorySettings _settings = new();
    private readonly ManualTime _machine = new();
    private readonly Due _due = new();
    private readonly List<(string Account, DateTimeOffset At)> _woken = [];
    private string? _held;

    // The process dies after the clock was moved; the sender, without an answer, sends the same again.
    [Theory]
    [InlineData(null)]
    [InlineData("key")]
    public async Task MoveOfARunningClockMadeAgainAfterACrash_IsDoneAndSoIsWhatIsDue(string? command)
    {
        var target = _machine.GetUtcNow().AddDays(40);
        var first = await Clock();
        await first.Move(_ => target, command, default);
        _due.Times["a"] = target.AddDays(-1);
        _woken.Clear();
        _machine.Advance(TimeSpan.FromSeconds(5));

        var moved = await (await Clock()).Move(_ => target, command, default);

        Assert.Equal(target.AddSeconds(5), moved?.Now);
        Assert.Equal([("a", target.AddSeconds(5))], _woken);
    }

    [Fact]
    public async Task MoveByADurationMadeAgainUnderItsKey_IsNotMadeTwice()
    {
        var target = _machine.GetUtcNow().AddDays(40);
        await (await Clock()).Move(now => now.AddDays(40), "key", default);
        _machine.Advance(TimeSpan.FromSeconds(5));

        var moved = await (await Clock()).Move(now => now.AddDays(40), "key", default);

        Assert.Equal(target.AddSeconds(5), moved?.Now);
    }

    [Fact]
    public async Task MoveOfARunningClockToAnotherEarlierInstant_IsRefusedAndStaysRefused()
    {
        var target = _machine.GetUtcNow().AddDays(40);
        var clock = await Clock();
        await clock.Move(_ => target, null, default);
        _machine.Advance(TimeSpan.FromSeconds(5));

        foreach (var command in new[] { null, "key", "key" })
        {
            Assert.Null(await clock.Move(_ => target.AddTicks(-1), command, default));
            Assert.Null(await clock.Move(_ => target.AddSeconds(5).AddTicks(-1), command, default));
        }

        Assert.NotNull(await clock.Move(_ => target, null, default));
        await clock.Move(_ => target.AddDays(1), null, default);
        Assert.Null(await clock.Move(_ => target, null, default));
    }

    [Fact]
    public async Task MoveOfARunningClockByNothing_LeavesIt()
    {
        _machine.Advance(TimeSpan.FromTicks(1));
        var clock = await Clock();

        Assert.NotNull(await clock.Move(now =>
        {
            _machine.Advance(TimeSpan.FromTicks(1));
            return now;
        }, null, default));
    }

    // The others have their due moments on the way all the same: what they do there waits by this clock.
    [Fact]
    public async Task AccountThatCannotGoOn_IsNamedAndTheOthersAreWokenAtTheirOwnMoments()
    {
        var start = _machine.GetUtcNow();
        _held = "held";
        _due.Times["held"] = start.AddDays(1);
        _due.Times["b"] = start.AddDays(2);
        _due.Times["c"] = start.AddDays(3);
        var clock = await Clock();

        var moved = await clock.Move(_ => start.AddDays(10), null, default);
        _held = null;
        var again = await clock.Move(_ => start.AddDays(11), null, default);

        Assert.Equal((start.AddDays(10), "held"), (moved!.Now, Assert.Single(moved.Held)));
        Assert.Equal(start.AddDays(11), again!.Now);
        Assert.Empty(again.Held);
        Assert.Equal([("b", start.AddDays(2)), ("c", start.AddDays(3)), ("held", start.AddDays(10))], _woken);
    }

    private async Task<SandboxClock> Clock()
    {
        var clock = await BillingClock.Load(_settings, _machine, null);
        var accounts = AccountDouble.Factory(account => AccountDouble.Account(catchUp: () =>
        {
            if (account == _held) return Task.FromResult(new CatchUpAnswer(new(RefusalKind.Held, "The account is held."), null));
            _woken.Add((account, clock.Now));
            _due.Times.Remove(account);
            return Task.FromResult(new CatchUpAnswer(null, null));
        }));
        var calls = NoStripe.Work(accounts);
        return new(clock, _due, new(_due, accounts, calls, clock, _machine, NullLogger<DueWork>.Instance), calls, _settings, []);
    }

    private sealed class Due : IDueTimes
    {
        public Dictionary<string, DateTimeOffset> Times { get; } = new(StringComparer.Ordinal);

        public ValueTask<DateTimeOffset?> Next(DateTimeOffset? after = null) =>
            new(Times.Values.Where(t => after is null || t > after).Select(t => (DateTimeOffset?)t).Min());

        public ValueTask<IReadOnlyList<string>> DueAt(DateTimeOffset instant, int limit) =>
            new([.. Times.Where(t => t.Value <= instant).OrderBy(t => t.Value).Take(limit).Select(t => t.Key)]);
    }
}
