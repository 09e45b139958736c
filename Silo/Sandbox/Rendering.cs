using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>Objects as the API shows them: with what hangs on them, and with what the caller asked to expand.</summary>
internal static class Rendering
{
    /// <summary>How many lines an invoice shows by itself; the others are on its list of lines.</summary>
    public const int LinesShown = 10;

    private const int ExpandDepthMax = 4;

    private static readonly (string Prefix, string Kind)[] KindsByPrefix =
    [
        ("cus_", Kinds.Customer), ("in_", Kinds.Invoice), ("pm_", Kinds.PaymentMethod), ("pi_", Kinds.PaymentIntent), ("ch_", Kinds.Charge),
        ("py_", Kinds.Charge), ("re_", Kinds.Refund), ("txn_", Kinds.BalanceTransaction), ("cn_", Kinds.CreditNote), ("dp_", Kinds.Dispute),
        ("ii_", Kinds.InvoiceItem), ("cbtxn_", Kinds.CustomerBalanceTransaction), ("inpay_", Kinds.InvoicePayment),
    ];

    /// <summary>A copy of an object as it is shown.</summary>
    public static JsonObject Render(SandboxState state, JsonObject value)
    {
        var shown = value.Copy().WithoutOwn();
        switch (shown.TextOrNone("object"))
        {
            case Kinds.Invoice when shown["deleted"] is null:
                // Of a draft the balance as it is now.
                if (shown.Text("status") == "draft" && shown.TextOrNone("customer") is { } customer && state.Find(Kinds.Customer, customer) is { } its) shown["starting_balance"] = its.Number("balance");
                shown["lines"] = FirstOf(state, Kinds.LineItem, $"invoice:{shown.Id()}", $"/v1/invoices/{shown.Id()}/lines");
                break;
            case Kinds.Charge:
                shown["refunds"] = FirstOf(state, Kinds.Refund, $"charge:{shown.Id()}", $"/v1/charges/{shown.Id()}/refunds");
                break;
            case Kinds.Event:
                shown["pending_webhooks"] = state.OldestFirst(Kinds.Delivery, Webhooks.KeyOf(shown.Id())).Count();
                break;
            case "list":
                shown["data"] = new JsonArray([.. shown["data"]!.AsArray().Select(item => (JsonNode)Render(state, item!.AsObject()))]);
                break;
        }

        return shown;
    }

    /// <summary>Replaces ids by their objects along the paths asked for.</summary>
    public static void Expand(SandboxState state, JsonObject shown, IReadOnlyList<string> paths)
    {
        foreach (var path in paths)
        {
            var steps = path.Split('.');
            if (steps.Length > ExpandDepthMax)
                throw StripeRefusal.WrongParameter($"An expansion goes at most {ExpandDepthMax} levels deep.", "expand");
            Expand(state, shown, steps, path);
        }
    }

    private static void Expand(SandboxState state, JsonObject shown, ReadOnlySpan<string> steps, string path)
    {
        if (steps.IsEmpty) return;
        var name = steps[0];
        if (name == "payments" && shown.TextOrNone("object") == Kinds.Invoice && !shown.ContainsKey(name))
            shown[name] = FirstOf(state, Kinds.InvoicePayment, $"invoice:{shown.Id()}", "/v1/invoice_payments");
        if (!shown.TryGetPropertyValue(name, out var value))
        {
            // The members of a payment that it does not have, such as its charge when it has an intent, are not there at all.
            if (name is "payment_intent" or "charge" && shown.ContainsKey("type")) return;
            throw StripeRefusal.WrongParameter($"{path} is nothing that can be expanded.", "expand", "property_cannot_be_expanded");
        }

        switch (value)
        {
            case JsonObject inner:
                Expand(state, inner, steps[1..], path);
                break;
            case JsonArray list:
                foreach (var item in list)
                    if (item is JsonObject inList) Expand(state, inList, steps[1..], path);
                break;
            case JsonValue id when id.TryGetValue<string>(out var text):
                var kind = KindsByPrefix.FirstOrDefault(k => text.StartsWith(k.Prefix, StringComparison.Ordinal)).Kind;
                if (kind is null || state.Find(kind, text) is not { } found)
                    throw StripeRefusal.WrongParameter($"{path} is nothing that can be expanded.", "expand", "property_cannot_be_expanded");
                var rendered = Render(state, found);
                shown[name] = rendered;
                Expand(state, rendered, steps[1..], path);
                break;
        }
    }

    private static JsonObject FirstOf(SandboxState state, string kind, string key, string url)
    {
        var ids = (kind == Kinds.LineItem ? state.OldestFirst(kind, key) : state.NewestFirst(kind, key)).Take(LinesShown + 1).ToList();
        return Lists.Envelope([.. ids.Take(LinesShown).Select(id => state.Find(kind, id)!.WithoutOwn())], ids.Count > LinesShown, url);
    }
}
