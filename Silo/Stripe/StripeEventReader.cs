using System.Text.Json;
using Billing.Silo.Storage;

namespace Billing.Silo.Stripe;

/// <summary>Reads what an event of Stripe's is about.</summary>
internal static class StripeEventReader
{
    private const int TypeLengthMax = 255;

    /// <summary>Reads a webhook's body.</summary>
    /// <param name="body">The body, whose signature is right.</param>
    /// <param name="receivedAt">The billing clock.</param>
    /// <returns>The event; null when the body is no event object.</returns>
    public static StripeEvent? Read(ReadOnlyMemory<byte> body, DateTimeOffset receivedAt)
    {
        try
        {
            if (StripeJson.Parse(body) is not { } told || told.TextOrNull("object") != "event") return null;
            if (told.Field("data")?.Field("object") is not { ValueKind: JsonValueKind.Object } about) return null;
            var type = told.Text("type");
            if (type.Length is 0 or > TypeLengthMax || type.Any(char.IsControl)) return null;
            var isInvoice = about.TextOrNull("object") == "invoice";
            return new(
                told.Id(),
                type,
                told.Whole("created"),
                receivedAt,
                about.IdOrNull("id"),
                about.TextOrNull("object") switch { "invoice" => about.IdOrNull("id"), "invoice_payment" => about.IdOrNull("invoice"), _ => null },
                isInvoice ? Storable(about.Metadata("account")) : null,
                isInvoice ? Storable(about.Metadata("intent")) : null);
        }
        catch (UnreadableObjectException)
        {
            return null;
        }
    }

    // No account or intent of ours is empty or has such a character; and not every store can hold one.
    private static string? Storable(string? text) => string.IsNullOrEmpty(text) || text.Contains('\0', StringComparison.Ordinal) ? null : text;
}
