using Billing.Charging;
using Billing.Invoices;
using Billing.Ledger;
using Billing.Usage;
using Orleans;

namespace Billing.Accounts;

/// <summary>
/// One merchant account: its subscriptions, the usage of its billing periods, its invoices. The key is the account id.
/// </summary>
/// <remarks>
/// Every answer is durable: it leaves only after the facts behind it are in the journal. A refusal of kind
/// <see cref="RefusalKind.Retry"/> says that nothing is known to be stored; the same call may be sent again.
/// </remarks>
[Alias("billing.merchant-account")]
public interface IMerchantAccountGrain : IGrainWithStringKey
{
    /// <summary>Makes the account at the billing clock's time.</summary>
    [Alias("open")]
    Task<AccountAnswer> Open(OpenAccount command);

    /// <summary>Ends the account at the end of its running period or trial; at once when it has no subscription.</summary>
    [Alias("cancel")]
    Task<AccountChangeAnswer> Cancel(CancelAccount command);

    /// <summary>Takes a scheduled cancellation back.</summary>
    [Alias("undo-cancellation")]
    Task<AccountChangeAnswer> UndoCancellation(UndoCancellation command);

    /// <summary>Changes the plans of the account's products, and adds products.</summary>
    [Alias("change-plans")]
    Task<AccountChangeAnswer> ChangePlans(ChangePlans command);

    /// <summary>Takes a scheduled change of plan back.</summary>
    [Alias("undo-plan-change")]
    Task<AccountChangeAnswer> UndoPlanChange(UndoPlanChange command);

    /// <summary>Changes what the merchant wants of the platform.</summary>
    [Alias("change-settings")]
    Task<AccountChangeAnswer> ChangeSettings(ChangeSettings command);

    /// <summary>Whether a feature of the catalogue, or a meter, may be used now.</summary>
    [Alias("get-entitlement")]
    Task<EntitlementAnswer> GetEntitlement(string feature);

    /// <summary>Decides the events of a batch in their order, each exactly once within the window.</summary>
    /// <remarks>Source of the identity rule: CloudEvents 1.0, where equal <c>source</c> and <c>id</c> mean the same event.</remarks>
    [Alias("record-usage")]
    Task<UsageResult> RecordUsage(UsageBatch batch);

    /// <summary>Does what is due at or before the billing clock's time, each at its own instant, in order.</summary>
    /// <param name="now">The billing clock of the caller: the account's silo may be behind it.</param>
    /// <param name="mayCall">Whether the caller carries out a call to Stripe; false when it has no room for one now: the account stays due.</param>
    /// <returns>
    /// When something is due next, and the call to Stripe that is now to be carried out, if any: it is durable that it was handed out, and it
    /// is handed out once. A refusal means: ask again.
    /// </returns>
    [Alias("catch-up-to")]
    Task<CatchUpAnswer> CatchUp(DateTimeOffset now, bool mayCall);

    /// <summary>Takes what came of the call to Stripe that was handed out, and does what is due.</summary>
    /// <returns>As <see cref="CatchUp"/>. An answer to another call than the one under way changes nothing.</returns>
    [Alias("take-stripe-answer")]
    Task<CatchUpAnswer> TakeStripeAnswer(StripeAnswer answer);

    /// <summary>Stripe told that something happened to an invoice of this account: it is read at Stripe if the account waits for something there.</summary>
    /// <param name="stripeInvoice">The invoice's id at Stripe.</param>
    /// <param name="intent">Its <c>metadata[intent]</c>; null when it has none.</param>
    /// <returns>As <see cref="CatchUp"/>.</returns>
    [Alias("notice-stripe-invoice")]
    Task<CatchUpAnswer> NoticeStripeInvoice(string stripeInvoice, string? intent);

