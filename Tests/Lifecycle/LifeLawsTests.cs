using System.Text.Json;
using Billing.Invoices;
using Billing.Tests.Accounts;
using FsCheck.Fluent;
using static Billing.Tests.Lifecycle.LifeRun;

namespace Billing.Tests.Lifecycle;

/// <summary>Laws of an account's life, whatever is done with it and when.</summary>
public sealed class LifeLawsTests
{
    /// <summary>So few that many lives are still going on, or ending, when they are looked at: an act is up to 25 days after the one before.</summary>
    private const int Acts = 16;

    // Goal: what was missed is done as it would have been done at its time. Method: the same acts on an account that wakes at each due
    // instant and on one that is woken by the acts alone; then the same answers, invoices and views.
    [Fact]
    public void WakingAtEachDueInstant_AndCatchingUp_GiveTheSame() =>
        Prop.ForAll(Generated.SomeNumbers(int.MaxValue), Generated.Number(5), (numbers, kind) =>
        {
            var (waker, sleeper) = (Begin(kind), Begin(kind));
            var clock = AccountRun.Anchor;
            foreach (var n in numbers.Take(Acts))
            {
                clock = clock.AddHours(n % 600).AddMilliseconds(n % 7 * 100);
                Assert.Equal(Act(Woken(waker, clock), n), Act(sleeper.Unawakened(clock), n));
            }

            clock = clock.AddDays(numbers[0] % 120);
            Assert.Equal(Woken(waker, clock).At(clock).InvoicesJson, sleeper.At(clock).InvoicesJson);
            Assert.Equal(JsonSerializer.Serialize(View(waker)), JsonSerializer.Serialize(View(sleeper)));
            Assert.Equal(waker.State.NextRuleAt, sleeper.State.NextRuleAt);
        }).Holds(300);

    // Goal: numbers without gaps, sums that are sums, a base fee once for each stretch of time, nothing for a trial or after the end.
    [Fact]
    public void Invoices_BearEveryBaseFeeOnceAndNothingOutsideThePaidTime() =>
        Prop.ForAll(Generated.SomeNumbers(int.MaxValue), Generated.Number(5), BearsEveryBaseFeeOnce).Holds(300);

    // What is too small to be charged is carried over to the last invoice.
    [Fact]
    public void LastInvoiceOfAnAccountWithACarriedAmount_BearsNothingAfterTheEnd() =>
        BearsEveryBaseFeeOnce([683880502, 861277048, 1859242665, 1852932382, 899899459, 1216060880, 304124608], 1);

    private static void BearsEveryBaseFeeOnce(int[] numbers, int kind)
    {
        var account = Lived(numbers, kind);

        var invoices = account.Invoices.Where(i => i.Number is not null).ToList();
        Assert.Equal(Enumerable.Range(1, invoices.Count), invoices.Select(i => i.Number!.Value));
        Assert.All(invoices, i => Assert.Equal(i.Lines.Sum(l => l.Amount), i.Total));
        Assert.All(invoices, i => Assert.NotEmpty(i.Lines));
        var lines = account.Invoices.SelectMany(i => i.Lines).ToList();
        foreach (var product in lines.Where(l => l.Kind is InvoiceLineKind.Base or InvoiceLineKind.Proration).GroupBy(l => l.Product))
            Assert.All(product.Zip(product.Skip(1)), pair => Assert.Equal(pair.First.Period.End, pair.Second.Period.Start));
        Assert.All(lines, l => Assert.True(l.Period.Start >= account.State.Calendar.Anchor, "a line for the trial"));
        Assert.All(lines, l => Assert.False(l.Period.Start >= account.State.Cancelled?.At, "a line for the time after the end"));
    }

    // Goal: the journal is the account, and a snapshot too. Method: read it again, whole and from a snapshot at any entry.
    [Fact]
    public void TheStateReadFromTheJournal_IsTheLiveState() =>
        Prop.ForAll(Generated.SomeNumbers(int.MaxValue), Generated.Number(5), (numbers, kind) =>
        {
            var account = Lived(numbers, kind);
            var live = account.Snapshot();

            foreach (var snapshotAfter in new[] { 0, numbers[0] % (account.Entries.Count + 1), account.Entries.Count })
            {
                var again = account.ReadAgain(snapshotAfter);
                Assert.Equal(live, AccountRun.Canonical(again, account.Now));
                Assert.Equal((account.State.NextRuleAt, account.State.EndsAt), (again.NextRuleAt, again.EndsAt));
            }
        }).Holds(200);

    private static AccountRun Lived(int[] numbers, int kind)
    {
        var account = Begin(kind);
        var clock = AccountRun.Anchor;
        foreach (var n in numbers.Take(Acts))
        {
            clock = clock.AddHours(n % 600);
            Act(account.Unawakened(clock), n);
        }

        return account.At(clock.AddDays(numbers[0] % 3 * 40));
    }

    /// <summary>An account of one of five kinds.</summary>
    internal static AccountRun Begin(int kind) => kind switch
    {
        0 => Begun("desk-1"),
        1 => Begun("desk-trial"),
        2 => BegunUnpaid("desk-trial"),
        3 => Begun("desk-year", "free-1"),
        _ => Begun("files-year", "voice-trial"),
    };

    /// <summary>Does one thing with it, at the time at which its clock stands, and answers what came of it.</summary>
    internal static string Act(AccountRun account, int n) => JsonSerializer.Serialize<object>((n / 600 % 8) switch
    {
        0 => account.Cancel(dryRun: n % 2 == 0),
        1 => account.UndoCancellation(),
        2 => account.Add("voice", "voice-1"),
        3 => account.ChangePlans(new("free", "free-1"), new("voice", "voice-1")),
        4 => account.Add("free", "free-1"),
        5 => account.Send(Call($"c{n}", account.Now.AddHours(-(n % 700)), n % 500)).Select(r => (r.Outcome.ToString(), r.Reason)).ToList(),
        _ => account.Send(AccountRun.Event.Message($"m{n}", account.Now.AddHours(-(n % 700)), $"{n % 4}")).Select(r => (r.Outcome.ToString(), r.Reason)).ToList(),
    });

    private static AccountRun Woken(AccountRun account, DateTimeOffset clock)
    {
        while (account.State.NextRuleAt is { } due && due <= clock) account.At(due);
        return account.Unawakened(clock);
    }
}
