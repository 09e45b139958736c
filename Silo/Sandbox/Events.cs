using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>Events: one for each change, kept 30 days, at most <see cref="EventsMax"/> of them, and told to the webhook endpoints.</summary>
internal sealed class Events(SandboxState state, FaultDraws faults)
{
    /// <summary>How many events are kept at the most; Stripe keeps them for 30 days.</summary>
    public const int EventsMax = 100_000;

    /// <summary>The version of the API whose objects these are.</summary>
    public const string ApiVersion = "2025-09-30.clover";

    private static readonly TimeSpan KeptFor = TimeSpan.FromDays(30);

    private const string Template =
        """
        {"id":"","object":"event","api_version":null,"created":0,"data":{},"livemode":false,"pending_webhooks":0,
         "request":{"id":null,"idempotency_key":null},"type":""}
        """;

    /// <summary>Makes the event and hands it to the endpoints that want it.</summary>
    public void Tell(StripeCall call, string type, JsonObject about, string? requestId, string? key, JsonObject? previous)
    {
        var made = call.Make(Template, "evt");
        made["api_version"] = ApiVersion;
        made["data"] = new JsonObject { ["object"] = Rendering.Render(state, about) };
        if (previous is not null) made["data"]!["previous_attributes"] = previous.DeepClone();
        made["request"]!["id"] = requestId;
        made["request"]!["idempotency_key"] = key;
        made["type"] = type;
        call.Put(made);
        Webhooks.HandOut(state, faults, made.Id(), type, call.At);
    }

    /// <summary>Drops what is older than is kept.</summary>
    public void Prune(DateTimeOffset now)
    {
        foreach (var id in state.OldestFirst(Kinds.Event).Take(16).ToList())
        {
            var young = state.Count(Kinds.Event) <= EventsMax && state.Find(Kinds.Event, id)!.Number("created") > (now - KeptFor).ToUnixTimeSeconds();
            if (young || state.OldestFirst(Kinds.Delivery, Webhooks.KeyOf(id)).Any()) return;
            state.Remove(Kinds.Event, id);
        }
    }
}
