using System.Text.Json;
using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>One call while a method works on it: what was sent, what is held, the time, and the events it leads to.</summary>
internal sealed class StripeCall(SandboxState state, Events events, Parameters parameters, DateTimeOffset now, string[] ids, string? requestId, string? key)
{
    public SandboxState State { get; } = state;

    public Parameters Sent { get; } = parameters;

    /// <summary>The instant of the call by the billing clock.</summary>
    public DateTimeOffset At { get; } = now;

    /// <summary>That instant as Stripe writes times: seconds since 1970.</summary>
    public long Now { get; } = now.ToUnixTimeSeconds();

    /// <summary>The ids in the path.</summary>
    public string[] Ids { get; } = ids;

    /// <summary>The call's path of the list, for the member <c>url</c>.</summary>
    public string Url { get; init; } = "";

    /// <summary>An object by the id in the path.</summary>
    public JsonObject Addressed(string kind) => State.Find(kind, Ids[0]) ?? throw StripeRefusal.Missing(kind, Ids[0], kind == Kinds.Customer ? "id" : kind);

    /// <summary>An object that a parameter names; null when it was left out.</summary>
    public JsonObject? Named(string kind, string parameter) => Sent.Text(parameter) is { } id ? Named(kind, id, Sent.NameOf(parameter)) : null;

    /// <summary>An object by an id that came in a parameter.</summary>
    public JsonObject Named(string kind, string id, string parameter)
    {
        var found = State.Find(kind, id) ?? throw StripeRefusal.Missing(kind, id, parameter, 400);
        return found["deleted"] is null ? found : throw StripeRefusal.Missing(kind, id, parameter, 400);
    }

    /// <summary>An object that must be there because another one points to it.</summary>
    public JsonObject Get(string kind, string id) => State.Find(kind, id) ?? throw new InvalidOperationException($"The sandbox lacks the {kind} {id}, to which another object points.");

    public void Put(JsonObject value, params string[] keys) => State.Put((string)value["object"]!, (string)value["id"]!, value, keys);

    /// <summary>Tells an event about an object as it is now.</summary>
    public void Tell(string type, JsonObject about, JsonObject? previous = null) => events.Tell(this, type, about, requestId, key, previous);

    /// <summary>A template of an object as JSON, with its id and the time of its creation.</summary>
    public JsonObject Make(string template, string prefix, int idLength = 24)
    {
        var made = (JsonObject)JsonNode.Parse(template)!;
        made["id"] = State.NewId(prefix, idLength);
        if (made.ContainsKey("created")) made["created"] = Now;
        return made;
    }

    /// <summary>Lets Stripe do something by itself later.</summary>
    public void Later(TimeSpan after, string work, string about) => Jobs.Add(State, At + after, work, about);
}

/// <summary>Reads members of objects that are known to be there.</summary>
internal static class Members
{
    public static string Text(this JsonObject json, string name) => (string)json[name]!;

    public static string? TextOrNone(this JsonObject json, string name) => (string?)json[name];

    public static long Number(this JsonObject json, string name) => (long)json[name]!;

    public static bool Flag(this JsonObject json, string name) => (bool)json[name]!;

    public static string Id(this JsonObject json) => json.Text("id");

    /// <summary>The object as it is shown: without the members that are the sandbox's own, which begin with an underscore.</summary>
    public static JsonObject WithoutOwn(this JsonObject json)
    {
        foreach (var own in json.Where(m => m.Key.StartsWith('_')).Select(m => m.Key).ToList()) json.Remove(own);
        return json;
    }

    public static JsonObject Copy(this JsonObject json) => (JsonObject)json.DeepClone();

    public static string ToText(this JsonObject json) => JsonSerializer.Serialize(json, Compact);

    private static readonly JsonSerializerOptions Compact = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
