using Billing.Accounts;
using Billing.Charging;
using Billing.Invoices;
using Billing.Ledger;
using Billing.Usage;

namespace Billing.Tests.Contracts;

/// <summary>One value of every message type with all its fields set, and those with fields left out that are really sent.</summary>
internal static class Examples
{
    private static readonly DateTimeOffset Begin = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly BillingPeriod Period = new(Begin, Begin.AddMonths(1));
    private static readonly Refusal Refused = new(RefusalKind.Conflict, "The account exists with another name.", "name");
    private static readonly BilledOn Bill = new("adjustment", Period);
    private static readonly MeterReceipt MeterRow = new("api-calls", Quantity.Zero - Quantity.One, Period);
    private static readonly UsageReceipt Receipt = new(UsageOutcome.Quarantined, "no_subscription", [MeterRow], Bill);
    private static readonly UsageBatch Batch = new(new byte[] { 1, 0, 255, 7 }, 3, KeepBodies: true, WantReceipts: true, Period.End, Waited: true);
    private static readonly PeriodUsageView PeriodUsage = new(Period, Quantity.Of(long.MaxValue), Quantity.One);
    private static readonly UsageView Usage = new("api-calls", [PeriodUsage, new(Period, default, default)]);
    private static readonly PlanDecision Decision = new(
        PlanRule.Downgrade, "mail", "mail-growth", "mail-starter", Period, Period.End, [new("mails", Small)], [new("mail-starter", 1_000, 0, 1_000)], "It would have cost less.");

    private static readonly PlanMove Move = new(Period.End, Period.Start, "mail", "mail-growth", "mail-starter", PlanRule.Downgrade, "It would have cost less.");

    private static readonly SubscriptionView Subscription = new("mail", "mail-growth", "2026-03", Period, new(ScheduledChangeKind.Cancellation, null, Period.End, "The shop closes."), Decision);
    private static readonly MeterUsageView MeterUsage = new("mails", Quantity.Of(12), Quantity.One, Quantity.Of(1_000), Small);
    private static readonly ArithmeticStep Step = new("12.5", "0.02", "25.125", "12.5 blocks of 100 at 0.02");

    private static readonly InvoiceLine Line =
        new(2, InvoiceLineKind.Adjustment, "mail", "mail-growth", "2026-03", "mails", Period, Small, -1_234, [Step, Step], long.MaxValue);

    private static readonly InvoiceView Invoice =
        new(7, InvoiceStatus.Paid, "EUR", long.MinValue, Period, Begin, Begin.AddDays(3), Begin.AddDays(4), [Line]);

    private static readonly InvoiceView Draft = new(null, InvoiceStatus.Draft, "EUR", 0, Period, Begin, null, null, []);

    private static readonly EventName Name = new("mail/ü", "m-1", Begin);

    private static readonly LineEvent LineEvent =
        new("mail/ü", "m-1", Begin, Begin.AddTicks(1), UsageOutcome.Accepted, EventStanding.Cancelled, Small, Name, "Because.");

    private static readonly RefusedEvent RefusedEvent = new(UsageOutcome.Conflict, "Other content.", Begin, "{\"id\":\"m-1\"}");
    private static readonly EventCount Count = new("mails", Period, EventStanding.Pending, Small);
    private static readonly InvoiceLineName LineName = new(7, 2);

    private static readonly EventView Event = new(
        "mail/ü", "m-1", "mail.sent", Begin, Begin.AddTicks(1), UsageOutcome.Accepted, "no_subscription", [MeterRow], Bill, [Count], [LineName], "{}", [RefusedEvent]);

    private static readonly LedgerPosting Posting = new(LedgerAccount.DeferredRevenue, 0, long.MaxValue);
    private static readonly LedgerBalances Balances = new(1, 2, 3, 4, 5, 6, -7);

    private static readonly LedgerEntry Entry = new(
        3, Begin.AddDays(3), LedgerEntryKind.RevenueRecognized, 7, [new(LedgerAccount.Receivable, long.MaxValue, 0), Posting], "Invoice 7 became final.");

    private static readonly UsageAlert Alert = new("mails", 90, null);
    private static readonly SpendCap Cap = new(50_000, SpendCapKind.Hard);

    private static readonly OpenCharge Unpaid = new(7, 1_234, ChargeState.Declined, ChargeVerdict.Pending, Begin, "card_declined");

    private static readonly AccountView Account = new(
        "acct-1", "Ünïcode & Söhne", "pay@example.com", "DE", AccountStatus.PastDue, "EUR", Begin.AddTicks(1), true,
        [Subscription], [MeterUsage], -500, ["Two declined charges."], [Alert], Cap, [Unpaid]);


