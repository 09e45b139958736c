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

    /// <summary>Adds products to the account's subscriptions.</summary>
    [Alias("change-plans")]
    Task<AccountChangeAnswer> ChangePlans(ChangePlans command);

    /// <summary>Decides the events of a batch in their order, each exactly once within the window.</summary>
    /// <remarks>Source of the identity rule: CloudEvents 1.0, where equal <c>source</c> and <c>id</c> mean the same event.</remarks>
    [Alias("record-usage")]
    Task<UsageResult> RecordUsage(UsageBatch batch);

    /// <summary>Does what is due at or before the billing clock's time, each at its own instant, in order.</summary>
    /// <param name="now">The billing clock of the caller: the account's silo may be behind it.</param>
    /// <returns>When something is due next; null when nothing is. A refusal means: ask again.</returns>
    [Alias("catch-up-to")]
    Task<CatchUpAnswer> CatchUp(DateTimeOffset now);

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
}

/// <summary>When an account has something to do next.</summary>
/// <param name="Refusal">Set when what was due may not be done yet: ask again.</param>
/// <param name="NextDueAt">The next due instant; null when nothing is due ever.</param>
[GenerateSerializer, Immutable, Alias("billing.catch-up-answer")]
public sealed record CatchUpAnswer([property: Id(0)] Refusal? Refusal, [property: Id(1)] DateTimeOffset? NextDueAt);
