using Billing.Accounts;
using Billing.Tests.Accounts;
using static Billing.Tests.Lifecycle.LifeRun;

namespace Billing.Tests.Lifecycle;

/// <summary>A year that is paid for renews; that is told 30 and 7 days before.</summary>
public sealed class RenewalNoticeTests
{
    private static readonly DateTimeOffset YearEnd = AccountRun.Anchor.AddMonths(12);

    [Fact]
    public void YearThatGoesOn_IsToldOf30And7DaysBeforeEachEnd()
    {
        var account = Begun("desk-year").At(YearEnd.AddMonths(12).AddDays(-8));

        Assert.Equal(
            [
                (30, YearEnd, YearEnd.AddDays(-30)), (7, YearEnd, YearEnd.AddDays(-7)),
                (30, YearEnd.AddMonths(12), YearEnd.AddMonths(12).AddDays(-30)),
            ],
            Notices(account).Select(n => (n.Days, n.RenewsAt, n.At)));
        Assert.All(Notices(account), n => Assert.Equal(("desk-year", 24_000L), (n.Plan, n.Amount)));
        Assert.Equal(
            "The plan desk-year renews in 30 days, at 2027-03-31T12:00:00Z, for another year at 240.00 USD. To stop it, cancel or choose another plan before.",
            Notices(account)[0].Text);
    }

    [Fact]
    public void AccountThatSleptOverIt_IsToldWithTheDatesAtWhichItWasDue()
    {
        var woken = Begun("desk-year");
        while (woken.State.NextRuleAt is { } due && due <= YearEnd) woken.At(due);
        var slept = Begun("desk-year").At(YearEnd);

        Assert.Equal(Notices(woken), Notices(slept));
        Assert.Equal(2, Notices(slept).Count);
    }

    [Fact]
    public void PlanByTheMonth_HasNoNotice()
    {
        var account = Begun("desk-1").At(YearEnd.AddMonths(3));

        Assert.Empty(Notices(account));
        Assert.Null(View(account).Subscriptions[0].RenewsAt);
    }

    [Fact]
    public void TwoPlansByTheYear_AreEachToldOf()
    {
        var account = Begun("desk-year", "files-year").At(YearEnd);

        Assert.Equal([("desk", 30), ("files", 30), ("desk", 7), ("files", 7)], Notices(account).Select(n => (n.Product, n.Days)));
    }

    [Fact]
    public void CancelledAccount_IsNotTold_AndOnlyOfWhatIsToComeOnceThatIsUndone()
    {
        var account = Begun("desk-year").At(YearEnd.AddDays(-31));
        Assert.Equal(YearEnd, View(account).Subscriptions[0].RenewsAt);
        account.Cancel();
        Assert.Null(View(account).Subscriptions[0].RenewsAt);

        account.At(YearEnd.AddDays(-20)).UndoCancellation();
        account.At(YearEnd);

        Assert.Equal([7], Notices(account).Select(n => n.Days));
    }

    [Fact]
    public void AccountReadFromItsJournal_IsNotToldAgain()
    {
        var account = Begun("desk-year").At(YearEnd.AddDays(-20));

        foreach (var snapshotAfter in new[] { 0, account.Entries.Count })
            Assert.Equal(YearEnd.AddDays(-7), RenewalDeciderDue(account.ReadAgain(snapshotAfter)));
    }

    private static DateTimeOffset? RenewalDeciderDue(AccountState state) => Billing.Lifecycle.RenewalDecider.DueAt(state);

    private static List<AccountFact.RenewalNoticed> Notices(AccountRun account) => [.. account.Facts().OfType<AccountFact.RenewalNoticed>()];
}