    /// <summary>Stripe told of a refund or a dispute of an invoice of this account: all that went back of it is read at Stripe, once it is known to be paid.</summary>
    /// <param name="stripeInvoice">The invoice's id at Stripe.</param>
    /// <param name="intent">Its <c>metadata[intent]</c>; null when it has none.</param>
    /// <returns>As <see cref="CatchUp"/>.</returns>
    [Alias("notice-stripe-reversal")]
    Task<CatchUpAnswer> NoticeStripeReversal(string stripeInvoice, string? intent);

    /// <summary>Gives the account another payment method; it is attached at Stripe after this.</summary>
    [Alias("change-payment-method")]
    Task<AccountChangeAnswer> ChangePaymentMethod(ChangePaymentMethod command);

    /// <summary>Lets parked charges go on.</summary>
    [Alias("release-charges")]
    Task<AccountChangeAnswer> ReleaseCharges(ReleaseCharges command);

    /// <summary>Withholds service.</summary>
    [Alias("suspend")]
    Task<AccountChangeAnswer> Suspend(SuspendAccount command);

    /// <summary>Lets a suspended account go on.</summary>
    [Alias("resume")]
    Task<AccountChangeAnswer> Resume(ResumeAccount command);

    /// <summary>The payment method that was given last.</summary>
    [Alias("get-payment-method")]
    Task<PaymentMethodAnswer> GetPaymentMethod();

    /// <summary>A page of charges, by invoice.</summary>
    /// <param name="skip">How many of the first to leave out; zero or more.</param>
    /// <param name="take">How many at the most; 1 to 1,000.</param>
    [Alias("list-charges")]
    Task<ChargePage> ListCharges(int skip, int take);

    /// <summary>The account as of now.</summary>
    [Alias("get")]
    Task<AccountAnswer> GetAccount();

    /// <summary>The usage of one meter per billing period, of the periods that touch [<paramref name="from"/>, <paramref name="to"/>).</summary>
    [Alias("get-usage")]
    Task<UsageAnswer> GetUsage(string meter, DateTimeOffset? from, DateTimeOffset? to);

    /// <summary>A page of invoices, drafts included.</summary>
    /// <param name="skip">How many of the first to leave out; zero or more.</param>
    /// <param name="take">How many at the most; 1 to 1,000.</param>
    [Alias("list-invoices")]
    Task<InvoicePage> ListInvoices(int skip, int take);

    /// <summary>A finalised invoice by its number.</summary>
    [Alias("get-invoice")]
    Task<InvoiceAnswer> GetInvoice(int number);

    /// <summary>The next period invoice as it would be if it were finalised with the usage known now.</summary>
    [Alias("preview-invoice")]
    Task<InvoiceAnswer> PreviewInvoice();

    /// <summary>
    /// The next period invoice as it would be at a later instant if no event came meanwhile: what is due until then is done on a copy.
    /// </summary>
    /// <param name="at">From now to two years ahead.</param>
    [Alias("preview-invoice-at")]
    Task<InvoiceAnswer> PreviewInvoiceAt(DateTimeOffset at);

    /// <summary>A page of the ledger, the oldest entry first, and the balances of the whole.</summary>
    /// <param name="skip">How many of the first entries to leave out; zero or more.</param>
    /// <param name="take">How many at the most; 1 to 1,000.</param>
    [Alias("get-ledger")]
    Task<LedgerPage> GetLedger(int skip, int take);

    /// <summary>Reads an account that is held again from the journal: if what is stored of it is well now, it goes on.</summary>
    /// <returns>Why it is still held; null when it is not, or was not.</returns>
    [Alias("read-again")]
    Task<Refusal?> ReadAgain();
}

/// <summary>When an account has something to do next.</summary>
/// <param name="Refusal">Set when what was due may not be done yet: ask again.</param>
/// <param name="NextDueAt">The next due instant; null when nothing is due ever.</param>
/// <param name="Call">The call to Stripe that is to be carried out now; null when none is.</param>
[GenerateSerializer, Immutable, Alias("billing.catch-up-answer")]
public sealed record CatchUpAnswer([property: Id(0)] Refusal? Refusal, [property: Id(1)] DateTimeOffset? NextDueAt, [property: Id(2)] StripeCall? Call = null);
