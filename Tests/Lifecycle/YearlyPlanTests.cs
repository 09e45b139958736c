using System.Globalization;
using Billing.Invoices;
using Billing.Tests.Accounts;
using static Billing.Tests.Lifecycle.LifeRun;

namespace Billing.Tests.Lifecycle;

/// <summary>Plans whose base price is paid once a year; allowance, overage and invoices stay monthly.</summary>
public sealed class YearlyPlanTests
{
    [Theory]
    [InlineData("2026-01-15T08:00:00Z", "2027-01-15T08:00:00Z", "2028-01-15T08:00:00Z")]
    [InlineData("2023-03-31T08:00:00Z", "2024-03-31T08:00:00Z", "2025-03-31T08:00:00Z")] // a leap year between
    [InlineData("2024-02-29T08:00:00Z", "2025-02-28T08:00:00Z", "2026-02-28T08:00:00Z")] // an anchor on a leap day
    [InlineData("2026-11-30T08:00:00Z", "2027-11-30T08:00:00Z", "2028-11-30T08:00:00Z")]
    public void TheBasePrice_IsOnEachTwelfthInvoice(params string[] years)
    {
        var starts = years.Select(y => DateTimeOffset.Parse(y, CultureInfo.InvariantCulture)).ToArray();
        var account = BegunAt(starts[0], "desk-year").At(starts[2].AddDays(-1));

        var bases = account.Invoices.Select((invoice, index) => (Index: index, Line: invoice.Lines.SingleOrDefault(l => l.Kind == InvoiceLineKind.Base)))
            .Where(i => i.Line is not null).ToList();

        Assert.Equal(24, account.Invoices.Length);
        Assert.Equal(
            [(0, 24_000L, new(starts[0], starts[1])), (12, 24_000L, new BillingPeriod(starts[1], starts[2]))],
            bases.Select(b => (b.Index, b.Line!.Amount, b.Line.Period)));
        Assert.All(account.Invoices, i => Assert.InRange(i.Period.Length, TimeSpan.FromDays(28), TimeSpan.FromDays(31)));
    }

    [Fact]
    public void AllowanceAndOverage_StayMonthly()
    {
        var account = Begun("desk-year");
        var secondEnd = new DateTimeOffset(2026, 5, 31, 12, 0, 0, TimeSpan.Zero);
        foreach (var end in new[] { AccountRun.FirstEnd, secondEnd })
            account.At(end.AddDays(-1)).Send([.. Enumerable.Range(0, 5).Select(i => AccountRun.Event.Message($"{end:MM}-{i}", end.AddDays(-1), $"{end:MM}-{i}"))]);

        account.At(secondEnd.AddDays(3));

        Assert.Equal([24_000L, 120L, 120L], account.Invoices.Select(i => i.Total)); // each month 5 − 2 included = 3 × 0.40
    }

    [Fact]
    public void AMonthlyPlanBesideIt_IsPaidEachMonth()
    {
        var account = Begun("desk-year", "voice-1").At(AccountRun.FirstEnd);

        Assert.Equal([27_100L, 3_100L], account.Invoices.Select(i => i.Total)); // 240.00 + 31.00, then 31.00
    }

    [Fact]
    public void AfterATrial_TheYearBeginsAtItsEnd()
    {
        var account = Begun("voice-trial", "files-year");
        var begin = AccountRun.Anchor.AddDays(14);

        var line = Assert.Single(account.At(begin).Invoices[0].Lines, l => l.Plan == "files-year");

        Assert.Equal((12_000L, new BillingPeriod(begin, begin.AddMonths(12))), (line.Amount, line.Period));
    }

    [Fact]
    public void AMonthWithNothingToShow_HasNoInvoice()
    {
        var account = Begun("files-year").At(AccountRun.Anchor.AddMonths(12).AddDays(3));

        Assert.Equal([(1, AccountRun.Anchor), (2, AccountRun.Anchor.AddMonths(12))], account.Invoices.Select(i => (i.Number!.Value, i.Period.Start)));
    }
}
