using Billing.Accounts;
using Billing.Journal;

namespace Billing.Silo.Storage;

/// <summary>Small named values of the platform, such as where the sandbox clock stands.</summary>
internal interface ISettings
{
    /// <summary>The value, or null.</summary>
    Task<string?> Get(string name);

    /// <summary>Stores a value; durable when the task completes.</summary>
    Task Set(string name, string value);

    /// <summary>Stores a value if the setting still is what it was; durable when the task completes.</summary>
    /// <param name="name">The setting.</param>
    /// <param name="before">What it must be; null for no value.</param>
    /// <param name="value">What it becomes.</param>
    /// <returns>Whether it was stored; false when another silo has changed it.</returns>
    Task<bool> Replace(string name, string? before, string value);
}

/// <summary>Catalogue versions as they were handed in: drafts, and those that are published.</summary>
internal interface ICatalogStore
{
    /// <summary>All published versions but the first ones, the oldest first.</summary>
    /// <param name="skip">How many to leave out: those that are known.</param>
    Task<IReadOnlyList<StoredCatalog>> All(int skip = 0);

    /// <summary>Publishes a version; false when the version exists already. Durable when the task completes.</summary>
    Task<bool> Add(StoredCatalog catalog);

    /// <summary>The drafts, in the order of their versions.</summary>
    Task<IReadOnlyList<CatalogDraft>> Drafts();

    /// <summary>Keeps a draft in the place of the one of its version; false when that version is published. Durable when the task completes.</summary>
    Task<bool> SaveDraft(CatalogDraft draft);

    /// <summary>Publishes a draft, which is none from then on. Durable when the task completes.</summary>
    /// <param name="draft">The draft as it was read.</param>
    /// <param name="at">When it is published.</param>
    /// <returns>False when there is no such draft any more: it was replaced or published.</returns>
    Task<bool> Publish(CatalogDraft draft, DateTimeOffset at);
}

/// <summary>A published catalogue version.</summary>
internal sealed record StoredCatalog(string Version, DateTimeOffset PublishedAt, ReadOnlyMemory<byte> Json);

/// <summary>A catalogue version that is not published yet: nobody is on it, and it can be replaced.</summary>
/// <param name="Version">The version.</param>
/// <param name="DraftedAt">When it was handed in.</param>
/// <param name="Json">The catalogue.</param>
/// <param name="Crc32C">Its check sum as it is stored.</param>
internal sealed record CatalogDraft(string Version, DateTimeOffset DraftedAt, ReadOnlyMemory<byte> Json, int Crc32C)
{
    /// <summary>Whether it is as it was handed in.</summary>
    public bool IsWell => Crc32C == CrcOf(Version, DraftedAt, Json);

    /// <summary>A draft that was handed in.</summary>
    public static CatalogDraft Of(string version, DateTimeOffset at, ReadOnlyMemory<byte> json) => new(version, at, json, CrcOf(version, at, json));

    private static int CrcOf(string version, DateTimeOffset at, ReadOnlyMemory<byte> json) => RowCrc.Of(version, at.UtcTicks, json.Length, json.Span);
}

/// <summary>When accounts have something to do next.</summary>
internal interface IDueTimes
{
    /// <summary>The earliest due instant of any account; null when nothing is due ever.</summary>
    /// <param name="after">Leaves out what is due at or before this instant; null for nothing.</param>
    ValueTask<DateTimeOffset?> Next(DateTimeOffset? after = null);

    /// <summary>Accounts due at or before an instant, the earliest first.</summary>
    ValueTask<IReadOnlyList<string>> DueAt(DateTimeOffset instant, int limit);

    /// <summary>
    /// Writes when an account has something to do next, where what is stored of it is missing or damaged: such an account is listed as due at
    /// once, so that it is asked. Whatever else is stored stays. Durable when the task completes.
    /// </summary>
    /// <param name="account">The account, listed as due before it was asked.</param>
    /// <param name="next">What the account says itself, after a turn; null when nothing is due ever.</param>
    /// <returns>Whether it was written.</returns>
    Task<bool> MendDue(string account, DateTimeOffset? next) => Task.FromResult(false);
}

/// <summary>Drops what is kept for a time only.</summary>
internal interface IRetention
{
    /// <summary>Drops the segments of ids that are forgotten, and old bodies. Runs in small steps; commits go on between them.</summary>
    /// <param name="forgetDay">Segments with this day, counted from 1970-01-01 UTC, or an earlier one go.</param>
    /// <param name="bodiesBefore">Bodies of entries before this billing time go.</param>
    /// <param name="cancellation">Stops between two steps; what is left goes the next time.</param>
    Task<Dropped> Drop(int forgetDay, DateTimeOffset bodiesBefore, CancellationToken cancellation);
}

