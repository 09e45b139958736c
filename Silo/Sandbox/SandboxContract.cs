namespace Billing.Silo.Sandbox;

/// <summary>One call to the sandbox Stripe.</summary>
/// <param name="Method">GET, POST or DELETE.</param>
/// <param name="Path">Path without the query, such as <c>/v1/invoices</c>.</param>
/// <param name="Query">The query without its question mark; empty for none.</param>
/// <param name="Authorization">The header of that name.</param>
/// <param name="IdempotencyKey">The header of that name; it counts for POST only.</param>
/// <param name="StripeVersion">The header of that name; any version is taken.</param>
/// <param name="Body">The form of a POST.</param>
internal sealed record SandboxRequest(
    string Method, string Path, string Query, string? Authorization, string? IdempotencyKey, string? StripeVersion, string Body);

/// <summary>What the sandbox Stripe answers.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">JSON.</param>
internal sealed record SandboxResponse(int Status, string Body)
{
    /// <summary>Headers besides the content type.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The work is done as the answer says, but the connection breaks before the caller has any of it.</summary>
    public bool ConnectionLost { get; init; }

    /// <summary>How long the answer is held back, by the machine's time.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Whether this is a saved answer, given again.</summary>
    public bool Replayed { get; init; }

    /// <summary>The fault that was put in; null for none.</summary>
    public string? Fault { get; init; }
}

/// <summary>A webhook that is to be sent now, signed at the instant it was taken.</summary>
/// <param name="Id">Names the delivery when it is reported by <see cref="StripeSandbox.Delivered"/>.</param>
/// <param name="Url">Where to.</param>
/// <param name="EventId">The event that it tells.</param>
/// <param name="EventType">Its type, such as <c>invoice.paid</c>.</param>
/// <param name="Body">The event as JSON.</param>
/// <param name="Signature">The header <c>Stripe-Signature</c>.</param>
/// <param name="Attempt">1 for the first attempt.</param>
internal sealed record WebhookDelivery(string Id, string Url, string EventId, string EventType, string Body, string Signature, int Attempt);

/// <summary>A row that was put or removed.</summary>
/// <param name="Kind">What it is: an object of Stripe, a saved answer, a job, …</param>
/// <param name="Id">Its name among its kind.</param>
/// <param name="Sequence">Its place in the order of creation.</param>
/// <param name="Keys">By what it is looked up besides its id, one a line.</param>
/// <param name="Value">Its bytes; null when it was removed.</param>
internal sealed record SandboxChange(string Kind, string Id, long Sequence, string Keys, byte[]? Value);

/// <summary>Keeps what the sandbox Stripe holds.</summary>
internal interface ISandboxStore
{
    /// <summary>All rows, in any order.</summary>
    IReadOnlyList<SandboxChange> Load();

    /// <summary>Hands changes in. They are stored all or none, in the order of the calls.</summary>
    /// <returns>Completes when they are durable; fails when that is not certain.</returns>
    Task Save(IReadOnlyList<SandboxChange> changes);
}

/// <summary>Keeps everything in memory: for simulations, which hold it across restarts of the sandbox.</summary>
internal sealed class MemorySandboxStore : ISandboxStore
{
    private readonly Dictionary<(string Kind, string Id), SandboxChange> _rows = [];

    public IReadOnlyList<SandboxChange> Load() => [.. _rows.Values];

    public Task Save(IReadOnlyList<SandboxChange> changes)
    {
        foreach (var change in changes)
        {
            if (change.Value is null) _rows.Remove((change.Kind, change.Id));
            else _rows[(change.Kind, change.Id)] = change;
        }

        return Task.CompletedTask;
    }
}
