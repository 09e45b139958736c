using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>The last requests and how they were answered.</summary>
internal static class RequestLog
{
    /// <summary>How many are kept.</summary>
    public const int RequestsMax = 20_000;

    public static void Add(SandboxState state, SandboxRequest request, SandboxResponse response)
    {
        state.Put(Kinds.Request, (state.Counter + 1).ToString(CultureInfo.InvariantCulture), new()
        {
            ["method"] = request.Method,
            ["path"] = request.Path,
            ["idempotency_key"] = string.IsNullOrEmpty(request.IdempotencyKey) ? null : request.IdempotencyKey,
            ["replayed"] = response.Replayed,
            ["status"] = response.Status,
            ["fault"] = response.Fault,
        });
        if (state.Count(Kinds.Request) > RequestsMax) state.Remove(Kinds.Request, state.OldestFirst(Kinds.Request).First());
    }
}

/// <summary>What Stripe's side holds, in the shape of <c>GET /v1/sandbox/stripe</c>.</summary>
internal static class SandboxSnapshot
{
    public static byte[] Of(SandboxState state)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            Write(json, "customers", state.OldestFirst(Kinds.Customer).Select(id => state.Find(Kinds.Customer, id)!.WithoutOwn()));
            Write(json, "invoices", state.OldestFirst(Kinds.Invoice).Select(id => WithAllLines(state, state.Find(Kinds.Invoice, id)!.WithoutOwn())));
            Write(json, "charges", state.OldestFirst(Kinds.Charge).Select(id => Charge(state, state.Find(Kinds.Charge, id)!)));
            json.WriteStartArray("requests");
            foreach (var id in state.OldestFirst(Kinds.Request)) json.WriteRawValue(state.Bytes(Kinds.Request, id).Span);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static JsonObject WithAllLines(SandboxState state, JsonObject invoice)
    {
        var lines = state.OldestFirst(Kinds.LineItem, $"invoice:{invoice.Id()}").Select(id => state.Find(Kinds.LineItem, id)!.WithoutOwn());
        invoice["lines"] = Lists.Envelope([.. lines], false, $"/v1/invoices/{invoice.Id()}/lines");
        return invoice;
    }

    // The invoice's metadata stands on its charge here, so that whoever reads it sees what the charge was for.
    private static JsonObject Charge(SandboxState state, JsonObject charge)
    {
        var invoice = charge.Text("_invoice");
        var metadata = charge["metadata"]!.AsObject();
        foreach (var (name, value) in state.Find(Kinds.Invoice, invoice)!["metadata"]!.AsObject()) metadata.TryAdd(name, value?.DeepClone());
        return new()
        {
            ["id"] = charge.Id(),
            ["customer"] = charge.TextOrNone("customer"),
            ["invoice"] = invoice,
            ["amount"] = charge.Number("amount"),
            ["amount_refunded"] = charge.Number("amount_refunded"),
            ["currency"] = charge.Text("currency"),
            ["status"] = charge.Text("status"),
            ["failure_code"] = charge.TextOrNone("failure_code"),
            ["metadata"] = metadata.DeepClone(),
        };
    }

    private static void Write(Utf8JsonWriter json, string name, IEnumerable<JsonObject> items)
    {
        json.WriteStartArray(name);
        foreach (var item in items) item.WriteTo(json);
        json.WriteEndArray();
    }
}
