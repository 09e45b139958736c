using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Serialization.Metadata;
using Billing.Accounts;
using Billing.Invoices;
using Billing.Usage;

namespace Billing.Http;

/// <summary>The HTTP contract for callers in C#. Thread-safe; as many calls at once as the <see cref="HttpClient"/> allows.</summary>
/// <param name="http">Its base address is the platform's; the caller owns it.</param>
/// <param name="key">An API key with the scopes that the calls need.</param>
/// <remarks>
/// Every answer of success is durable. A problem arrives as a <see cref="BillingProblemException"/>; one of status 503 says that the
/// same call may be sent again.
/// </remarks>
public sealed class BillingClient(HttpClient http, string key)
{
    /// <summary>Makes an account.</summary>
    /// <param name="request">The account.</param>
    /// <param name="idempotencyKey">Names the call, so that sending it again gives the first answer; null for none.</param>
    /// <param name="cancellation">Gives up waiting; the call may still be carried out.</param>
    public Task<AccountView> OpenAccount(OpenAccountRequest request, string? idempotencyKey = null, CancellationToken cancellation = default) =>
        Send(HttpMethod.Post, "/v1/accounts", JsonContent.Create(request, BillingJson.Web.OpenAccountRequest), BillingJson.Web.AccountView, idempotencyKey, cancellation);

    /// <summary>An account as of now.</summary>
    public Task<AccountView> GetAccount(string account, CancellationToken cancellation = default) =>
        Get($"/v1/accounts/{Uri.EscapeDataString(account)}", BillingJson.Web.AccountView, cancellation);

    /// <summary>A page of accounts; <paramref name="cursor"/> is the <c>Next</c> of the page before.</summary>
    public Task<AccountList> ListAccounts(string? query = null, string? cursor = null, int limit = 50, CancellationToken cancellation = default) =>
        Get($"/v1/accounts?limit={limit}{Parameter("query", query)}{Parameter("cursor", cursor)}", BillingJson.Web.AccountList, cancellation);

    /// <summary>Changes the plans of an account, and adds products.</summary>
    /// <param name="account">The account id.</param>
    /// <param name="request">The products and their plans.</param>
    /// <param name="idempotencyKey">Names the call, so that sending it again gives the first answer; null for none.</param>
    /// <param name="cancellation">Gives up waiting; the call may still be carried out.</param>
    public Task<AccountChange> ChangePlans(string account, ChangePlansRequest request, string? idempotencyKey = null, CancellationToken cancellation = default) =>
        Send(
            HttpMethod.Post, $"/v1/accounts/{Uri.EscapeDataString(account)}/plans", JsonContent.Create(request, BillingJson.Web.ChangePlansRequest), BillingJson.Web.AccountChange, idempotencyKey, cancellation);

    /// <summary>Takes a scheduled change of plan back.</summary>
    public Task<AccountChange> UndoPlanChange(string account, string product, string? reason = null, CancellationToken cancellation = default) =>
        Send(
            HttpMethod.Delete, $"/v1/accounts/{Uri.EscapeDataString(account)}/plans/scheduled/{Uri.EscapeDataString(product)}", JsonContent.Create(new UndoCancelRequest(reason), BillingJson.Web.UndoCancelRequest), BillingJson.Web.AccountChange, null, cancellation);

    /// <summary>Changes what the merchant wants of the platform; settings that are null stay.</summary>
    public Task<AccountChange> ChangeSettings(string account, SettingsRequest request, string? idempotencyKey = null, CancellationToken cancellation = default) =>
        Send(
            HttpMethod.Post, $"/v1/accounts/{Uri.EscapeDataString(account)}/settings", JsonContent.Create(request, BillingJson.Web.SettingsRequest), BillingJson.Web.AccountChange, idempotencyKey, cancellation);

    /// <summary>Whether an account may use a feature of the catalogue, or a meter.</summary>
    public Task<EntitlementView> GetEntitlement(string account, string feature, CancellationToken cancellation = default) =>
        Get($"/v1/accounts/{Uri.EscapeDataString(account)}/entitlements/{Uri.EscapeDataString(feature)}", BillingJson.Web.EntitlementView, cancellation);

    /// <summary>Cancels an account at the end of its running period or trial; one without a subscription at once.</summary>
    /// <param name="account">The account id.</param>
    /// <param name="request">The reason, and whether it is a dry run.</param>
    /// <param name="idempotencyKey">Names the call, so that sending it again gives the first answer; null for none.</param>
    /// <param name="cancellation">Gives up waiting; the call may still be carried out.</param>
    public Task<AccountChange> CancelAccount(string account, CancelRequest request, string? idempotencyKey = null, CancellationToken cancellation = default) =>
        Send(
            HttpMethod.Post, $"/v1/accounts/{Uri.EscapeDataString(account)}/cancel", JsonContent.Create(request, BillingJson.Web.CancelRequest), BillingJson.Web.AccountChange, idempotencyKey, cancellation);

