using System.Collections.Concurrent;
using Billing.Accounts;
using Billing.Journal;
using Billing.Silo.Scheduling;
using Billing.Silo.Storage;
using Billing.Tests.Cluster;
using Billing.Tests.Support;

namespace Billing.Tests.Scheduling;

/// <summary>Waking the accounts that are due, among them ones that fail.</summary>
public class DueWorkTests
{
    private static readonly DateTimeOffset Now = new(2026, 2, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Due _due = new();
    private readonly ManualTime _time = new();
    private readonly Said<DueWork> _said = new();
    private readonly ConcurrentDictionary<string, int> _calls = new(StringComparer.Ordinal);

    [Fact]
    public async Task DueAccounts_AreWokenOnceEach_OthersNot()
    {
        for (var i = 0; i < 1_000; i++) _due.Set($"due {i}", Now.AddMinutes(-i));
        _due.Set("later", Now.AddTicks(1));

        var woken = (await Work(account => Done(account, null)).Run(default)).Woken;

        Assert.Equal(1_000, woken);
        Assert.Equal(1_000, _calls.Count);
        Assert.All(_calls.Values, calls => Assert.Equal(1, calls));
        Assert.Equal(Now.AddTicks(1), await _due.Next());
    }

    [Theory]
    [InlineData("throws")]
    [InlineData("refuses")]
    [InlineData("stays due")]
    public async Task AccountsThatFail_HoldNobodyUpAndStayDue(string how)
    {
        // More than are woken at once, and all of them before those that can go on.
        for (var i = 0; i < 600; i++) _due.Set($"bad {i}", Now.AddDays(-1));
        for (var i = 0; i < 600; i++) _due.Set($"good {i}", Now);

        var run = await Work(account => account.StartsWith("good", StringComparison.Ordinal) ? Done(account, Now.AddDays(1)) : how switch
        {
            "throws" => throw new InvalidDataException("The journal of this account is damaged."),
            "refuses" => Task.FromResult(new CatchUpAnswer(new(RefusalKind.Retry, "again"), null)),
            _ => Task.FromResult(new CatchUpAnswer(null, Now.AddDays(-1))),
        }).Run(default);

        Assert.Equal(600, run.Woken);
        Assert.Equal(600, run.Stuck.Count(a => a.StartsWith("bad", StringComparison.Ordinal)));
        Assert.Equal(1_200, _calls.Count);
        Assert.All(_calls.Where(c => c.Key.StartsWith("bad", StringComparison.Ordinal)), c => Assert.InRange(c.Value, 1, 2));
        Assert.Equal(600, (await _due.DueAt(Now, 10_000)).Count);
    }

    // An activation that another one has overtaken knows nothing of what is due.
    [Fact]
    public async Task AccountThatSaysItIsDoneButStaysDue_IsLeftToTheNextRun()
    {
        _due.Set("overtaken", Now);
        _due.Set("good", Now);

        await Work(account => account == "good" ? Done(account, null)
            : _calls[account] > 1_000 ? throw new InvalidOperationException("This goes on for ever.")
            : Task.FromResult(new CatchUpAnswer(null, Now.AddDays(30)))).Run(default);

        Assert.InRange(_calls["overtaken"], 1, 2);
        Assert.Equal(["overtaken"], await _due.DueAt(Now, 10));
    }

    // The store lost the due time; the account knows it.
    [Fact]
    public async Task AccountThatIsDoneAndWhoseDueTimeIsDamaged_IsAskedAndItsDueTimeIsMadeAnew()
    {
        _due.Set("lost", DateTimeOffset.UnixEpoch);
        _due.Damaged.Add("lost");

        var run = await Work(_ => Task.FromResult(new CatchUpAnswer(null, Now.AddDays(3)))).Run(default);

        Assert.Equal(1, run.Woken);
        Assert.Empty(run.Stuck);
        Assert.Equal(Now.AddDays(3), await _due.Next());
    }

    [Fact]
    public async Task AccountThatRefusesOnce_IsAskedAgain()
    {
        _due.Set("a", Now);
        var asked = 0;

        var run = await Work(account => asked++ == 0
            ? Task.FromResult(new CatchUpAnswer(new(RefusalKind.Retry, "again"), null))
            : Done(account, null)).Run(default);

        Assert.Equal(1, run.Woken);
        Assert.Empty(run.Stuck);
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task AccountThatFailed_IsTriedAgainASecondLater()
    {
        _due.Set("a", Now);
        var fails = true;
        var work = Work(account => fails ? throw new IOException() : Done(account, null));

        Assert.Equal(0, (await work.Run(default)).Woken);
        fails = false;
        Assert.Equal(0, (await work.Run(default)).Woken);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, (await work.Run(default)).Woken);
    }

    [Fact]
    public async Task HeldAccountThatIsDue_IsSaidOnceAnHourAndTriedEverMoreSeldom()
    {
        _due.Set("held", Now);
        var work = Work(account => Task.FromResult(new CatchUpAnswer(new(RefusalKind.Held, "The account is held."), null)));

        await work.Run(default);
        Assert.Single(_said.Lines);
        for (var second = 0; second < 3_599; second++) await Second(work);
        Assert.Single(_said.Lines);
        Assert.InRange(_calls["held"], 10, 13);
        for (var second = 0; second < 8 * 3_600; second++) await Second(work);

        Assert.InRange(_said.Lines.Count, 7, 9);
        Assert.All(_said.Lines, line => Assert.Contains("Account held: ", line.Text, StringComparison.Ordinal));
        Assert.InRange(_calls["held"], 17, 22);
    }

    // A journal that did not answer does so again before long.
    [Fact]
    public async Task AccountWhoseJournalDoesNotAnswer_IsTriedOnceAMinuteAtLeast()
    {
        _due.Set("a", Now);
        var work = Work(account => Task.FromResult(new CatchUpAnswer(new(RefusalKind.Retry, "again"), null)));

        for (var second = 0; second < 3_600; second++) await Second(work);

        Assert.InRange(_calls["a"], 2 * 60, 2 * 70);
    }

    [Fact]
    public async Task AccountThatWentOn_IsTriedAtOnceWhenItIsDueAgain()
    {
        _due.Set("a", Now);
        var fails = true;
        var work = Work(account => fails ? throw new IOException() : Done(account, null));
        for (var second = 0; second < 100; second++) await Second(work);
        fails = false;
        for (var second = 0; second < 60; second++) await Second(work);
        Assert.Empty(await _due.DueAt(Now, 1));

        _due.Set("a", Now);

        Assert.Equal(1, (await work.Run(default)).Woken);
    }

    [Fact]
    public async Task RunOfAll_TriesThoseThatWaitToo()
    {
        _due.Set("held", Now);
        var work = Work(account => Task.FromResult(new CatchUpAnswer(new(RefusalKind.Held, "The account is held."), null)));

        Assert.Equal(["held"], (await work.Run(default)).Stuck);
        Assert.Empty((await work.Run(default)).Stuck);
        Assert.Equal(["held"], (await work.Run(default, all: true)).Stuck);
    }

    private async Task Second(DueWork work)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        await work.Run(default);
    }

