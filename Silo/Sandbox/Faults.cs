using System.Globalization;
using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>The kinds of faults that can be put in.</summary>
internal static class FaultKinds
{
    public const string ResponseLost = "response_lost";
    public const string Error500Saved = "error_500_saved";
    public const string Error500RolledForward = "error_500_rolled_forward";
    public const string RateLimited = "rate_limited";
    public const string Conflict409 = "conflict_409";
    public const string Slow = "slow";
    public const string WebhookLost = "webhook_lost";
    public const string WebhookLate = "webhook_late";
    public const string WebhookDoubled = "webhook_doubled";
    public const string WebhookReordered = "webhook_reordered";

    /// <summary>All of them, in the order of the contract.</summary>
    public static readonly IReadOnlyList<string> All =
    [
        ResponseLost, Error500Saved, Error500RolledForward, RateLimited, Conflict409, Slow, WebhookLost, WebhookLate, WebhookDoubled, WebhookReordered,
    ];

    /// <summary>What can happen to a request that changes something.</summary>
    public static readonly IReadOnlyList<string> OfWrites = [ResponseLost, Error500Saved, Error500RolledForward, RateLimited, Conflict409, Slow];

    /// <summary>What can happen to a request whose answer is saved already: nothing is done or saved any more.</summary>
    public static readonly IReadOnlyList<string> OfReplays = [ResponseLost, RateLimited, Conflict409, Slow];

    /// <summary>What can happen to a read: it only fails, or is slow.</summary>
    public static readonly IReadOnlyList<string> OfReads = [ResponseLost, Error500Saved, Error500RolledForward, RateLimited, Slow];

    /// <summary>What can happen to a webhook.</summary>
    public static readonly IReadOnlyList<string> OfWebhooks = [WebhookLost, WebhookLate, WebhookDoubled, WebhookReordered];
}

/// <summary>Draws the faults: with the probability given one of the kinds that fit, evenly; the same again for the same seed.</summary>
internal sealed class FaultDraws(SandboxState state)
{
    private const string Row = "drawn";

    /// <summary>Replaces what is put in from now on; no kinds end it.</summary>
    public void Set(IReadOnlyList<string> kinds, double probability, long seed) => state.Put(Kinds.Faults, Row, new()
    {
        ["kinds"] = new JsonArray([.. kinds.Distinct(StringComparer.Ordinal).Select(k => (JsonNode)k)]),
        ["probability"] = probability.ToString("R", CultureInfo.InvariantCulture),
        ["seed"] = seed,
        ["drawn"] = 0L,
    });

    /// <summary>One draw, for a request or a webhook.</summary>
    /// <returns>The fault, null for none, and a number that its extent is taken from.</returns>
    public (string? Kind, ulong Extent) Draw(IReadOnlyList<string> fitting)
    {
        if (state.Find(Kinds.Faults, Row) is not { } set || set["kinds"]!.AsArray() is not { Count: > 0 } kinds) return (null, 0);
        var drawn = (long)set["drawn"]! + 1;
        set["drawn"] = drawn;
        state.Put(Kinds.Faults, Row, set);
        var first = Mixing.Mix(unchecked((ulong)(long)set["seed"]! + ((ulong)drawn * Mixing.Step)));
        var fit = fitting.Where(f => kinds.Any(k => (string)k! == f)).ToList();
        var probability = double.Parse((string)set["probability"]!, CultureInfo.InvariantCulture);
        // 53 bits, as many as a double holds: from 0 to below 1.
        if (fit.Count == 0 || (first >> 11) * (1.0 / (1L << 53)) >= probability) return (null, 0);
        var second = Mixing.Mix(first ^ Mixing.Step);
        return (fit[(int)(second % (ulong)fit.Count)], Mixing.Mix(second));
    }
}
