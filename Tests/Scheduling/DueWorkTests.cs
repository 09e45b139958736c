using System.Collections.Concurrent;
using Billing.Accounts;
using Billing.Journal;
using Billing.Silo.Scheduling;
using Billing.Silo.Storage;
using Billing.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Billing.Tests.Scheduling;

/// <summary>Waking the accounts that are due, among them ones that fail.</summary>
public class DueWorkTests
{
    private static readonly DateTimeOffset Now = new(2026, 2, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Due _due = new();
    private readonly ConcurrentDictionary<string, int> _calls = new(StringComparer.Ordinal);

    [Fact]
    public async Task DueAccounts_AreWokenOnceEach_OthersNot()
    {
        for (var i = 0; i < 1_000; i++) _due.Set($"due {i}", Now.AddMinutes(-i));
        _due.Set("later", Now.AddTicks(1));

        var woken = await Work(account => Done(account, null)).Run(default);

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

        var woken = await Work(account => account.StartsWith("good", StringComparison.Ordinal) ? Done(account, Now.AddDays(1)) : how switch
        {
            "throws" => throw new InvalidDataException("The journal of this account is damaged."),
            "refuses" => Task.FromResult(new CatchUpAnswer(new(RefusalKind.Retry, "again"), null)),
            _ => Task.FromResult(new CatchUpAnswer(null, Now.AddDays(-1))),
        }).Run(default);

        Assert.Equal(600, woken);
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

    [Fact]
    public async Task AccountThatRefusesOnce_IsAskedAgain()
    {
        _due.Set("a", Now);
        var asked = 0;

        var woken = await Work(account => asked++ == 0
            ? Task.FromResult(new CatchUpAnswer(new(RefusalKind.Retry, "again"), null))
            : Done(account, null)).Run(default);

        Assert.Equal(1, woken);
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task AccountThatFailed_IsTriedAgainByTheNextRun()
    {
        _due.Set("a", Now);
        var fails = true;
        var work = Work(account => fails ? throw new IOException() : Done(account, null));

        Assert.Equal(0, await work.Run(default));
        fails = false;
        Assert.Equal(1, await work.Run(default));
    }

    private DueWork Work(Func<string, Task<CatchUpAnswer>> catchUp) => new(
        _due,
        AccountDouble.Factory(account => AccountDouble.Account(catchUp: () =>
        {
            _calls.AddOrUpdate(account, 1, (_, calls) => calls + 1);
            return catchUp(account);
        })),
        new Standing(),
        NullLogger<DueWork>.Instance);

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

        public ValueTask<DateTimeOffset?> Next() => new(_times.Count == 0 ? null : _times.Values.Min());

        public ValueTask<IReadOnlyList<string>> DueAt(DateTimeOffset instant, int limit) =>
            new([.. _times.Where(t => t.Value <= instant).OrderBy(t => t.Value).ThenBy(t => t.Key, StringComparer.Ordinal).Take(limit).Select(t => t.Key)]);

        public void Set(string account, DateTimeOffset? at)
        {
            if (at is { } instant) _times[account] = instant;
            else _times.Remove(account);
        }
    }
}
