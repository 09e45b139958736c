namespace Billing.Tests.Mail;

/// <summary>
/// What the billing rules say of a run under the mail catalogue: the outcome of each line, the usage, the invoices. It shares no code
/// with the product and keeps no running state: each figure is worked out anew from all accepted events.
/// </summary>
internal sealed class MailOracle
{
    public const string Tickets = "helpdesk.tickets";
    public const string Bytes = "mail.bytes";

    public static readonly string[] Meters = [Tickets, Bytes];

    private static readonly TimeSpan Window = TimeSpan.FromDays(35);
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Grace = TimeSpan.FromHours(72);
    private static readonly TimeSpan SessionGap = TimeSpan.FromDays(10);

    private readonly DateTimeOffset anchor;
    private readonly DateTimeOffset end;
    private readonly Dictionary<string, List<MailEvent>> acceptedOf;

    /// <param name="anchor">When all accounts were made, and so the start of every first period.</param>
    /// <param name="accounts">The accounts.</param>
    /// <param name="fed">The lines in feeding order, each with the clock at which it was fed.</param>
    /// <param name="end">Where the clock stands at the end.</param>
    public MailOracle(DateTimeOffset anchor, IEnumerable<string> accounts, IEnumerable<FedLine> fed, DateTimeOffset end)
    {
        this.anchor = anchor;
        this.end = end;
        acceptedOf = accounts.ToDictionary(account => account, _ => new List<MailEvent>());
        var firsts = new Dictionary<(string, string, string), MailEvent>();
        Verdicts = fed.Select(line => Judge(line, firsts)).ToList();
    }

    /// <summary>What became of each line, in feeding order.</summary>
    public IReadOnlyList<Verdict> Verdicts { get; }

    /// <summary>How many lines had each outcome.</summary>
    public int Count(string outcome) => Verdicts.Count(verdict => verdict.Outcome == outcome);

    /// <summary>Period <paramref name="index"/>, from 0. Counted from the anchor, so that a clamped month end does not stick.</summary>
    public OraclePeriod Period(int index) => new(anchor.AddMonths(index), anchor.AddMonths(index + 1));

    /// <summary>All periods that have begun when the run ends.</summary>
    public IEnumerable<OraclePeriod> Periods() => Enumerable.Range(0, int.MaxValue).Select(Period).TakeWhile(period => period.Start <= end);

    /// <summary>A meter's quantity in a period, of the events fed before an instant (all of them when null).</summary>
    public decimal Usage(string account, string meter, OraclePeriod period, DateTimeOffset? fedBefore = null)
    {
        var counted = Counted(account, fedBefore);
        return meter == Tickets
            ? counted.Where(e => e.IsOutbound)
                .GroupBy(e => e.Ticket)
                .Sum(ticket => SessionStarts(ticket.Select(e => e.Time)).Count(period.Contains))
            : counted.Where(e => e.IsMessage && period.Contains(e.Time)).Sum(e => e.Bytes!.Value);
    }

    /// <summary>The accepted events of a period that matched a meter, also those that a session did not count again.</summary>
    public int EventCount(string account, string meter, OraclePeriod period, DateTimeOffset? fedBefore = null) =>
        Counted(account, fedBefore).Count(e => period.Contains(e.Time) && (meter == Tickets ? e.IsOutbound : e.IsMessage));

    /// <summary>The invoices finalised by the end of the run, in order.</summary>
    public IReadOnlyList<OracleInvoice> Invoices(string account)
    {
        var invoices = new List<OracleInvoice> { new(Period(0), anchor, anchor, [Base(Period(0))]) };
        for (var index = 1; Period(index).Start + Grace <= end; index++)
        {
            var period = Period(index);
            var finalized = period.Start + Grace;
            var lines = new List<OracleLine> { Base(period) };
            foreach (var meter in Meters)
            {
                lines.Add(UsageLine(account, meter, Period(index - 1), finalized));
                lines.AddRange(
                    from closed in Enumerable.Range(0, index - 1).Select(Period)
                    let earlier = invoices.SelectMany(invoice => invoice.Lines).Where(line => line.Meter == meter && line.Period == closed)
                    let billed = earlier.Sum(line => line.Amount)
                    let owed = MailPrices.Amount(meter, Usage(account, meter, closed, finalized))
                    where owed != billed
                    select new OracleLine("adjustment", closed, meter, null, owed - billed, null));
            }

            invoices.Add(new(period, period.Start, finalized, lines));
        }

        return invoices;
    }

