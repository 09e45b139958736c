using Billing.Accounts;
using Billing.Plans;
using Billing.Tests.Accounts;
using Billing.Tests.Plans;
using static Billing.Tests.Plans.LadderRun;

namespace Billing.Tests.Alerts;

/// <summary>What usage came to is told once in each period: parts of the allowance, amounts, spend caps. Basic includes 300 tickets.</summary>
public sealed class AlertTests
{
    private static readonly DateTimeOffset April10 = On("2026-04-10");

    [Theory]
    [InlineData(149)]
    [InlineData(150, 50)]
    [InlineData(240, 50, 80)]
    [InlineData(300, 50, 80, 100)]
    public void UsageComesToAPartOfTheAllowance_IsTold(int tickets, params int[] percents)
    {
        var account = Opened().At(April10).Use(tickets, April10);

        Assert.Equal(percents, Told(account).Select(a => a.Alert.Percent!.Value));
    }

    [Fact]
    public void TheNextPeriod_TellsAgain()
    {
        var account = Opened().At(April10).Use(150, April10).At(On("2026-05-10")).Use(150, On("2026-05-10"));

        Assert.Equal([On("2026-04-01"), On("2026-05-01")], Told(account).Select(a => a.Period.Start));
        Assert.Equal("150 desk.tickets are used in the period to 2026-05-01T00:00:00Z: 50 % of the 300 included are reached.", Told(account)[0].Text);
    }

    [Fact]
    public void UsageFallsAndRisesAgain_IsToldOnce()
    {
        // 100 talks are included in bot-2; 50 stand by 6 April, a late canceller takes one back, another comes.
        var account = Opened("bot-2").At(On("2026-04-02"));
        account.Send([.. Enumerable.Range(0, 50).Select(i => Talk($"{i}", On("2026-04-02")))]);
        Assert.Empty(Told(account));
        account.At(On("2026-04-06"));
        Assert.Equal([50], Told(account).Select(a => a.Alert.Percent!.Value));

        account.Send(new AccountRun.Event("a", On("2026-04-03"), """{"ticket":"7"}""", "wrote"));
        account.Send(Talk("again", On("2026-04-02").AddHours(1)));

        Assert.Single(Told(account));
        Assert.Equal("50", account.Usage("bot.talks", Anchor));
    }

