using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Billing.Invoices;

namespace Billing.Accounts;

/// <summary>Something that happened to an account, but for usage events, which have a codec of their own. Kept for good.</summary>
/// <remarks>Stored as JSON under the name of the fact: members may be added, never renamed, removed or given another meaning.</remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "fact")]
[JsonDerivedType(typeof(AccountOpened), "account_opened")]
[JsonDerivedType(typeof(SubscriptionStarted), "subscription_started")]
[JsonDerivedType(typeof(PaidSubscriptionBegan), "paid_subscription_began")]
[JsonDerivedType(typeof(CancellationScheduled), "cancellation_scheduled")]
[JsonDerivedType(typeof(CancellationUndone), "cancellation_undone")]
[JsonDerivedType(typeof(AccountCancelled), "account_cancelled")]
[JsonDerivedType(typeof(AccountClosed), "account_closed")]
[JsonDerivedType(typeof(InvoiceDrafted), "invoice_drafted")]
[JsonDerivedType(typeof(InvoiceFinalized), "invoice_finalized")]
[JsonDerivedType(typeof(DraftDropped), "draft_dropped")]
[JsonDerivedType(typeof(DeadLetterClosed), "dead_letter_closed")]
[JsonDerivedType(typeof(MeterTracked), "meter_tracked")]
[JsonDerivedType(typeof(ChargeRequested), "charge_requested")]
[JsonDerivedType(typeof(StripeCallSent), "stripe_call_sent")]
[JsonDerivedType(typeof(StripeCallEnded), "stripe_call_ended")]
[JsonDerivedType(typeof(CustomerStepPut), "customer_step_put")]
[JsonDerivedType(typeof(CustomerCreated), "customer_created")]
[JsonDerivedType(typeof(PaymentMethodGiven), "payment_method_given")]
[JsonDerivedType(typeof(PaymentMethodAttached), "payment_method_attached")]
[JsonDerivedType(typeof(PaymentMethodRefused), "payment_method_refused")]
[JsonDerivedType(typeof(PaymentMethodSet), "payment_method_set")]
[JsonDerivedType(typeof(ChargeStepPut), "charge_step_put")]
[JsonDerivedType(typeof(ChargeUnknown), "charge_unknown")]
[JsonDerivedType(typeof(ChargeSettled), "charge_settled")]
[JsonDerivedType(typeof(ChargeDeclined), "charge_declined")]
[JsonDerivedType(typeof(ChargeParked), "charge_parked")]
[JsonDerivedType(typeof(ChargeNoticed), "charge_noticed")]
[JsonDerivedType(typeof(ChargeDisputed), "charge_disputed")]
[JsonDerivedType(typeof(ChargeDisputeClosed), "charge_dispute_closed")]
[JsonDerivedType(typeof(RefundNoticed), "refund_noticed")]
[JsonDerivedType(typeof(ChargesReleased), "charges_released")]
[JsonDerivedType(typeof(PlanUpgraded), "plan_upgraded")]
[JsonDerivedType(typeof(PeriodSettled), "period_settled")]
[JsonDerivedType(typeof(PeriodSettledAgain), "period_settled_again")]
[JsonDerivedType(typeof(PlanDowngraded), "plan_downgraded")]
[JsonDerivedType(typeof(PlanChanged), "plan_changed")]
[JsonDerivedType(typeof(PlanChangeScheduled), "plan_change_scheduled")]
[JsonDerivedType(typeof(PlanChangeUndone), "plan_change_undone")]
[JsonDerivedType(typeof(SettingsChanged), "settings_changed")]
[JsonDerivedType(typeof(RenewalNoticed), "renewal_noticed")]
[JsonDerivedType(typeof(UsageLookedAt), "usage_looked_at")]
[JsonDerivedType(typeof(UsageAlertReached), "usage_alert_reached")]
[JsonDerivedType(typeof(SpendCapReached), "spend_cap_reached")]
[JsonDerivedType(typeof(AccountPastDue), "account_past_due")]
[JsonDerivedType(typeof(AccountSuspended), "account_suspended")]
[JsonDerivedType(typeof(PeriodsPaused), "periods_paused")]
[JsonDerivedType(typeof(AccountReactivated), "account_reactivated")]
internal abstract partial record AccountFact
{
    /// <summary>The account was made. <c>Plans</c> are those asked for; while it is pending none has begun. <c>TrialEndsAt</c>
    /// is set for an account that begins with a trial; the trial begins at <c>At</c>.</summary>
    public sealed record AccountOpened(
        string Name,
        string Email,
        string? Country,
        string Currency,
        string CatalogVersion,
        string? PaymentMethod,
        bool AutomaticPlanChanges,
        AccountStatus Status,
        string? CommandId,
        DateTimeOffset At,
        ImmutableArray<string>? Plans = null,
        DateTimeOffset? TrialEndsAt = null) : AccountFact;

