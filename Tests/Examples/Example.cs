using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Billing.Invoices;
using Billing.Tests.Accounts;
using Billing.Tests.Rating;
using Billing.Usage;

namespace Billing.Tests.Examples;

/// <summary>
/// A worked example: an account, events in the order in which they come, and what is then counted and invoiced, as texts that a pocket
/// calculator can check. Instants are UTC and of 2026 where no year is given, such as <c>03-05</c>, <c>03-05 14:00</c> or
/// <c>2027-03-05 14:00:30</c>; amounts are in major units.
/// </summary>
/// <remarks>Each invoice that is looked at must add up: its lines to the total, the steps of a line to its amount before the one rounding.</remarks>
internal sealed class Example
{
    private const int Scale = 40;

    private static readonly BigInteger One = BigInteger.Pow(10, Scale);
    private static readonly string[] Formats = ["yyyy-MM-dd", "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss"];

    private readonly string _meter;
    private int _sent;
    private UsageReceipt? _receipt;

    private Example(AccountRun account, string meter) => (Account, _meter) = (account, meter);

    public AccountRun Account { get; }

    /// <summary>The finalised invoices, each byte of them.</summary>
    public string Finalized => JsonSerializer.Serialize(Account.Invoices.Where(i => i.Number is not null));

    /// <summary>An account begun then on the first plan of each product.</summary>
    public static Example Begun(string when, params Sold[] sold) =>
        Begun(when, Sold.Catalog(sold), sold[0].Product, [.. sold.Select(s => $"{s.Product}-1")]);

    /// <summary>An account begun then on plans of a catalogue; the meter is the one that is looked at where none is named.</summary>
    public static Example Begun(string when, string catalog, string meter, params string[] plans)
    {
        var account = AccountRun.On(Instant(when), catalog);
        Assert.Null(account.Open(plans));
        return new(account, meter);
    }

    /// <summary>An account begun then on one of several published versions.</summary>
    public static Example BegunOn(string version, string when, string[] catalogs, string plan)
    {
        var account = AccountRun.On(Instant(when), catalogs);
        Assert.Null(account.Open(AccountRun.Command(plan) with { CatalogVersion = version }));
        return new(account, plan.Split('-')[0]);
    }

    /// <summary>Moves the clock.</summary>
    public Example At(string when)
    {
        Account.At(Instant(when));
        return this;
    }

    /// <summary>
    /// Sends events such as <c>03-05 14:00 sent {"n":1}</c>; <c>sent#7@web</c> names the id and the source. The clock moves on to their time;
    /// those of a time before the clock come late.
    /// </summary>
    public Example Sent(params string[] events)
    {
        foreach (var text in events)
        {
            var words = text.Split(' ', 4, StringSplitOptions.RemoveEmptyEntries);
            var timed = words.Length > 1 && char.IsAsciiDigit(words[1][0]);
            var time = Instant(timed ? $"{words[0]} {words[1]}" : words[0]);
            var rest = text.Split(' ', timed ? 4 : 3, StringSplitOptions.RemoveEmptyEntries)[(timed ? 2 : 1)..];
            var name = rest[0].Split('#', '@');
            Receive(new(
                name.Length > 1 ? name[1] : $"e{++_sent}", time, rest.Length > 1 ? rest[1] : "{}", name[0], name.Length > 2 ? name[2] : "app"));
        }

        return this;
    }

    /// <summary>Sends an event of that time with so many units of a product; of the first one where none is named.</summary>
    public Example Used(string when, string units, string? product = null)
    {
        Receive(new($"e{++_sent}", Instant(when), $$"""{"n":{{units}}}""", $"{product ?? _meter}.used", "app"));
        return this;
    }

    /// <summary>Cancels the account now, for the end of the running period.</summary>
    public Example Cancelled()
    {
        Assert.Null(Account.Cancel().Refusal);
        return this;
    }

    /// <summary>Adds a product now.</summary>
    public Example Added(string product)
    {
        Assert.Null(Account.Add(product, $"{product}-1").Refusal);
        return this;
    }

