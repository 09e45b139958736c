using Billing.Accounts;
using Billing.Invoices;
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
    public void CancelledAccount_IsNotTold_AndOfWhatWasLeftOutOnceThatIsUndone()
    {
        var account = Begun("desk-year").At(YearEnd.AddDays(-31));
        Assert.Equal(YearEnd, View(account).Subscriptions[0].RenewsAt);
        account.Cancel();
        Assert.Null(View(account).Subscriptions[0].RenewsAt);

        account.At(YearEnd.AddDays(-20)).UndoCancellation();
        account.At(YearEnd);

        Assert.Equal([(30, YearEnd.AddDays(-20)), (7, YearEnd.AddDays(-7))], Notices(account).Select(n => (n.Days, n.At)));
    }

    [Theory]
    [InlineData(5 * 24, "in 5 days")]
    [InlineData(1, "within 1 day")]
    [InlineData((5 * 24) - 1, "within 5 days")]
    public void CancellationUndoneShortBeforeTheRenewal_IsToldOnceAtOnce(int hours, string left)
    {
        var account = Begun("desk-year").At(YearEnd.AddDays(-31));
        account.Cancel();
        var undone = YearEnd.AddHours(-hours);

        account.At(undone).UndoCancellation();

        Assert.Equal([(7, YearEnd, undone)], Notices(account).Select(n => (n.Days, n.RenewsAt, n.At)));
        Assert.StartsWith($"The plan desk-year renews {left}, at 2027-03-31T12:00:00Z, ", Notices(account)[0].Text, StringComparison.Ordinal);
        Assert.Single(Notices(account.At(YearEnd.AddDays(1))));
    }

    [Fact]
    public void NoticeToldBeforeTheCancellation_IsNotToldAgainWhenThatIsUndone()
    {
        var account = Begun("desk-year").At(YearEnd.AddDays(-25));
        account.Cancel();

        account.At(YearEnd.AddDays(-20)).UndoCancellation();

        Assert.Equal([30], Notices(account).Select(n => n.Days));
    }

    [Theory]
    [InlineData("year-1", "desk-plus", 30_000L)]
    [InlineData("year-2", "desk-plus", 33_000L)]
    [InlineData("year-2", "desk-year", 26_000L)]
    public void ChangeToAnotherYear_IsToldOfWithWhatIsChargedThen(string version, string plan, long price)
    {
        var account = OnTwoVersions();

        account.At(YearEnd.AddDays(-31)).ChangePlans(new ChangePlans([new("desk", plan)], version, PlanChangeTime.PeriodEnd, "They asked for it.", false, null));

        // The last period of the year begins on 28 February; the change holds from there, what is paid goes on.
        Assert.Equal(YearEnd, View(account).Subscriptions[0].RenewsAt);
        account.At(YearEnd.AddDays(-29));
        Assert.Equal([(30, plan, version, price)], Notices(account).Select(n => (n.Days, n.Plan, n.CatalogVersion, n.Amount)));
        account.At(YearEnd);
        Assert.Equal([30, 7], Notices(account).Select(n => n.Days));
        Assert.All(Notices(account), n => Assert.Equal((plan, version, price), (n.Plan, n.CatalogVersion, n.Amount)));
        Assert.Equal(price, Assert.Single(account.Invoices[^1].Lines, l => l.Kind == InvoiceLineKind.Base).Amount);
    }

    [Fact]
    public void ChangeToAnotherYearAtTheRenewal_IsToldOf()
    {
        var account = OnTwoVersions().At(YearEnd.AddDays(-20));

        account.ChangePlans(new ChangePlans([new("desk", "desk-year")], "year-2", PlanChangeTime.PeriodEnd, "They asked for it.", false, null));

        Assert.Equal((YearEnd, YearEnd), (account.State.ScheduledFor("desk")!.At, View(account).Subscriptions[0].RenewsAt));
        Assert.Equal([(30, "year-1", 24_000L), (7, "year-2", 26_000L)], Notices(account.At(YearEnd)).Select(n => (n.Days, n.CatalogVersion, n.Amount)));
    }

    [Fact]
    public void ChangeToAMonth_IsNotToldOf_UntilAnotherYearTakesItsPlace()
    {
        var account = OnTwoVersions().At(YearEnd.AddDays(-31).AddMonths(-1));
        Assert.Null(account.ChangePlans(new ChangePlans([new("desk", "desk-month")], "year-1", PlanChangeTime.PeriodEnd, "They asked for it.", false, null)).Refusal);
        Assert.Null(View(account).Subscriptions[0].RenewsAt);

        account = OnTwoVersions().At(YearEnd.AddDays(-20));
        account.ChangePlans(new ChangePlans([new("desk", "desk-month")], "year-1", PlanChangeTime.PeriodEnd, "They asked for it.", false, null));
        account.At(YearEnd.AddDays(-5));
        Assert.Equal([30], Notices(account).Select(n => n.Days));
        account.UndoPlanChange("desk");

        Assert.Equal([(30, YearEnd.AddDays(-30)), (7, YearEnd.AddDays(-5))], Notices(account).Select(n => (n.Days, n.At)));
    }

    [Fact]
    public void MonthThatAnotherYearReplaces_IsToldOfAtOnce()
    {
        var account = OnTwoVersions().At(YearEnd.AddDays(-20));
        account.ChangePlans(new ChangePlans([new("desk", "desk-month")], "year-1", PlanChangeTime.PeriodEnd, "They asked for it.", false, null));
        account.At(YearEnd.AddDays(-5));

        Assert.Null(account.ChangePlans(new ChangePlans([new("desk", "desk-year")], "year-2", PlanChangeTime.PeriodEnd, "They asked for it.", false, null)).Refusal);

        Assert.Equal([(30, YearEnd.AddDays(-30), 24_000L), (7, YearEnd.AddDays(-5), 26_000L)], Notices(account).Select(n => (n.Days, n.At, n.Amount)));
    }

    [Fact]
    public void AccountReadFromItsJournal_IsNotToldAgain()
    {
        var account = Begun("desk-year").At(YearEnd.AddDays(-20));

        foreach (var snapshotAfter in new[] { 0, account.Entries.Count })
            Assert.Equal(YearEnd.AddDays(-7), RenewalDeciderDue(account.ReadAgain(snapshotAfter)));
    }

    private static AccountRun OnTwoVersions()
    {
        var account = AccountRun.On(AccountRun.Anchor, Versions("year-1", "240.00", "300.00"));
        Assert.Null(account.Open("desk-year"));
        account.Publish(Versions("year-2", "260.00", "330.00"));
        return account;
    }

    private static string Versions(string version, string year, string plus) => $$"""
        {
          "version": "{{version}}", "currency": "USD", "meters": [],
          "products": [ { "id": "desk", "plans": [
            { "id": "desk-month", "rank": 1, "base_price": "25.00" },
            { "id": "desk-year", "rank": 2, "interval": "year", "base_price": "{{year}}" },
            { "id": "desk-plus", "rank": 3, "interval": "year", "base_price": "{{plus}}" } ] } ]
        }
        """;

    private static DateTimeOffset? RenewalDeciderDue(AccountState state) => Billing.Lifecycle.RenewalDecider.DueAt(state);

    private static List<AccountFact.RenewalNoticed> Notices(AccountRun account) => [.. account.Facts().OfType<AccountFact.RenewalNoticed>()];
}