    /// <summary>Takes a scheduled cancellation back.</summary>
    public Task<AccountChange> UndoCancellation(string account, string? reason = null, CancellationToken cancellation = default) =>
        Send(
            HttpMethod.Delete, $"/v1/accounts/{Uri.EscapeDataString(account)}/cancel", JsonContent.Create(new UndoCancelRequest(reason), BillingJson.Web.UndoCancelRequest), BillingJson.Web.AccountChange, null, cancellation);

    /// <summary>Gives an account another payment method, and tries declined charges with it at once.</summary>
    public Task<AccountChange> ChangePaymentMethod(string account, PaymentMethodRequest request, string? idempotencyKey = null, CancellationToken cancellation = default) =>
        Send(
            HttpMethod.Post, $"/v1/accounts/{Uri.EscapeDataString(account)}/payment-method", JsonContent.Create(request, BillingJson.Web.PaymentMethodRequest), BillingJson.Web.AccountChange, idempotencyKey, cancellation);

    /// <summary>Withholds service from an account.</summary>
    public Task<AccountChange> SuspendAccount(string account, ActRequest request, string? idempotencyKey = null, CancellationToken cancellation = default) =>
        Act(account, "suspend", request, idempotencyKey, cancellation);

    /// <summary>Lets a suspended account go on.</summary>
    public Task<AccountChange> ResumeAccount(string account, ActRequest request, string? idempotencyKey = null, CancellationToken cancellation = default) =>
        Act(account, "resume", request, idempotencyKey, cancellation);

    /// <summary>Lets parked charges go on.</summary>
    public Task<AccountChange> ReleaseCharges(string account, ActRequest request, string? idempotencyKey = null, CancellationToken cancellation = default) =>
        Act(account, "release", request, idempotencyKey, cancellation);

    /// <summary>A page of an account's charges; <paramref name="cursor"/> is the <c>Next</c> of the page before.</summary>
    public Task<ChargeList> ListCharges(string account, string? cursor = null, int limit = 50, CancellationToken cancellation = default) =>
        Get($"/v1/accounts/{Uri.EscapeDataString(account)}/charges?limit={limit}{Parameter("cursor", cursor)}", BillingJson.Web.ChargeList, cancellation);

    /// <summary>Records CloudEvents, one a line. Safe to send again: each event is counted once.</summary>
    /// <param name="lines">UTF-8 JSON lines.</param>
    /// <param name="receipts">Whether the answer carries a receipt per event.</param>
    /// <param name="cancellation">Gives up waiting; the events may still be recorded.</param>
    public Task<EventsAnswer> RecordEvents(ReadOnlyMemory<byte> lines, bool receipts = true, CancellationToken cancellation = default)
    {
        var content = new ReadOnlyMemoryContent(lines);
        content.Headers.ContentType = new("application/x-ndjson");
        return Send(HttpMethod.Post, receipts ? "/v1/events" : "/v1/events?receipts=none", content, BillingJson.Web.EventsAnswer, null, cancellation);
    }

    /// <summary>A page of a meter's usage by billing period, of the periods that touch [<paramref name="from"/>, <paramref name="to"/>).</summary>
    public Task<UsageSeries> GetUsage(
        string account, string meter, DateTimeOffset? from = null, DateTimeOffset? to = null, string? cursor = null, CancellationToken cancellation = default) =>
        Get(
            $"/v1/accounts/{Uri.EscapeDataString(account)}/usage?granularity=period{Parameter("meter", meter)}{Parameter("from", from)}{Parameter("to", to)}{Parameter("cursor", cursor)}",
            BillingJson.Web.UsageSeries,
            cancellation);

    /// <summary>A page of invoices: finalised ones by number, then drafts.</summary>
    public Task<InvoiceList> ListInvoices(string account, string? cursor = null, int limit = 50, CancellationToken cancellation = default) =>
        Get($"/v1/accounts/{Uri.EscapeDataString(account)}/invoices?limit={limit}{Parameter("cursor", cursor)}", BillingJson.Web.InvoiceList, cancellation);

    /// <summary>A finalised invoice.</summary>
    public Task<InvoiceView> GetInvoice(string account, int number, CancellationToken cancellation = default) =>
        Get($"/v1/accounts/{Uri.EscapeDataString(account)}/invoices/{number}", BillingJson.Web.InvoiceView, cancellation);

    /// <summary>A page of the events behind a line of a finalised invoice, and of those that were refused.</summary>
    public Task<LineEventList> ListLineEvents(
        string account, int number, int line, string? cursor = null, int limit = 50, CancellationToken cancellation = default) =>
        Get(
            $"/v1/accounts/{Uri.EscapeDataString(account)}/invoices/{number}/lines/{line}/events?limit={limit}{Parameter("cursor", cursor)}",
            BillingJson.Web.LineEventList,
            cancellation);