    private static readonly ScheduledChangeView Scheduled = new(ScheduledChangeKind.Cancellation, "mail-starter", Period.End, "The shop closes.");

    private static readonly AccountChange Change = new("acct-1", "The account is cancelled.", Period.End, true, "EUR", -1_234, [Line], 7);

    private static readonly PlanChange PlanChange = new("mail", "mail-growth");

    private static readonly StripeLine SentLine = new(2, -1_234, "mail-growth: base price", Period);
    private static readonly StripeCard Card = new("pm_1", "card", "visa", "4242");
    private static readonly PaymentMethodView Method = new("pm_1", PaymentMethodState.Refused, "card", "visa", "4242", "card_declined");

    private static readonly StripeCall Call = new(
        7, StripeCallKind.AddLines, "acct-1/7/1/lines", "acct-1", "acct-1/7/1", "cus_1", "in_1", 7, "pm_1", "Ünïcode & Söhne", "pay@example.com", "EUR", [SentLine]);

    private static readonly StripeInvoice AtStripe = new(
        "in_1", "cus_1", "acct-1/7/1", "open", "EUR", long.MaxValue, -1, 2, [new("il_1", 2, -1_234)], new("pi_1", "succeeded", "ch_1", Begin, true, "card_declined"), -500);

    private static readonly StripeAnswer Answered = new(7, StripeOutcome.NotDone, "rate_limit", "Too many requests.", TimeSpan.FromSeconds(30), "in_1", [AtStripe], Card);
    private static readonly StripeReversal Reversed = new(ReversalKind.Dispute, "dp_1", long.MaxValue, "EUR", "fraudulent", "needs_response", 2);
    private static readonly ChargeReversal Reversal = new(ReversalKind.Refund, "re_1", 1_234, "EUR", "duplicate", "succeeded", 1_234, Begin, true);

    private static readonly ChargeView Charge = new(
        "acct-1/7/1", 7, "EUR", 1_234, ChargeState.Parked, ChargeVerdict.Mismatch, [new(1, "acct-1/7/1/pay/1", Begin, "declined", "card_declined")], new("in_1", "pi_1", "ch_1"), [Entry], Begin, "Something else.");

    private static readonly OpenAccount Open = new(
        "Ünïcode & Söhne", "pay@example.com", "EUR", "DE", ["mail-growth", "sms-flat"], "2026-03", "pm_card_visa", true, "command-1");

