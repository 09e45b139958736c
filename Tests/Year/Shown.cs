using System.Globalization;
using System.Text.Json;

namespace Billing.Tests.Year;

/// <summary>Answers of the API in a line of words, to be compared with what was written down.</summary>
internal static class Shown
{
    /// <summary>An instant to the minute; midnight as a date alone.</summary>
    public static string Instant(DateTimeOffset at) =>
        at.ToString(at.UtcDateTime.TimeOfDay == TimeSpan.Zero ? "yyyy-MM-dd" : at.Second == 0 ? "yyyy-MM-dd'T'HH:mm" : "O", CultureInfo.InvariantCulture);

    /// <summary>Minor units in major ones.</summary>
    public static string Money(JsonElement minor) => (minor.GetInt64() / 100m).ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>Status; plans by name, with the last automatic change and one that is to come; balance.</summary>
    public static string Account(JsonElement account) =>
        $"{Text(account, "status")}: {string.Join(", ", account.GetProperty("subscriptions").EnumerateArray().Select(Subscription).Order(StringComparer.Ordinal).DefaultIfEmpty("no plan"))}; balance {Money(account.GetProperty("balance"))}";

    public static string Ledger(JsonElement ledger) => string.Join(
        ", ", ledger.GetProperty("balances").EnumerateObject().Where(b => b.Value.ValueKind == JsonValueKind.Number && b.Value.GetInt64() != 0).Select(b => $"{b.Name} {Money(b.Value)}"));

    public static Invoice Invoice(JsonElement invoice)
    {
        var final = At(invoice, "finalized_at") ?? "never";
        var paid = At(invoice, "paid_at");
        return new(
            invoice.GetProperty("number") is { ValueKind: JsonValueKind.Number } number ? number.GetInt32() : 0,
            Money(invoice.GetProperty("total")),
            At(invoice.GetProperty("period"), "start")!,
            At(invoice.GetProperty("period"), "end")!,
            final,
            string.Join(", ", invoice.GetProperty("lines").EnumerateArray().Select(Line)))
        {
            Status = Text(invoice, "status"),
            PaidLater = paid == final ? null : paid,
        };
    }

    /// <summary>State and verdict of a charge, and what became of each attempt.</summary>
    public static string Charge(JsonElement charge) =>
        $"{Text(charge, "state")}, {Text(charge, "verdict")}: {Money(charge.GetProperty("amount"))} {string.Join(", ", charge.GetProperty("attempts").EnumerateArray().Select(a => $"{Text(a, "outcome")} {At(a, "sent_at")}"))}";

    /// <summary>What became of an event, why if that is one word, and which invoice bears it.</summary>
    public static string Receipt(JsonElement receipt)
    {
        var reason = receipt.TryGetProperty("reason", out var said) && !said.GetString()!.Contains(' ', StringComparison.Ordinal) ? $" {said.GetString()}" : "";
        var billed = receipt.TryGetProperty("billed_on", out var on) && on.ValueKind == JsonValueKind.Object
            ? $", {Text(on, "kind")} on the invoice of {At(on.GetProperty("invoice_period"), "start")}"
            : "";
        return $"{Text(receipt, "outcome")}{reason}{billed}";
    }

    public static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static string Line(JsonElement line)
    {
        var plan = line.TryGetProperty("plan", out var named) ? $" {named.GetString()}" : "";
        var quantity = line.TryGetProperty("meter", out _) ? $" for {Text(line, "quantity")}" : "";
        return $"{Text(line, "kind")}{plan} {Money(line.GetProperty("amount"))}{quantity}";
    }

    private static string Subscription(JsonElement subscription)
    {
        var coming = subscription.TryGetProperty("scheduled_change", out var change)
            ? $" ({(change.TryGetProperty("plan", out var plan) ? plan.GetString() : Text(change, "kind"))} at {At(change, "at")})"
            : "";
        var moved = subscription.TryGetProperty("decision", out var decision)
            ? $" ({Text(decision, "rule")} from {Text(decision, "from")} at {At(decision, "effective_at")})"
            : "";
        return Text(subscription, "plan") + moved + coming;
    }

    private static string? At(JsonElement element, string name) => element.TryGetProperty(name, out var at) ? Instant(at.GetDateTimeOffset()) : null;
}