    /// <summary>What is counted by now in the period that begins then: <c>3</c>, or <c>3 + 1 pending</c>.</summary>
    public Example Counts(string periodStart, string expected, string? meter = null)
    {
        var (quantity, pending, _) = Account.UsageAt(meter ?? _meter, Instant(periodStart), Account.Now);
        Assert.Equal(expected, pending.IsZero ? quantity.ToString() : $"{quantity} + {pending} pending");
        return this;
    }

    /// <summary>The outcome of the last event alone.</summary>
    public Example Outcome(UsageOutcome expected)
    {
        Assert.Equal(expected, _receipt!.Outcome);
        return this;
    }

    /// <summary>The last receipt: what its event changed in which period, and which invoice is to bear that.</summary>
    public Example Receipt(string expected)
    {
        var rows = _receipt!.Meters.Select(m => $"{m.Meter} {m.Quantity} in {Text(m.Period)}");
        var billed = _receipt.BilledOn is { } on ? $"; {on.Kind} on {Text(on.InvoicePeriod)}" : "";
        var reason = _receipt.Reason is { } why ? $"{why}: " : "";
        Assert.Equal(expected, $"{reason}{string.Join(", ", rows)}{billed}");
        return this;
    }

    /// <summary>All invoices by number, drafts last: <c>2 finalized 04-01..05-01 10.40 USD</c>, <c>draft 05-01..06-01 10.00 USD</c>.</summary>
    public Example Invoices(params string[] expected)
    {
        Assert.All(Account.Invoices, AddsUp);
        Assert.Equal(expected, Account.Invoices.Select(Head));
        return this;
    }

    /// <summary>
    /// One invoice, counted from 1, and its lines: <c>base desk-1 04-01..05-01: 10.00</c> or
    /// <c>usage desk 03-01..04-01: 5 -> 0.625 ~ 0.62</c>, where the exact amount stands before the rounded one if they differ.
    /// </summary>
    public Example Invoice(int place, string expected, params string[] lines)
    {
        var invoice = Account.Invoices[place - 1];
        AddsUp(invoice);
        Assert.Equal([expected, .. lines], [Head(invoice), .. invoice.Lines.Select(l => Text(l, invoice.Currency))]);
        return this;
    }

    /// <summary>The usage lines and adjustments of one invoice alone.</summary>
    public Example Usage(int place, params string[] lines)
    {
        var invoice = Account.Invoices[place - 1];
        AddsUp(invoice);
        Assert.Equal(lines, invoice.Lines.Where(l => l.Meter is not null).Select(l => Text(l, invoice.Currency)));
        return this;
    }

    /// <summary>The arithmetic of one line: <c>50 x 0.405 = 20.25</c>.</summary>
    public Example Steps(int place, int line, params string[] expected)
    {
        var invoice = Account.Invoices[place - 1];
        Assert.Equal(expected, invoice.Lines[line - 1].Arithmetic.Select(s => $"{s.Quantity} x {s.UnitPrice} = {Major(Scaled(s.Amount), invoice.Currency)}"));
        return this;
    }

    /// <summary>When the invoice was drafted and became final.</summary>
    public Example Dated(int place, string drafted, string finalized)
    {
        var invoice = Account.Invoices[place - 1];
        Assert.Equal((Instant(drafted), Instant(finalized)), (invoice.DraftedAt, invoice.FinalizedAt!.Value));
        return this;
    }

    /// <summary>The account credit.</summary>
    public Example Credit(string expected)
    {
        Assert.Equal(expected, Major(Account.State.Balance * One, Account.State.Profile!.Currency));
        return this;
    }

    /// <summary>Runs a row of a table whose first column names it.</summary>
    public static void Row(string what, Action example)
    {
        var failure = Record.Exception(example);
        Assert.True(failure is null, $"{what}: {failure?.Message}");
    }