    /// <summary>All of them.</summary>
    public static IEnumerable<object> All =>
    [
        Period, default(BillingPeriod),
        Small, Quantity.Zero, Quantity.FromParts(Int128.MinValue, 1), Quantity.FromParts(Int128.MaxValue, 0),
        Refused, new Refusal(RefusalKind.Retry, "Send the same again."),
        Open, Open with { Currency = null, Country = null, PaymentMethod = null, CommandId = null, Plans = [] },
        Account, Account with { Country = null, Subscriptions = [], Usage = [], Holds = [], Alerts = [], SpendCap = null, Charges = [] },
        Unpaid, Unpaid with { NextAt = null, Evidence = null },
        Alert, new UsageAlert(null, null, 50_000), Cap,
        Subscription, Subscription with { ScheduledChange = null, Decision = null }, Decision, Decision.Usage[0], Decision.Alternatives[0], MeterUsage, Scheduled, Scheduled with { Plan = null }, Scheduled with { Kind = ScheduledChangeKind.Plan, CatalogVersion = "2026-03" },
        new CancelAccount("The shop closes.", true, "command-2"), new CancelAccount(null, false, null),
        new UndoCancellation("It goes on."), new UndoCancellation(null as string, true),
        new ChangePlans([PlanChange], "2026-03", PlanChangeTime.PeriodEnd, "They asked for it.", true, "command-3"),
        new ChangePlans([], null, PlanChangeTime.Now, null, false, null),
        new EntitlementView("mails", true, Small, Quantity.One, "The plan includes them."), new EntitlementView("macros", false, null, null, "It does not."),
        new EntitlementAnswer(null, new("macros", false, null, null, "It does not.")), new EntitlementAnswer(Refused, null),
        new ChangeSettings(false, "They asked for it.", true, "command-8", [Alert], Cap, true), new ChangeSettings(null, null, false, null),
        new UndoPlanChange("mail", "They changed their mind."), new UndoPlanChange("mail", null, true),
        PlanChange, new PlanChange(null, null),
        Change, Change with { Lines = [], Invoice = null },
        new AccountChangeAnswer(null, Change), new AccountChangeAnswer(Refused, null),
        new AccountAnswer(null, Account), new AccountAnswer(Refused, null),
        new AccountSummary("acct-1", "Ünïcode & Söhne", "pay@example.com", AccountStatus.Active, "EUR", Begin, ["mail-growth"], ["The charge of invoice 3 is parked."]),
        new CatchUpAnswer(null, Period.End, Call), new CatchUpAnswer(Refused, null), new CatchUpAnswer(null, null),
        Call, Call with { Key = null, Intent = null, Customer = null, Invoice = null, PaymentMethod = null, Name = null, Email = null, Currency = null, Lines = [] }, SentLine,
        Answered, Answered with { Code = null, Message = null, RetryAfter = null, Id = null, Invoices = [], Card = null },
        Answered with { Reversals = [Reversed] }, Reversed, Reversed with { Reason = null }, Reversal, Reversal with { Reason = null }, Charge with { Reversals = [Reversal] },
        AtStripe, AtStripe with { Intent = null, Lines = [], Payment = null }, AtStripe.Lines[0], AtStripe.Lines[0] with { N = null },
        AtStripe.Payment!, AtStripe.Payment! with { Charge = null, ChargedAt = null, Code = null }, Card, Card with { Brand = null, LastFour = null },
        Charge, Charge with { Attempts = [], Stripe = new(null, null, null), Ledger = [], NextAt = null, Evidence = null }, Charge.Attempts[0], Charge.Attempts[0] with { Code = null },
        Charge.Stripe, new ChargeAtStripe(null, null, null), new ChargePage(null, [Charge], 2), new ChargePage(Refused, [], null),
        new ReleaseCharges("It is right.", true, "command-4"), new ReleaseCharges(null, false, null),
        new ChangePaymentMethod("pm_1", "A new card.", true, "command-5"), new ChangePaymentMethod(null, null, false, null),
        new SuspendAccount("They asked for it.", true, "command-6"), new SuspendAccount(null, false, null),
        new ResumeAccount("They asked for it.", true, "command-7"), new ResumeAccount(null, false, null),
        Method, Method with { Type = null, Brand = null, LastFour = null, Code = null }, new PaymentMethodAnswer(null, Method), new PaymentMethodAnswer(Refused, null),
        Step, Line, Line with { Meter = null, Arithmetic = [] },
        Line with { Kind = InvoiceLineKind.Credit, Product = null, Plan = null, CatalogVersion = null, Meter = null, EventCount = 0 },
        Invoice, Draft,
        new InvoicePage(null, [Invoice, Draft], 2), new InvoicePage(Refused, [], null),
        Posting, Balances, Entry, Entry with { Invoice = null, Postings = [] },
        new LedgerPage(null, "EUR", Balances, [Entry, Entry], 2), new LedgerPage(Refused, null, null, [], null),
        new InvoiceAnswer(null, Invoice), new InvoiceAnswer(Refused, null),
        Batch, Batch with { Records = default, Count = 0, KeepBodies = false, WantReceipts = false },
        Batch with { Records = new byte[] { 9, 1, 2, 3, 9 }.AsMemory(1, 3) },
        new UsageResult(null, new byte[] { 1, 4 }, [Receipt, Receipt]), UsageResult.Refused(Refused),
        Receipt, Receipt with { Reason = null, Meters = [], BilledOn = null },
        MeterRow, Bill, PeriodUsage, Usage,
        new UsageAnswer(null, Usage), new UsageAnswer(Refused, null),
        Name, LineEvent, LineEvent with { Time = null, Standing = null, Quantity = null, CancelledBy = null, Reason = null },
        new LineEventPage(null, [LineEvent], 2), new LineEventPage(Refused, [], null),
        RefusedEvent, Count, LineName, Event,
        Event with { Type = null, Time = null, Reason = null, Meters = [], BilledOn = null, Counted = [], Lines = [], Body = null, Refused = [] },
        new EventAnswer(null, Event), new EventAnswer(Refused, null),
        new BackTestQuestion("{}", null, true, null, null), new BackTestQuestion("{}", "{}", false, Period.Start, Period.End),
        Move, new AccountBackTest("acme", "USD", 1_000, 900, -100, [Move], [], ["A note."]), new AccountBackTest("acme", null, 0, 0, 0, [], [], [], "There is no account acme."),
    ];

    private static Quantity Small => Quantity.TryParse("-0.0000000000000000000000000001", out var small) ? small : throw new FormatException();
}