    /// <summary>The receipt of an event and where it is counted now.</summary>
    public Task<EventView> GetEvent(string account, string source, string eventId, CancellationToken cancellation = default) =>
        Get(
            $"/v1/accounts/{Uri.EscapeDataString(account)}/events/{Uri.EscapeDataString(source)}/{Uri.EscapeDataString(eventId)}",
            BillingJson.Web.EventView,
            cancellation);

    /// <summary>The next period invoice with the usage known now.</summary>
    /// <param name="account">The account.</param>
    /// <param name="at">As it would be then if no event came meanwhile: from now to two years ahead; null for now.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<InvoiceView> PreviewInvoice(string account, DateTimeOffset? at = null, CancellationToken cancellation = default) =>
        Get(
            $"/v1/accounts/{Uri.EscapeDataString(account)}/invoices/preview{(at is { } then ? $"?at={Uri.EscapeDataString(UtcJsonConverter.ToText(then))}" : "")}",
            BillingJson.Web.InvoiceView,
            cancellation);

    /// <summary>A page of the ledger, the oldest entry first, with the balances of the whole.</summary>
    public Task<LedgerList> GetLedger(string account, string? cursor = null, int limit = 50, CancellationToken cancellation = default) =>
        Get($"/v1/accounts/{Uri.EscapeDataString(account)}/ledger?limit={limit}{Parameter("cursor", cursor)}", BillingJson.Web.LedgerList, cancellation);

    /// <summary>A page of the facts of all accounts, in the order in which they were stored.</summary>
    /// <param name="after">The <c>Next</c> of the page before, or the <c>Position</c> of an item; null for the beginning.</param>
    /// <param name="limit">How many at the most.</param>
    /// <param name="wait">Seconds to wait for a fact when there is none yet, 0 to 30.</param>
    /// <param name="accounts">Accounts, separated by commas; null for all.</param>
    /// <param name="types">Types, separated by commas; null for all.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<FeedList> ReadFeed(string? after = null, int limit = 50, int wait = 0, string? accounts = null, string? types = null, CancellationToken cancellation = default) =>
        Get($"/v1/feed?limit={limit}&wait={wait}{Parameter("after", after)}{Parameter("account", accounts)}{Parameter("type", types)}", BillingJson.Web.FeedList, cancellation);

    /// <summary>A page of catalogue versions: the published ones, the oldest first, then drafts.</summary>
    public Task<CatalogList> ListCatalogs(string? cursor = null, int limit = 50, CancellationToken cancellation = default) =>
        Get($"/v1/catalogs?limit={limit}{Parameter("cursor", cursor)}", BillingJson.Web.CatalogList, cancellation);

    /// <summary>A catalogue version with all that is in it.</summary>
    public Task<CatalogView> GetCatalog(string version, CancellationToken cancellation = default) =>
        Get($"/v1/catalogs/{Uri.EscapeDataString(version)}", BillingJson.Web.CatalogView, cancellation);

    /// <summary>Keeps a catalogue as a draft, in the place of the draft of its version.</summary>
    /// <param name="json">The catalogue, UTF-8 JSON.</param>
    /// <param name="cancellation">Gives up waiting; the draft may still be kept.</param>
    public Task<CatalogSummary> DraftCatalog(ReadOnlyMemory<byte> json, CancellationToken cancellation = default)
    {
        var content = new ReadOnlyMemoryContent(json);
        content.Headers.ContentType = new("application/json");
        return Send(HttpMethod.Post, "/v1/catalogs", content, BillingJson.Web.CatalogSummary, null, cancellation);
    }

    /// <summary>Publishes a draft: it never changes again.</summary>
    public Task<CatalogSummary> PublishCatalog(string version, string? idempotencyKey = null, CancellationToken cancellation = default) =>
        Send(HttpMethod.Post, $"/v1/catalogs/{Uri.EscapeDataString(version)}/publish", null, BillingJson.Web.CatalogSummary, idempotencyKey, cancellation);

    /// <summary>Runs real histories again by the ladder rules of a catalogue version. All accounts are a job, whose id the answer has.</summary>
    public Task<BackTestView> BackTest(string version, BackTestRequest request, string? idempotencyKey = null, CancellationToken cancellation = default) => Send(
        HttpMethod.Post, $"/v1/catalogs/{Uri.EscapeDataString(version)}/backtest", JsonContent.Create(request, BillingJson.Web.BackTestRequest), BillingJson.Web.BackTestView, idempotencyKey, cancellation);