    public static DateTimeOffset Instant(string text) => DateTimeOffset.ParseExact(
        text[2] == '-' ? $"2026-{text}" : text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    /// <summary>How many places the minor unit of a currency has.</summary>
    public static int Places(string currency) => currency switch { "USD" => 2, "JPY" => 0, "KWD" => 3, _ => throw new ArgumentOutOfRangeException(nameof(currency), currency, null) };

    private void Receive(AccountRun.Event received)
    {
        if (received.Time > Account.Now) Account.At(received.Time);
        _receipt = Account.SendOne(received);
    }

    private static string Head(InvoiceView invoice)
    {
        var status = JsonSerializer.Serialize(invoice.Status).Trim('"');
        return $"{(invoice.Number is { } number ? $"{number} " : "")}{status} {Text(invoice.Period)} {Major(invoice.Total * One, invoice.Currency)} {invoice.Currency}";
    }

    private static string Text(InvoiceLine line, string currency)
    {
        var kind = JsonSerializer.Serialize(line.Kind).Trim('"');
        var exact = Exact(line.Arithmetic);
        var rounded = exact == line.Amount * One ? "" : $"{Major(exact, currency)} ~ ";
        var amount = $"{rounded}{Major(line.Amount * One, currency)}";
        var units = line.Meter is null ? "" : $"{line.Quantity} -> ";
        return line.Kind == InvoiceLineKind.Credit ? $"credit {amount}" : $"{kind} {line.Meter ?? line.Plan} {Text(line.Period)}: {units}{amount}";
    }

    private static string Text(BillingPeriod period) => $"{Text(period.Start)}..{Text(period.End)}";

    private static string Text(DateTimeOffset instant) => instant.ToString(
        (instant.Year == 2026 ? "MM-dd" : "yyyy-MM-dd") + (instant.TimeOfDay == TimeSpan.Zero ? "" : instant.Second == 0 ? " HH:mm" : " HH:mm:ss"),
        CultureInfo.InvariantCulture);

    private static void AddsUp(InvoiceView invoice)
    {
        Assert.Equal(invoice.Total, invoice.Lines.Sum(l => l.Amount));
        foreach (var line in invoice.Lines)
        {
            foreach (var step in line.Arithmetic)
            {
                // A part of an allowance may have no decimal end: it is then shown to 12 places.
                var off = BigInteger.Abs((Scaled(step.Quantity) * Scaled(step.UnitPrice) / One * BigInteger.Pow(10, Places(invoice.Currency))) - Scaled(step.Amount));
                Assert.True(off < One / BigInteger.Pow(10, 9), $"{step} is not the product.");
            }

            Assert.Equal(line.Amount, HalfToEven.Of(Exact(line.Arithmetic), One));
        }
    }

    /// <summary>The exact sum of steps, in minor units of 10^-40.</summary>
    private static BigInteger Exact(IEnumerable<ArithmeticStep> steps) => steps.Aggregate(BigInteger.Zero, (sum, step) => sum + Scaled(step.Amount));

    private static BigInteger Scaled(string number)
    {
        var digits = number.TrimStart('-').Split('.');
        var places = digits.Length > 1 ? digits[1] : "";
        var scaled = BigInteger.Parse(digits[0] + places.PadRight(Scale, '0'), CultureInfo.InvariantCulture);
        return number[0] == '-' ? -scaled : scaled;
    }

    /// <summary>Minor units of 10^-40 in major units, with all their places and at least those of the currency.</summary>
    private static string Major(BigInteger scaledMinor, string currency)
    {
        var places = Places(currency);
        var digits = BigInteger.Abs(scaledMinor).ToString(CultureInfo.InvariantCulture).PadLeft(Scale + places + 1, '0');
        var fraction = digits[^(Scale + places)..].TrimEnd('0').PadRight(places, '0');
        return $"{(scaledMinor.Sign < 0 ? "-" : "")}{digits[..^(Scale + places)]}{(fraction.Length > 0 ? $".{fraction}" : "")}";
    }
}
