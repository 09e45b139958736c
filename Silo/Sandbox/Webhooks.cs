using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>
/// Webhooks: an outbox of one delivery for each event and endpoint, tried again for three days of the billing clock until it is taken.
/// </summary>
internal static class Webhooks
{
    private static readonly TimeSpan GivenUpAfter = TimeSpan.FromDays(3);

    /// <summary>How long after a failed attempt the next one comes; the last one again and again.</summary>
    private static readonly TimeSpan[] Backoff =
    [
        TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5), TimeSpan.FromHours(10), TimeSpan.FromHours(12),
    ];

    private static readonly TimeSpan ReorderedBy = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LateAtLeast = TimeSpan.FromMinutes(10);
    private const int LateMinutesMore = 24 * 60;

    private const string EndpointTemplate =
        """
        {"id":"","object":"webhook_endpoint","api_version":null,"application":null,"created":0,"description":null,"enabled_events":[],
         "livemode":false,"metadata":{},"status":"enabled","url":""}
        """;

    /// <summary>The key by which the deliveries of an event are found.</summary>
    public static string KeyOf(string eventId) => "event:" + eventId;

    /// <summary>Puts the deliveries of an event into the outbox, drawing a fault for each.</summary>
    public static void HandOut(SandboxState state, FaultDraws faults, string eventId, string type, DateTimeOffset now)
    {
        foreach (var endpoint in state.OldestFirst(Kinds.WebhookEndpoint).ToList())
        {
            var wanted = state.Find(Kinds.WebhookEndpoint, endpoint)!;
            if (wanted.Text("status") != "enabled" || !wanted["enabled_events"]!.AsArray().Any(e => (string)e! is "*" || (string)e! == type)) continue;
            var (fault, extent) = faults.Draw(FaultKinds.OfWebhooks);
            var due = fault switch
            {
                FaultKinds.WebhookLate => now + LateAtLeast + TimeSpan.FromMinutes(extent % LateMinutesMore),
                FaultKinds.WebhookReordered => now + ReorderedBy,
                _ => now,
            };
            var copies = fault switch { FaultKinds.WebhookLost => 0, FaultKinds.WebhookDoubled => 2, _ => 1 };
            for (var i = 0; i < copies; i++)
            {
                state.Put(
                    Kinds.Delivery,
                    state.NewId("whd"),
                    new() { ["endpoint"] = endpoint, ["event"] = eventId, ["type"] = type, ["due"] = due.UtcTicks, ["since"] = now.UtcTicks, ["attempt"] = 1 },
                    KeyOf(eventId));
            }
        }
    }

    /// <summary>The delivery as it goes out now; null when its endpoint is gone.</summary>
    public static WebhookDelivery? Sign(SandboxState state, string id, DateTimeOffset now)
    {
        var waiting = state.Find(Kinds.Delivery, id)!;
        var eventId = waiting.Text("event");
        if (state.Find(Kinds.WebhookEndpoint, waiting.Text("endpoint")) is not { } endpoint || state.Find(Kinds.Event, eventId) is not { } told) return null;
        var body = Rendering.Render(state, told).ToText();
        return new(id, endpoint.Text("url"), eventId, waiting.Text("type"), body, Signature(endpoint.Text("_secret"), body, now), (int)waiting.Number("attempt"));
    }

    /// <summary>The header <c>Stripe-Signature</c> of a body: HMAC-SHA256 over the seconds of the instant, a dot and the body.</summary>
    public static string Signature(string secret, string body, DateTimeOffset now)
    {
        var at = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var signed = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{at}.{body}"));
        return $"t={at},v1={Convert.ToHexStringLower(signed)}";
    }

    /// <summary>Notes how an attempt ended: any status from 200 to 299 is taken, everything else is tried again.</summary>
    /// <returns>When the next attempt is due; null when there is none.</returns>
    public static DateTimeOffset? Delivered(SandboxState state, string id, int status, DateTimeOffset now)
    {
        if (state.Find(Kinds.Delivery, id) is not { } waiting) return null;
        var attempt = (int)waiting.Number("attempt");
        var next = now + Backoff[int.Min(attempt, Backoff.Length) - 1];
        if (status is >= 200 and < 300 || next.UtcTicks - waiting.Number("since") > GivenUpAfter.Ticks)
        {
            state.Remove(Kinds.Delivery, id);
            return null;
        }

        waiting["attempt"] = attempt + 1;
        waiting["due"] = next.UtcTicks;
        state.Put(Kinds.Delivery, id, waiting);
        return next;
    }

    /// <summary>Registers an endpoint, or gives one that is there another address and secret.</summary>
    public static void Register(SandboxState state, DateTimeOffset now, string id, string url, string secret)
    {
        var endpoint = state.Find(Kinds.WebhookEndpoint, id) ?? (JsonObject)JsonNode.Parse(EndpointTemplate)!;
        if (endpoint.TextOrNone("url") == url && endpoint.TextOrNone("_secret") == secret) return;
        if (endpoint.Number("created") == 0) endpoint["created"] = now.ToUnixTimeSeconds();
        endpoint["id"] = id;
        endpoint["url"] = url;
        endpoint["_secret"] = secret;
        endpoint["enabled_events"] = new JsonArray("*");
        state.Put(Kinds.WebhookEndpoint, id, endpoint);
    }

    /// <summary>The secret of an endpoint; null when it is not there.</summary>
    public static string? SecretOf(SandboxState state, string id) => state.Find(Kinds.WebhookEndpoint, id)?.TextOrNone("_secret");

    /// <summary><c>POST /v1/webhook_endpoints</c>; the answer shows the secret, this once.</summary>
    public static JsonObject Create(StripeCall call)
    {
        var url = call.Sent.NeededText("url");
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")) throw StripeRefusal.WrongParameter("Not a valid URL", "url", "url_invalid");
        var wanted = call.Sent.Values("enabled_events");
        if (wanted.Count == 0) throw call.Sent.Missing("enabled_events");
        var endpoint = call.Make(EndpointTemplate, "we");
        endpoint["url"] = url;
        endpoint["enabled_events"] = new JsonArray([.. wanted.Select(w => (JsonNode)w)]);
        call.Sent.LayTexts(endpoint, "description", "api_version");
        call.Sent.LayMetadata(endpoint);
        endpoint["_secret"] = call.State.NewId("whsec", 32);
        call.Put(endpoint);
        var shown = endpoint.Copy();
        shown["secret"] = endpoint.Text("_secret");
        return shown;
    }

    /// <summary><c>POST /v1/webhook_endpoints/:id</c></summary>
    public static JsonObject Update(StripeCall call)
    {
        var endpoint = call.Addressed(Kinds.WebhookEndpoint);
        if (call.Sent.Text("url") is { } url) endpoint["url"] = url;
        if (call.Sent.Values("enabled_events") is { Count: > 0 } wanted) endpoint["enabled_events"] = new JsonArray([.. wanted.Select(w => (JsonNode)w)]);
        if (call.Sent.Flag("disabled") is { } disabled) endpoint["status"] = disabled ? "disabled" : "enabled";
        call.Sent.LayTexts(endpoint, "description");
        call.Sent.LayMetadata(endpoint);
        call.Put(endpoint);
        return endpoint;
    }

    /// <summary><c>DELETE /v1/webhook_endpoints/:id</c></summary>
    public static JsonObject Delete(StripeCall call)
    {
        var endpoint = call.Addressed(Kinds.WebhookEndpoint);
        call.State.Remove(Kinds.WebhookEndpoint, endpoint.Id());
        return Lists.Deleted(endpoint);
    }
}
