using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>Lists of objects, a page at a time, and reads of one object.</summary>
internal static class Lists
{
    /// <summary>What each list takes.</summary>
    public const string Parameters = "limit starting_after ending_before";

    private const int LimitDefault = 10;
    private const int LimitMax = 100;

    /// <summary><c>GET /v1/…/:id</c></summary>
    public static Func<StripeCall, JsonObject> Retrieve(string kind) => call => call.Addressed(kind);

    /// <summary>A list of all of a kind from the newest on, or of those that belong to what a parameter names.</summary>
    public static Func<StripeCall, JsonObject> Of(string kind, params (string Parameter, string? Owner)[] keys) => call =>
    {
        string? key = null;
        foreach (var (parameter, owner) in keys)
        {
            if (call.Sent.Text(parameter) is not { } id) continue;
            if (owner is not null && !call.State.Has(owner, id)) throw StripeRefusal.Missing(owner, id, parameter, 400);
            key = $"{parameter}:{id}";
        }

        var (from, to) = Created(call.Sent);
        var status = call.Sent.Text("status");
        var email = call.Sent.Text("email");
        var type = call.Sent.Text("type");
        return Page(call, kind, call.State.NewestFirst(kind, key), o =>
            o["deleted"] is null
            && (status is null || o.TextOrNone("status") == status)
            && (email is null || o.TextOrNone("email") == email)
            && (type is null || o.TextOrNone("type") == type)
            && (o["created"] is null || (o.Number("created") >= from && o.Number("created") <= to)));
    };

    /// <summary>A list of what hangs on the object in the path, from the oldest or the newest on.</summary>
    public static Func<StripeCall, JsonObject> Under(string owner, string kind, string key, bool oldestFirst = false) => call =>
    {
        var id = call.Addressed(owner).Id();
        return Page(call, kind, oldestFirst ? call.State.OldestFirst(kind, $"{key}:{id}") : call.State.NewestFirst(kind, $"{key}:{id}"), _ => true);
    };

    /// <summary>The envelope of a list.</summary>
    public static JsonObject Envelope(IReadOnlyList<JsonObject> data, bool hasMore, string url) => new()
    {
        ["object"] = "list",
        ["data"] = new JsonArray([.. data]),
        ["has_more"] = hasMore,
        ["url"] = url,
    };

    /// <summary>What a deleted object leaves.</summary>
    public static JsonObject Deleted(JsonObject gone) => new() { ["id"] = gone.Id(), ["object"] = gone.Text("object"), ["deleted"] = true };

    /// <summary>The page asked for of those that are wanted.</summary>
    public static JsonObject Page(StripeCall call, string kind, IEnumerable<string> ids, Func<JsonObject, bool> wanted)
    {
        var limit = call.Sent.Number("limit") ?? LimitDefault;
        if (limit is < 1 or > LimitMax)
            throw StripeRefusal.WrongParameter($"A page has from 1 to {LimitMax} objects; limit was {limit}.", "limit", "parameter_invalid_integer");

        var after = Place("starting_after");
        var before = Place("ending_before");
        if (after is not null && before is not null)
            throw StripeRefusal.WrongParameter("A page begins after one object or ends before one, not both.", "ending_before", "parameters_exclusive");
        if (after is not null) ids = ids.SkipWhile(id => id != after).Skip(1);
        if (before is not null) ids = ids.TakeWhile(id => id != before).Reverse();
        var found = ids.Select(id => call.State.Find(kind, id)!).Where(wanted).Take((int)limit + 1).ToList();
        var page = found.Take((int)limit);
        return Envelope([.. before is null ? page : page.Reverse()], found.Count > limit, call.Url);

        string? Place(string parameter) =>
            call.Sent.Text(parameter) is { } id && !call.State.Has(kind, id) ? throw StripeRefusal.Missing(kind, id, parameter, 400) : call.Sent.Text(parameter);
    }

    private static (long From, long To) Created(Parameters sent)
    {
        if (!sent.Has("created")) return (long.MinValue, long.MaxValue);
        var range = sent.Within("created");
        if (range.Number("gt") is null && range.Number("gte") is null && range.Number("lt") is null && range.Number("lte") is null && sent.Number("created") is { } exact)
            return (exact, exact);
        return (
            long.Max(range.Number("gt") + 1 ?? long.MinValue, range.Number("gte") ?? long.MinValue),
            long.Min(range.Number("lt") - 1 ?? long.MaxValue, range.Number("lte") ?? long.MaxValue));
    }
}
