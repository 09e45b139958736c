using System.Text.Json;
using Billing.Accounts;
using Billing.Tests.Accounts;
using Billing.Tests.Charging;
using FsCheck.Fluent;
using static Billing.Tests.History.BackTestRun;

namespace Billing.Tests.History;

/// <summary>
/// Run again by its own rules, a history comes out as it was. Accounts of many months are made of numbers: usage on time and late, pauses in
/// which nobody wakes the account, changes by hand, suspensions, payments that fail, cancellations.
/// </summary>
public sealed class BackTestLawsTests
{
    private const int Acts = 1 << 20;

    [Fact]
    public void RunAgainByItsOwnRules_EveryInvoiceAndMoveIsAsItWas() => Prop.ForAll(Generated.SomeNumbers(Acts), numbers =>
    {
        var account = Lived(numbers);

        var rerun = account.Rerun();

        Assert.Equal(JsonSerializer.Serialize(account.State.Invoices), JsonSerializer.Serialize(rerun.State.Invoices));
        Assert.Equal(Json(MovesOf(account)), Json(rerun.Moves));
        Assert.Equal(account.State.Status, rerun.State.Status);
        Assert.Equal(account.State.Subscriptions.Select(s => (s.Product, s.Plan, s.AutomaticAt)), rerun.State.Subscriptions.Select(s => (s.Product, s.Plan, s.AutomaticAt)));
        Assert.Equal(account.State.Balance, rerun.State.Balance);
    }).Holds(300);

    [Fact]
    public void BackTestedByItsOwnRules_ItPaysWhatItPaid() => Prop.ForAll(Generated.SomeNumbers(Acts), numbers =>
    {
        var account = Lived(numbers);

        foreach (var withPlans in new[] { false, true })
        {
            var test = account.BackTest(withPlans: withPlans);

            Assert.Null(test.Problem);
            Assert.Equal((test.Paid, 0), (test.WouldPay, test.Difference));
            Assert.Equal(test.RealMoves.AsEnumerable(), test.Moves);
            Assert.Empty(test.Notes);
        }
    }).Holds(100);

    // A period never costs more than on the plan it began with. Later ones may: they begin with the plan that usage has chosen.
    [Fact]
    public void WithoutRules_NothingMovesAndTheFirstPeriodIsNotCheaper() => Prop.ForAll(Generated.SomeNumbers(Acts), numbers =>
    {
        var account = Begun(numbers[0]);
        foreach (var number in numbers[1..]) Usage(account, number);
        account.At(account.Now.AddDays(120));

        var test = account.BackTest(transitions: """{ "desk": { "upgrade": {} }, "bot": { "upgrade": {} } }""", to: Anchor.AddMonths(1));
        var without = account.BackTest(transitions: """{ "desk": null, "bot": {} }""", to: Anchor.AddMonths(1));

        Assert.Empty(without.Moves);
        Assert.True(test.WouldPay <= without.WouldPay, $"{test.WouldPay} with upgrades, {without.WouldPay} without");
    }).Holds();

    // The generator has to reach what it is there for.
    [Fact]
    public void GeneratedHistories_ReachEveryKindOfInputAndMove()
    {
        var random = new Random(20260401);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < 300; i++)
        {
            foreach (var fact in Lived([.. Enumerable.Range(0, 30).Select(_ => random.Next(Acts))]).Facts()) seen.Add(fact.GetType().Name);
        }

        string[] wanted =
        [
            "PlanUpgraded", "PeriodSettled", "PlanDowngraded", "PlanChanged", "PlanChangeScheduled", "PlanChangeUndone", "SettingsChanged", "AccountSuspended", "AccountReactivated",
            "AccountPastDue", "PeriodsPaused", "AccountCancelled", "CancellationScheduled", "CancellationUndone", "AccountClosed", "PaidSubscriptionBegan", "PaymentMethodGiven", "MeterTracked", "UsageLookedAt",
        ];
        Assert.Empty(wanted.Except(seen));
    }

    private static AccountRun Lived(int[] numbers)
    {
        var account = Begun(numbers[0]);
        var desk = new ChargeDesk(account);
        foreach (var number in numbers[1..]) Act(account, desk, number);
        return account.At(account.Now);
    }

    private static AccountRun Begun(int number)
    {
        string[] plans = (number % 6) switch { 0 => ["desk-trial"], 1 => ["desk-trial", "bot-1"], 2 => ["desk-year", "bot-1"], 3 => ["bot-1"], _ => ["desk-1"] };
        var account = AccountRun.On(Anchor, Catalog());
        Assert.Null(account.Open(AccountRun.Command(plans) with { PaymentMethod = number / 6 % 5 == 0 ? null : "pm_1", AutomaticPlanChanges = number / 30 % 8 != 0 }));
        return account;
    }

    private static void Act(AccountRun account, ChargeDesk desk, int number)
    {
        var argument = number / 20;
        switch (number % 20)
        {
            case < 9:
                Usage(account, argument * 20);
                break;
            case 9:
                account.At(account.Now.AddDays(argument % 80));
                break;
            case 10:
                account.ChangePlans(new PlanChange("desk", $"desk-{1 + (argument % 3)}"));
                break;
            case 11:
                account.ChangePlans(new ChangePlans([new("desk", (argument % 4) switch { 0 => "desk-year", 1 => "desk-3", _ => "desk-1" }), new("bot", $"bot-{1 + (argument / 4 % 2)}")], "v1", PlanChangeTime.PeriodEnd, "They asked for it.", false, $"c{argument}"));
                break;
            case 12:
                account.Add("bot", $"bot-{1 + (argument % 2)}");
                break;
            case 13:
                account.UndoPlanChange("desk");
                break;
            case 14:
                account.Set(new(argument % 3 != 0, "They asked for it.", false, null));
                break;
            case 15 when argument % 2 == 0:
                account.Suspend();
                break;
            case 15:
                account.Resume();
                break;
            case 16 when argument % 4 == 0:
                account.Cancel();
                break;
            case 16:
                account.UndoCancellation();
                break;
            case 17:
                account.Pay($"pm_{argument}");
                break;
            case 18:
                desk.Declines = argument % 2 == 0 ? "card_declined" : null;
                desk.At(account.Now.AddDays(argument % 12));
                break;
            default:
                desk.Run();
                break;
        }
    }

    // Events of now, or late; the clock goes on first, waking the account or not.
    private static void Usage(AccountRun account, int number)
    {
        var (hours, late, count, kind) = (number / 20 % 500, number / 40 % 3 == 0 ? number / 20 % 34 : 0, number / 60 % 14, number / 80 % 5);
        if (number % 3 == 0) account.At(account.Now.AddHours(hours));
        else account.Unawakened(account.Now.AddHours(hours));
        var at = account.Now.AddDays(-late);
        if (kind == 3) account.Use(count, at, "talked", $$"""{"ticket":"{{count % 3}}"}""");
        else if (kind == 4) account.Use(1, at, "wrote", $$"""{"ticket":"{{count % 3}}"}""");
        else account.Use(count, at);
    }

    private static IEnumerable<AccountFact> MovesOf(AccountRun account) =>
        account.Facts().Where(f => f is AccountFact.PlanUpgraded or AccountFact.PeriodSettled or AccountFact.PlanDowngraded);

    private static string Json(IEnumerable<AccountFact> facts) => string.Join('\n', facts.Select(f => JsonSerializer.Serialize(f, AccountJson.Default.AccountFact)));
}