    /// <summary>
    /// A subscription began; the first of an account without a trial sets the anchor of its billing periods. That of a product added while
    /// a period ran has <c>BaseFeesFrom</c>: the end of that period, up to which its base price is prorated.
    /// </summary>
    public sealed record SubscriptionStarted(
        string Product,
        string Plan,
        string CatalogVersion,
        DateTimeOffset At,
        DateTimeOffset? BaseFeesFrom = null,
        string? Reason = null,
        string? CommandId = null) : AccountFact;

    /// <summary>The trial ended at <c>At</c>: its subscriptions are paid from then on, and the billing periods are counted from it.</summary>
    public sealed record PaidSubscriptionBegan(DateTimeOffset At) : AccountFact;

    /// <summary>The account is to end at <c>EffectiveAt</c>, the end of the period or trial that ran at <c>At</c>.</summary>
    public sealed record CancellationScheduled(DateTimeOffset EffectiveAt, string Reason, DateTimeOffset At, string? CommandId = null) : AccountFact;

    /// <summary>The scheduled cancellation was taken back.</summary>
    public sealed record CancellationUndone(DateTimeOffset At, string? Reason = null) : AccountFact;

    /// <summary>The account ended at <c>At</c>, and with it its subscriptions. <c>Reason</c> is in words.</summary>
    public sealed record AccountCancelled(DateTimeOffset At, string Reason, string? CommandId = null) : AccountFact;

    /// <summary>
    /// What late events had changed for a cancelled account was invoiced, if anything. Where meters have <c>cancelled_by</c> it comes a second
    /// time: later events can still take others back.
    /// </summary>
    public sealed record AccountClosed(DateTimeOffset At) : AccountFact;

    /// <summary>
    /// A billing period ended at <c>At</c>, and the invoice for the next one was drafted. That of a cancelled or suspended account bears no base fees.
    /// </summary>
    public sealed record InvoiceDrafted(BillingPeriod Period, DateTimeOffset At, bool? WithoutBaseFees = null) : AccountFact;

    /// <summary>An invoice became final. It holds all that a reader of the invoice ever sees.</summary>
    public sealed record InvoiceFinalized(InvoiceView Invoice) : AccountFact;

    /// <summary>The account begins to keep events that cancel those of a meter, before it subscribes to its product.</summary>
    public sealed record MeterTracked(string Meter, string CatalogVersion, DateTimeOffset At) : AccountFact;

    /// <summary>A draft came to be finalised at <c>At</c> without a single line, and so became no invoice.</summary>
    public sealed record DraftDropped(BillingPeriod Period, DateTimeOffset At) : AccountFact;

    /// <summary>An event that had waited as a dead letter was sent again and accepted.</summary>
    public sealed record DeadLetterClosed(UInt128 Letter, DateTimeOffset At) : AccountFact;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AccountFact))]
[JsonSerializable(typeof(AccountSnapshot))]
internal sealed partial class AccountJson : JsonSerializerContext;
