using System.Globalization;
using System.Text.Json;

namespace Billing.Tests.Mail;

/// <summary>What the platform serves of an account: each item as parsed, and its very bytes.</summary>
/// <param name="Invoices">In the order served.</param>
/// <param name="Usage">Per meter, the quantity of each period by its start.</param>
internal sealed record ServedAccount(
    IReadOnlyList<JsonElement> Invoices, IReadOnlyDictionary<string, IReadOnlyDictionary<DateTimeOffset, string>> Usage)
{
    // Smaller than the twenty invoices of the run, so that the cursors are used.
    private const int InvoicesAPage = 7;

    /// <summary>The invoices as served, one a line.</summary>
    public string InvoiceText => string.Join('\n', Invoices.Select(invoice => invoice.GetRawText()));

    public static async Task<ServedAccount> ReadAsync(HttpClient client, string account)
    {
        var path = $"v1/accounts/{Uri.EscapeDataString(account)}";
        var usage = new Dictionary<string, IReadOnlyDictionary<DateTimeOffset, string>>(StringComparer.Ordinal);
        foreach (var meter in MailOracle.Meters)
        {
            var to = MailData.Anchor.AddMonths(20);
            var items = await ReadItemsAsync(
                client, $"{path}/usage?meter={meter}&granularity=period&from={Instant(MailData.Anchor)}&to={Instant(to)}&limit=100");
            usage.Add(meter, items.ToDictionary(
                item => item.GetProperty("period").GetProperty("start").GetDateTimeOffset(),
                item => item.GetProperty("quantity").GetString()!));
        }

        return new(await ReadItemsAsync(client, $"{path}/invoices?limit={InvoicesAPage}"), usage);
    }

    private static async Task<IReadOnlyList<JsonElement>> ReadItemsAsync(HttpClient client, string address)
    {
        var items = new List<JsonElement>();
        string? cursor = null;
        do
        {
            using var answer = await client.GetAsync(cursor is null ? address : $"{address}&cursor={Uri.EscapeDataString(cursor)}");
            var body = await answer.Content.ReadAsStringAsync();
            if (!answer.IsSuccessStatusCode)
                throw new HttpRequestException($"GET {address} answered {(int)answer.StatusCode}: {body}");

            var page = JsonDocument.Parse(body).RootElement;
            items.AddRange(page.GetProperty("items").EnumerateArray());
            cursor = page.TryGetProperty("next", out var next) ? next.GetString() : null;
        }
        while (cursor is not null);

        return items;
    }

    private static string Instant(DateTimeOffset instant) =>
        Uri.EscapeDataString(instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
}