    private DueWork Work(Func<string, Task<CatchUpAnswer>> catchUp)
    {
        var accounts = AccountDouble.Factory(account => AccountDouble.Account(catchUp: () =>
        {
            _calls.AddOrUpdate(account, 1, (_, calls) => calls + 1);
            return catchUp(account);
        }));
        return new(_due, accounts, NoStripe.Work(accounts), new Standing(), _time, _said);
    }

    private Task<CatchUpAnswer> Done(string account, DateTimeOffset? next)
    {
        _due.Set(account, next);
        return Task.FromResult(new CatchUpAnswer(null, next));
    }

    private sealed class Standing : IBillingClock
    {
        public DateTimeOffset Now => DueWorkTests.Now;
    }

    private sealed class Due : IDueTimes
    {
        private readonly Dictionary<string, DateTimeOffset> _times = new(StringComparer.Ordinal);

        public ValueTask<DateTimeOffset?> Next(DateTimeOffset? after = null) =>
            new(_times.Values.Where(t => after is null || t > after).Select(t => (DateTimeOffset?)t).Min());

        public ValueTask<IReadOnlyList<string>> DueAt(DateTimeOffset instant, int limit) =>
            new([.. _times.Where(t => t.Value <= instant).OrderBy(t => t.Value).ThenBy(t => t.Key, StringComparer.Ordinal).Take(limit).Select(t => t.Key)]);

        public HashSet<string> Damaged { get; } = [];

        public Task<bool> MendDue(string account, DateTimeOffset? next)
        {
            if (!Damaged.Remove(account)) return Task.FromResult(false);
            Set(account, next);
            return Task.FromResult(true);
        }

        public void Set(string account, DateTimeOffset? at)
        {
            if (at is { } instant) _times[account] = instant;
            else _times.Remove(account);
        }
    }
}