    [Fact]
    public void OwnThresholds_AreToldBesideTheUsual()
    {
        var account = Opened("pro").At(April10);
        account.Set(new(null, "They asked for it.", false, null, [new("desk.tickets", 10, null), new(null, 110, null), new(null, null, 40_000)]));

        // 2,200 are 110 %: 2 blocks over the allowance, 360.00 + 72.00.
        account.Use(2_200, April10);

        Assert.Equal<(int?, long?)>([(10, null), (50, null), (80, null), (100, null), (null, 40_000), (110, null)], Told(account).Select(a => (a.Alert.Percent, a.Alert.Amount)));
        Assert.Contains("costs 396.00 USD so far", Assert.Single(Told(Opened("pro", Catalog()).With(new(null, null, 39_000)).At(April10).Use(2_001, April10)), a => a.Alert.Amount is not null).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void ThresholdsReachedAtOnce_AreToldInTheOrderOfTheirPercentage()
    {
        var account = Opened("bot-2");
        account.Set(new(null, "They asked for it.", false, null, [new(null, 90, null), new("bot.talks", 10, null)]));
        account.At(On("2026-04-02")).Send([.. Enumerable.Range(0, 100).Select(i => Talk($"{i}", On("2026-04-02")))]);

        account.At(On("2026-04-06"));

        Assert.Equal([10, 50, 80, 90, 100], Told(account).Select(a => a.Alert.Percent!.Value));
    }

    [Fact]
    public void ASoftCap_IsToldAndNothingElse()
    {
        var account = Opened().At(April10);
        account.Set(new(false, "They asked for it.", false, null, default, new(20_000, SpendCapKind.Soft)));

        // 60.00 + 4 × 40.00 = 220.00 at 601 tickets; 180.00 at 600.
        account.Use(600, April10);
        Assert.Empty(Caps(account));
        account.Use(1, April10, "more");

        Assert.Equal("The period to 2026-05-01T00:00:00Z costs 220.00 USD so far, and the cap is 200.00 USD.", Assert.Single(Caps(account)).Text);
        Assert.True(Entitled(account).Allowed);
    }

    [Fact]
    public void AHardCap_TurnsTheEntitlementOffUntilThePeriodEndsOrItIsRaised()
    {
        var account = Opened().At(April10);
        account.Set(new(false, "They asked for it.", false, null, default, new(20_000, SpendCapKind.Hard)));
        account.Use(601, April10);

        Assert.Equal((false, "300", "601"), (Entitled(account).Allowed, Entitled(account).Limit.ToString(), Entitled(account).Used.ToString()));
        Assert.StartsWith("The spend cap of 200.00 USD is reached", Entitled(account).Reason, StringComparison.Ordinal);
        account.Set(new(null, "They asked for it.", false, null, default, new(30_000, SpendCapKind.Hard)));
        Assert.True(Entitled(account).Allowed);
        account.Use(400, April10, "more"); // 60.00 + 8 × 40.00 = 380.00
        Assert.False(Entitled(account).Allowed);
        Assert.True(Entitled(account.At(On("2026-05-01"))).Allowed);
        account.Use(901, On("2026-05-01"));
        Assert.False(Entitled(account).Allowed);
        account.Set(new(null, "They asked for it.", false, null, default, null, RemoveSpendCap: true));
        Assert.True(Entitled(account).Allowed);
    }

    [Theory]
    [InlineData(null, 0, null, "alerts[0].percent")]
    [InlineData(null, 1_001, null, "alerts[0].percent")]
    [InlineData(null, null, 0L, "alerts[0].amount")]
    [InlineData(null, null, null, "alerts[0]")]
    [InlineData(null, 10, 10L, "alerts[0]")]
    [InlineData("desk.tickets", null, 10L, "alerts[0]")]
    [InlineData("bot.talks", 10, null, "alerts[0].meter")]
    public void AThresholdThatTellsNothing_IsRefused(string? meter, int? percent, long? amount, string field)
    {
        var refusal = Opened().Set(new(null, "They asked for it.", false, null, [new(meter, percent, amount)])).Refusal!;

        Assert.Equal((RefusalKind.Invalid, field), (refusal.Kind, refusal.Field));
    }

    [Fact]
    public void ADryRun_ChangesNothing()
    {
        var account = Opened();
        var before = account.Snapshot();

        var change = account.Set(new(false, "They asked for it.", true, null, [new(null, 90, null)], new(50_000, SpendCapKind.Hard))).Change!;

        Assert.Equal(
            "Usage does not move the account's plans any more. A plan that usage has moved in the running period settles at its end. The account has 1 alerts of its own beside 50, 80 and 100 % of each allowance. When a period costs 500.00 USD, it is told and the entitlements to all meters are off for the rest of it.",
            change.Description);
        Assert.Equal(before, account.Snapshot());
    }

    [Theory]
    [InlineData("macros", true, null, "The plan basic gives macros.")]
    [InlineData("roles", false, null, "The plan basic does not give roles.")]
    [InlineData("agents", true, "3", "The plan basic gives agents up to 3.")]
    [InlineData("bot.talks", false, null, "No plan of the account gives bot.talks.")]
    public void AFeature_FollowsThePlan(string feature, bool allowed, string? limit, string reason)
    {
        var account = Opened();

        var given = Entitlements.Of(account.State, feature, account.Now).Entitlement!;

        Assert.Equal((allowed, limit, reason), (given.Allowed, given.Limit?.ToString(), given.Reason));
    }

    [Theory]
    [InlineData("false", "true", true, null, "The plan files-1 gives part.")]
    [InlineData("true", "false", true, null, "The plan desk-1 gives part.")]
    [InlineData("3", "10", true, "10", "The plan files-1 gives part up to 10.")]
    [InlineData("10", "3", true, "10", "The plan desk-1 gives part up to 10.")]
    [InlineData("3", "true", true, null, "The plan files-1 gives part.")]
    [InlineData("true", "3", true, null, "The plan desk-1 gives part.")]
    [InlineData("0", "3", true, "3", "The plan files-1 gives part up to 3.")]
    [InlineData("false", "false", false, null, "The plan desk-1 does not give part.")]
    public void AFeatureOfTwoPlans_IsTheMostThatEitherGives(string desk, string files, bool allowed, string? limit, string reason)
    {
        var account = Opened("desk-1", WithFeatures($$"""{ "part": {{desk}} }""", $$"""{ "part": {{files}} }"""));
        account.ChangePlans(new PlanChange("files", "files-1"));

        var given = Entitlements.Of(account.State, "part", account.Now).Entitlement!;

        Assert.Equal((allowed, limit, reason), (given.Allowed, given.Limit?.ToString(), given.Reason));
    }

    [Theory]
    [InlineData("""{ "desk.tickets": true }""", "{}")]
    [InlineData("{}", """{ "desk.tickets": true }""")]
    public void AFeatureNamedAsAMeter_EndsAtTheHardCapOfThatMeter(string desk, string files)
    {
        var account = Opened("desk-1", WithFeatures(desk, files)).At(April10);
        account.ChangePlans(new PlanChange("files", "files-1"));
        account.Set(new(null, "They asked for it.", false, null, default, new(500, SpendCapKind.Hard)));

        account.Use(1, April10);

        Assert.False(Entitled(account).Allowed);
        Assert.StartsWith("The spend cap of 5.00 USD is reached", Entitled(account).Reason, StringComparison.Ordinal);
    }

    private static string WithFeatures(string desk, string files) => $$"""
        {
          "version": "v1", "currency": "USD", "meters": [ { "id": "desk.tickets", "product": "desk", "event": "sent", "aggregate": "count" } ],
          "products": [
            { "id": "desk", "plans": [ { "id": "desk-1", "rank": 1, "base_price": "10.00", "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "1.00" } }, "features": {{desk}} } ] },
            { "id": "files", "plans": [ { "id": "files-1", "rank": 1, "base_price": "0.00", "features": {{files}} } ] } ]
        }
        """;

    [Fact]
    public void AFeature_FollowsTheState()
    {
        var account = Opened();
        account.Suspend();
        Assert.Equal((false, "The account is suspended: They asked for it."), (Entitled(account).Allowed, Entitled(account).Reason));
        account.Resume();
        Assert.True(Entitled(account).Allowed);
        Assert.Equal(RefusalKind.NotFound, Entitlements.Of(account.State, "macro", account.Now).Refusal!.Kind);
    }

    [Fact]
    public void ReadingTheJournalAgain_TellsNothingTwice()
    {
        var account = Opened("bot-2").At(On("2026-04-02"));
        account.Set(new(null, "They asked for it.", false, null, [new(null, null, 700)], new(600, SpendCapKind.Hard)));
        account.At(On("2026-04-02").AddHours(2)).Send([.. Enumerable.Range(0, 103).Select(i => Talk($"{i}", On("2026-04-02").AddMinutes(i)))]);
        account.At(On("2026-05-06"));
        var (snapshot, told) = (account.Snapshot(), Told(account).Count);

        for (var after = 0; after <= account.Entries.Count; after++)
        {
            account.Reactivate(after);
            account.At(account.Now);
            Assert.Equal(snapshot, account.Snapshot());
        }

        Assert.Equal((told, 4), (Told(account).Count, told));
    }

    private static AccountRun.Event Talk(string id, DateTimeOffset at) => new(id, at, $$"""{"ticket":"{{id}}"}""", "talked");

    private static EntitlementView Entitled(AccountRun account) => Entitlements.Of(account.State, Tickets, account.Now).Entitlement!;

    private static List<AccountFact.UsageAlertReached> Told(AccountRun account) => [.. account.Facts().OfType<AccountFact.UsageAlertReached>()];

    private static List<AccountFact.SpendCapReached> Caps(AccountRun account) => [.. account.Facts().OfType<AccountFact.SpendCapReached>()];
}
