using System.Text.Json;

namespace Billing.Feeder;

/// <summary>What the platform says of one event.</summary>
/// <param name="Outcome"><c>accepted</c>, <c>duplicate</c>, <c>conflict</c>, <c>quarantined</c> or <c>rejected</c>.</param>
/// <param name="Reason">Why, when there is more to say.</param>
internal readonly record struct Receipt(string Outcome, string? Reason)
{
    /// <summary>Reads the receipts of an answer; null when there are none that can be read.</summary>
    public static IReadOnlyList<Receipt>? ReadAll(byte[] answer)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            return document.RootElement.GetProperty("receipts").EnumerateArray()
                .Select(receipt => new Receipt(
                    receipt.GetProperty("outcome").GetString() ?? "",
                    receipt.TryGetProperty("reason", out var reason) && reason.ValueKind == JsonValueKind.String
                        ? reason.GetString()
                        : null))
                .ToList();
        }
        catch (Exception unreadable) when (unreadable is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }
}