    /// <summary>The closed periods whose final usage is not what their own invoice line says.</summary>
    public IEnumerable<AdjustedPeriod> AdjustedPeriods(string account) =>
        from invoice in Invoices(account)
        from line in invoice.Lines
        where line.Kind == "usage"
        let final = Usage(account, line.Meter!, line.Period)
        where final != line.Quantity
        select new AdjustedPeriod(account, line.Meter!, line.Period, line.Quantity!.Value, final);

    /// <summary>The first instants of the sessions that events at these times make: a pause of more than ten days ends one.</summary>
    public static IReadOnlyList<DateTimeOffset> SessionStarts(IEnumerable<DateTimeOffset> times)
    {
        var sorted = times.Order().ToList();
        return sorted.Where((time, at) => at == 0 || time - sorted[at - 1] > SessionGap).ToList();
    }

    private Verdict Judge(FedLine line, Dictionary<(string, string, string), MailEvent> firsts)
    {
        if (MailEvent.Read(line) is not { } read)
            return Verdict.Rejected;

        if (!acceptedOf.ContainsKey(read.Account) || read.Time < line.Clock - Window || read.Time > line.Clock + Ahead)
            return Verdict.Quarantined;

        if (firsts.TryGetValue(read.Key, out var first))
            return first.SameContentAs(read) ? Verdict.Duplicate : Verdict.Conflict;

        if ((read.IsOutbound && read.Ticket is null) || (read.IsMessage && read.Bytes is null))
            return Verdict.Rejected;

        firsts.Add(read.Key, read);
        acceptedOf[read.Account].Add(read);
        return new("accepted", NoSubscription: read.Time < anchor);
    }

    private List<MailEvent> Counted(string account, DateTimeOffset? fedBefore) =>
        acceptedOf[account].Where(e => e.Time >= anchor && (fedBefore is null || e.Clock < fedBefore)).ToList();

    private OracleLine UsageLine(string account, string meter, OraclePeriod period, DateTimeOffset finalized)
    {
        var quantity = Usage(account, meter, period, finalized);
        return new("usage", period, meter, quantity, MailPrices.Amount(meter, quantity), EventCount(account, meter, period, finalized));
    }

    private static OracleLine Base(OraclePeriod period) => new("base", period, null, null, MailPrices.BaseFee, null);
}

/// <summary>A period; the end is not in it.</summary>
internal readonly record struct OraclePeriod(DateTimeOffset Start, DateTimeOffset End)
{
    public bool Contains(DateTimeOffset time) => Start <= time && time < End;
}

/// <summary>An invoice line; a null stands for what the rules do not fix.</summary>
/// <param name="Kind"><c>base</c>, <c>usage</c> or <c>adjustment</c>.</param>
/// <param name="Period">The period that the line is about.</param>
/// <param name="Meter">The meter; null for a base fee.</param>
/// <param name="Quantity">The quantity billed.</param>
/// <param name="Amount">In cents.</param>
/// <param name="EventCount">The matching events of the period.</param>
internal sealed record OracleLine(string Kind, OraclePeriod Period, string? Meter, decimal? Quantity, long Amount, int? EventCount);

/// <summary>A finalised invoice.</summary>
internal sealed record OracleInvoice(
    OraclePeriod Period, DateTimeOffset DraftedAt, DateTimeOffset FinalizedAt, IReadOnlyList<OracleLine> Lines)
{
    /// <summary>In cents.</summary>
    public long Total => Lines.Sum(line => line.Amount);
}

/// <summary>A period whose usage changed after it was billed: the quantity on its own invoice, and the final one.</summary>
internal sealed record AdjustedPeriod(string Account, string Meter, OraclePeriod Period, decimal Billed, decimal Final);
