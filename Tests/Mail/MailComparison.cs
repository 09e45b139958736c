using System.Globalization;
using System.Text.Json;
using Billing.Tests.Support;

namespace Billing.Tests.Mail;

/// <summary>Holds what the platform served against the oracle, and tells every difference in words.</summary>
internal static class MailComparison
{
    private const int DifferencesShown = 20;
    private const int TextShown = 300;

    /// <summary>Usage and invoices of all accounts are the oracle's.</summary>
    public static void AssertIsTheOracles(MailRun run, MailOracle oracle) =>
        AssertNone(run.Accounts.SelectMany(pair => Usage(pair.Key, pair.Value, oracle).Concat(Invoices(pair.Key, pair.Value, oracle))));

    /// <summary>The invoices of all accounts are the same, byte for byte.</summary>
    public static void AssertSameBytes(MailRun expected, MailRun actual) => AssertSame(expected, actual, text => text);

    /// <summary>The invoices of all accounts are the same, byte for byte, but for whether and when each was paid.</summary>
    public static void AssertSameBytesButForPayment(MailRun expected, MailRun actual) => AssertSame(expected, actual, PaymentText.Without);

    private static void AssertSame(MailRun expected, MailRun actual, Func<string, string> compared) =>
        AssertNone(
            from pair in expected.Accounts
            let one = compared(pair.Value.InvoiceText)
            let other = compared(actual.Accounts[pair.Key].InvoiceText)
            where one != other
            let at = Math.Max(0, one.Zip(other).TakeWhile(both => both.First == both.Second).Count() - (TextShown / 3))
            select $"{pair.Key}: the invoices differ near\n  …{Cut(one, at)}…\n  …{Cut(other, at)}…");

    /// <summary>There are no differences.</summary>
    public static void AssertNone(IEnumerable<string> differences)
    {
        var all = differences.ToList();
        var shown = all.Take(DifferencesShown).ToList();
        Assert.True(all.Count == 0, $"{all.Count} differences, the first {shown.Count}:\n{string.Join('\n', shown)}");
    }

    private static IEnumerable<string> Usage(string account, ServedAccount served, MailOracle oracle) =>
        from meter in MailOracle.Meters
        from start in oracle.Periods().Select(period => period.Start).Union(served.Usage[meter].Keys)
        let period = oracle.Periods().FirstOrDefault(period => period.Start == start)
        let expected = Text(oracle.Usage(account, meter, period))
        let actual = served.Usage[meter].GetValueOrDefault(start, "0")
        where expected != actual
        select $"{account}: {meter} of {Day(start)} is {actual}, the oracle says {expected}";

    private static IEnumerable<string> Invoices(string account, ServedAccount served, MailOracle oracle)
    {
        var expected = oracle.Invoices(account);
        var actual = served.Invoices.OrderBy(invoice => invoice.GetProperty("period").GetProperty("start").GetDateTimeOffset()).ToList();
        if (actual.Count != expected.Count)
            return [$"{account}: {actual.Count} invoices, the oracle says {expected.Count}"];

        return expected.Zip(actual).SelectMany((pair, at) => Invoice(pair.First, pair.Second, at, actual[0])
            .Select(difference => $"{account}: invoice {at + 1} ({Day(pair.First.Period.Start)}): {difference}"));
    }

    private static IEnumerable<string> Invoice(OracleInvoice expected, JsonElement actual, int at, JsonElement first)
    {
        if (actual.GetProperty("status").GetString() is not ("finalized" or "paid"))
        {
            yield return $"status {actual.GetProperty("status")}, where all are finalised";
            yield break;
        }

        if (actual.GetProperty("number").GetInt64() != first.GetProperty("number").GetInt64() + at)
            yield return $"number {actual.GetProperty("number")} leaves a gap";

        if (actual.GetProperty("total").GetInt64() != expected.Total)
            yield return $"total {actual.GetProperty("total")}, the oracle says {expected.Total}";

        if (actual.GetProperty("currency").GetString() != "USD")
            yield return $"currency {actual.GetProperty("currency")}";

        if (Period(actual) != expected.Period)
            yield return $"period {actual.GetProperty("period")}";

        if (actual.GetProperty("drafted_at").GetDateTimeOffset() != expected.DraftedAt)
            yield return $"drafted at {actual.GetProperty("drafted_at")}, the oracle says {expected.DraftedAt:u}";

        if (actual.GetProperty("finalized_at").GetDateTimeOffset() != expected.FinalizedAt)
            yield return $"finalised at {actual.GetProperty("finalized_at")}, the oracle says {expected.FinalizedAt:u}";

        var expectedLines = expected.Lines.ToDictionary(Key, Describe);
        var actualLines = actual.GetProperty("lines").EnumerateArray().ToLookup(Key);
        foreach (var (key, text) in expectedLines)
        {
            var line = expected.Lines.Single(candidate => Key(candidate) == key);
            var found = actualLines[key].Select(candidate => Describe(candidate, line)).ToList();
            if (found.Count != 1 || found[0] != text)
                yield return $"{key}: {(found.Count == 0 ? "missing" : string.Join(" and ", found))}, the oracle says {text}";
        }

        foreach (var extra in actualLines.Where(lines => !expectedLines.ContainsKey(lines.Key)))
            yield return $"{extra.Key}: a line that the oracle does not know";
    }

    private static string Key(OracleLine line) => $"{line.Kind} {line.Meter ?? "-"} of {Day(line.Period.Start)} to {Day(line.Period.End)}";

    private static string Key(JsonElement line) =>
        $"{line.GetProperty("kind").GetString()} {Optional(line, "meter") ?? "-"} of {Day(Period(line).Start)} to {Day(Period(line).End)}";

    private static string Describe(OracleLine line) =>
        $"{line.Amount} cents"
        + (line.Quantity is { } quantity ? $", quantity {Text(quantity)}" : "")
        + (line.EventCount is { } count ? $", {count} events" : "");

    // Only what the oracle knows of the line.
    private static string Describe(JsonElement line, OracleLine expected) =>
        $"{line.GetProperty("amount").GetInt64()} cents"
        + (expected.Quantity is null ? "" : $", quantity {Optional(line, "quantity")}")
        + (expected.EventCount is null ? "" : $", {line.GetProperty("event_count").GetInt32()} events");

    private static OraclePeriod Period(JsonElement holder) => new(
        holder.GetProperty("period").GetProperty("start").GetDateTimeOffset(),
        holder.GetProperty("period").GetProperty("end").GetDateTimeOffset());

    private static string? Optional(JsonElement holder, string name) =>
        holder.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.ToString() : null;

    private static string Text(decimal quantity) => quantity.ToString("0.############################", CultureInfo.InvariantCulture);

    private static string Day(DateTimeOffset instant) => instant.ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture);

    private static string Cut(string text, int at) => string.Concat(text.Skip(at).Take(TextShown));
}