/// <summary>What retention has dropped.</summary>
/// <param name="Segments">Segments of ids.</param>
/// <param name="Bodies">Commits or entries whose bodies went.</param>
internal readonly record struct Dropped(long Segments, long Bodies);

/// <summary>Compares what is stored with its check sums.</summary>
internal interface IIntegrity
{
    /// <summary>
    /// Reads all that has a check sum once. Accounts whose entries are damaged are held from then on: reading them says so. A due time is
    /// made anew from the account; a damaged body, and what is made anew from the entries, hold nobody.
    /// </summary>
    /// <param name="findings">Takes what is found, and tells how far the check is.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    Task Check(CheckFindings findings, CancellationToken cancellation);
}

/// <summary>All that one store holds; an adapter implements it whole.</summary>
internal interface IStore : IJournal, ISettings, ICatalogStore, IDueTimes, IAccountDirectory, IApiKeyStore, IIdempotencyStore, IWaitingEvents, IStripeEvents, IFeedEntries, IRetention, IIntegrity, IAsyncDisposable
{
    /// <summary>Raised once when the store cannot go on: a write failed in a way that leaves unknown what is stored, or the store lost what it had acknowledged.</summary>
    event Action<Exception>? Broken;

    /// <summary>Raised when the store cannot be used any more for now, with the reason, and with null when it can again.</summary>
    event Action<StoreUnavailableException?>? AvailabilityChanged;

    /// <summary>What was found and mended when the store was opened: a sentence each, for the log.</summary>
    IReadOnlyList<string> Notices => [];
}

/// <summary>The store cannot be used now. The message says why, for those who run the platform; it bears no secret.</summary>
internal sealed class StoreUnavailableException(string message, Exception inner) : JournalUnavailableException(message, inner);

/// <summary>Another process has the store open.</summary>
internal sealed class StoreInUseException(string message, Exception inner) : Exception(message, inner);

/// <summary>Finds accounts.</summary>
internal interface IAccountDirectory
{
    /// <summary>Accounts in the order of their ids, from the one after <paramref name="after"/> on.</summary>
    Task<IReadOnlyList<ListedAccount>> List(AccountQuery query, string? after, int limit);

    /// <summary>Writes the row of an account where it is missing or damaged; one that is well stays. Durable when the task completes.</summary>
    /// <param name="account">The account.</param>
    /// <param name="summary">What the account says itself; null when there is no such account.</param>
    Task MendSummary(string account, AccountSummary? summary);
}

/// <summary>An account that was found.</summary>
/// <param name="Id">The account.</param>
/// <param name="Summary">What is stored of it for lists; null when that is damaged.</param>
internal sealed record ListedAccount(string Id, AccountSummary? Summary);

/// <summary>Which accounts to list; null matches all.</summary>
/// <param name="Text">A part of the id, the name or the e-mail address, upper and lower case alike.</param>
/// <param name="Status">The status.</param>
/// <param name="Plan">A plan it is on.</param>
internal sealed record AccountQuery(string? Text, AccountStatus? Status, string? Plan);

/// <summary>API keys; only their hashes are stored.</summary>
internal interface IApiKeyStore
{
    Task<IReadOnlyList<StoredApiKey>> All();

    /// <summary>Adds a key; durable when the task completes.</summary>
    Task Add(StoredApiKey key);
}

/// <summary>An API key as it is stored.</summary>
/// <param name="Hash">SHA-256 of the key, hexadecimal.</param>
/// <param name="Scopes">The scopes, separated by spaces.</param>
/// <param name="CreatedAt">When it was made.</param>
internal sealed record StoredApiKey(string Hash, string Scopes, DateTimeOffset CreatedAt);

/// <summary>Answers to calls with an <c>Idempotency-Key</c>.</summary>
internal interface IIdempotencyStore
{
    Task<StoredAnswer?> Find(string key);

    /// <summary>Keeps an answer; the first one stays. Durable when the task completes.</summary>
    Task Add(string key, StoredAnswer answer);
}

/// <summary>The answer that was given under an idempotency key.</summary>
/// <param name="RequestHash">SHA-256 of method, path and body, hexadecimal.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="ContentType">The media type of the body.</param>
/// <param name="Location">The <c>Location</c> header; null without one.</param>
/// <param name="Body">The body.</param>
internal sealed record StoredAnswer(string RequestHash, int Status, string ContentType, string? Location, byte[] Body);