    /// <summary>Runs real histories again on the plans, prices and rules of a catalogue version. All accounts are a job, whose id the answer has.</summary>
    public Task<BackTestView> Simulate(string version, BackTestRequest request, string? idempotencyKey = null, CancellationToken cancellation = default) => Send(
        HttpMethod.Post, $"/v1/catalogs/{Uri.EscapeDataString(version)}/simulate", JsonContent.Create(request, BillingJson.Web.BackTestRequest), BillingJson.Web.BackTestView, idempotencyKey, cancellation);

    /// <summary>How far a job of all accounts is, with a page of what came of it.</summary>
    public Task<BackTestView> GetBackTest(string id, string? cursor = null, int limit = 50, CancellationToken cancellation = default) =>
        Get($"/v1/catalogs/backtests/{Uri.EscapeDataString(id)}?limit={limit}{Parameter("cursor", cursor)}", BillingJson.Web.BackTestView, cancellation);

    /// <summary>Begins to move accounts to a published catalogue version, or to show what that would change. Sent again under its key, it changes nothing twice.</summary>
    public Task<CatalogMoveView> MoveToCatalog(string version, CatalogMoveRequest request, string? idempotencyKey = null, CancellationToken cancellation = default) => Send(
        HttpMethod.Post, $"/v1/catalogs/{Uri.EscapeDataString(version)}/move", JsonContent.Create(request, BillingJson.Web.CatalogMoveRequest), BillingJson.Web.CatalogMoveView, idempotencyKey, cancellation);

    /// <summary>How far a move of accounts is, with a page of what came of it.</summary>
    public Task<CatalogMoveView> GetCatalogMove(string id, string? cursor = null, int limit = 50, CancellationToken cancellation = default) =>
        Get($"/v1/catalogs/moves/{Uri.EscapeDataString(id)}?limit={limit}{Parameter("cursor", cursor)}", BillingJson.Web.CatalogMoveView, cancellation);

    /// <summary>Moves the sandbox's billing clock to an instant, doing what is due on the way.</summary>
    public Task<ClockView> MoveClock(DateTimeOffset now, CancellationToken cancellation = default) =>
        Send(
            HttpMethod.Post, "/v1/sandbox/clock", JsonContent.Create(new MoveClockRequest(null, UtcJsonConverter.ToText(now)), BillingJson.Web.MoveClockRequest), BillingJson.Web.ClockView, null, cancellation);

    /// <summary>Starts the check of all that is stored; while one runs, shows how far it is.</summary>
    public Task<CheckView> StartCheck(CancellationToken cancellation = default) => Send(HttpMethod.Post, "/v1/check", null, BillingJson.Web.CheckView, null, cancellation);

    /// <summary>How far the check of all that is stored is, or what the last one found.</summary>
    public Task<CheckView> GetCheck(CancellationToken cancellation = default) => Get("/v1/check", BillingJson.Web.CheckView, cancellation);

    private Task<AccountChange> Act(string account, string act, ActRequest request, string? idempotencyKey, CancellationToken cancellation) => Send(
        HttpMethod.Post, $"/v1/accounts/{Uri.EscapeDataString(account)}/{act}", JsonContent.Create(request, BillingJson.Web.ActRequest), BillingJson.Web.AccountChange, idempotencyKey, cancellation);

    private static string Parameter(string name, string? value) => value is null ? "" : $"&{name}={Uri.EscapeDataString(value)}";

    private static string Parameter(string name, DateTimeOffset? value) => value is { } instant ? Parameter(name, UtcJsonConverter.ToText(instant)) : "";

    private Task<T> Get<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation) => Send(HttpMethod.Get, path, null, type, null, cancellation);

    private async Task<T> Send<T>(
        HttpMethod method, string path, HttpContent? content, JsonTypeInfo<T> type, string? idempotencyKey, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        using var response = await http.SendAsync(request, cancellation);
        if (!response.IsSuccessStatusCode) throw await ProblemOf(response, cancellation);
        return await response.Content.ReadFromJsonAsync(type, cancellation)
            ?? throw new HttpRequestException($"{method} {path} answered null.", null, response.StatusCode);
    }

    private static async Task<BillingProblemException> ProblemOf(HttpResponseMessage response, CancellationToken cancellation)
    {
        var problem = response.Content.Headers.ContentType?.MediaType == "application/problem+json"
            ? await response.Content.ReadFromJsonAsync(BillingJson.Web.Problem, cancellation)
            : null;
        return new(problem ?? new("about:blank", response.ReasonPhrase ?? "", (int)response.StatusCode, $"The platform answered {(int)response.StatusCode} without a problem.", null));
    }
}

/// <summary>The platform refused a call.</summary>
/// <param name="problem">Why, and what to do.</param>
public sealed class BillingProblemException(Problem problem) : Exception(problem.Detail)
{
    /// <summary>Why, and what to do.</summary>
    public Problem Problem { get; } = problem;
}
