using System.Text;
using System.Text.Json;
using Billing.Accounts;
using Billing.Silo.Storage.Postgres;

namespace Billing.Silo.Storage;

/// <summary>The row of an account for lists and search, as it is stored, under its check sum.</summary>
/// <param name="Account">The account.</param>
/// <param name="Status">The number of its status.</param>
/// <param name="Search">Where searches look, in lower case.</param>
/// <param name="Plans">Its plans, one a line.</param>
/// <param name="Json">All of it.</param>
internal readonly record struct SummaryRow(string Account, int Status, string Search, string Plans, string Json)
{
    /// <summary>The check sum of the row.</summary>
    public int Crc => RowCrc.Of(Account, Status, 0, Encoding.UTF8.GetBytes($"{Search}\0{Plans}\0{Json}"));

    /// <summary>The row of an account.</summary>
    public static SummaryRow Of(AccountSummary summary) => new(
        summary.Id,
        (int)summary.Status,
        CommitRows.Storable($"{summary.Id}\n{summary.Name}\n{summary.Email}".ToLowerInvariant()),
        CommitRows.Storable(string.Join('\n', summary.Plans)),
        JsonSerializer.Serialize(summary, Http.BillingJson.Web.AccountSummary));

    /// <summary>What the row says; null when it is damaged.</summary>
    /// <param name="crc">The check sum that is stored with it; null for a row of a release without them.</param>
    public AccountSummary? Read(int? crc)
    {
        if (crc is { } expected && expected != Crc) return null;
        try
        {
            return JsonSerializer.Deserialize(Json, Http.BillingJson.Web.AccountSummary) is { Name: not null, Email: not null, Currency: not null, Plans.IsDefault: false } summary && summary.Id == Account
                ? summary
                : null;
        }
        catch (Exception damaged) when (damaged is JsonException or FormatException or InvalidOperationException or NotSupportedException or ArgumentException)
        {
            return null;
        }
    }
}
