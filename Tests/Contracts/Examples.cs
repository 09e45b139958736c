using Billing.Accounts;
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
    private static readonly SubscriptionView Subscription = new("mail", "mail-growth", "2026-03", Period, new(ScheduledChangeKind.Cancellation, null, Period.End, "The shop closes."));
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

    private static readonly AccountView Account = new(
        "acct-1", "Ünïcode & Söhne", "pay@example.com", "DE", AccountStatus.PastDue, "EUR", Begin.AddTicks(1), true,
        [Subscription], [MeterUsage], -500, ["Two declined charges."]);

    private static readonly ScheduledChangeView Scheduled = new(ScheduledChangeKind.Cancellation, "mail-starter", Period.End, "The shop closes.");

    private static readonly AccountChange Change = new("acct-1", "The account is cancelled.", Period.End, true, "EUR", -1_234, [Line], 7);

    private static readonly PlanChange PlanChange = new("mail", "mail-growth");

    private static readonly OpenAccount Open = new(
        "Ünïcode & Söhne", "pay@example.com", "EUR", "DE", ["mail-growth", "sms-flat"], "2026-03", "pm_card_visa", true, "command-1");

    /// <summary>All of them.</summary>
    public static IEnumerable<object> All =>
    [
        Period, default(BillingPeriod),
        Small, Quantity.Zero, Quantity.FromParts(Int128.MinValue, 1), Quantity.FromParts(Int128.MaxValue, 0),
        Refused, new Refusal(RefusalKind.Retry, "Send the same again."),
        Open, Open with { Currency = null, Country = null, PaymentMethod = null, CommandId = null, Plans = [] },
        Account, Account with { Country = null, Subscriptions = [], Usage = [], Holds = [] },
        Subscription, Subscription with { ScheduledChange = null }, MeterUsage, Scheduled, Scheduled with { Plan = null },
        new CancelAccount("The shop closes.", true, "command-2"), new CancelAccount(null, false, null),
        new UndoCancellation("It goes on."), new UndoCancellation(null as string),
        new ChangePlans([PlanChange], "2026-03", PlanChangeTime.PeriodEnd, "They asked for it.", true, "command-3"),
        new ChangePlans([], "2026-03", PlanChangeTime.Now, null, false, null),
        PlanChange, new PlanChange(null, null),
        Change, Change with { Lines = [], Invoice = null },
        new AccountChangeAnswer(null, Change), new AccountChangeAnswer(Refused, null),
        new AccountAnswer(null, Account), new AccountAnswer(Refused, null),
        new AccountSummary("acct-1", "Ünïcode & Söhne", "pay@example.com", AccountStatus.Active, "EUR", Begin, ["mail-growth"]),
        new CatchUpAnswer(null, Period.End), new CatchUpAnswer(Refused, null), new CatchUpAnswer(null, null),
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
    ];

    private static Quantity Small => Quantity.TryParse("-0.0000000000000000000000000001", out var small) ? small : throw new FormatException();
}
