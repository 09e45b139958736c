using System.Globalization;
using Billing.Accounts;
using Billing.Charging;
using Billing.Invoices;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Charging;

/// <summary>What is out of the ordinary waits for a person before anything of it is sent.</summary>
public sealed class CircuitBreakersTests
{
    // "Over 10 x the median of the last 6 paid invoices above zero, from the fourth such invoice on, and only above 1,000.00."
    [Theory]
    [InlineData(100_001, false, "10000 10000")] // the third invoice
    [InlineData(100_001, true, "10000 10000 10000")] // 1,000.01 over 10 x 100.00
    [InlineData(100_000, false, "10000 10000 10000")] // 1,000.00 is 10 x 100.00
    [InlineData(99_999, false, "100 100 100")] // below 1,000.00
    [InlineData(150_001, true, "10000 10000 20000 20000")] // the median of an even number is the middle of two: 150.00
    [InlineData(150_000, false, "10000 10000 20000 20000")]
    [InlineData(150_000, true, "99000000 10000 10000 10000 10000 10000 10000")] // the last six only
    public void ATotalFarAboveTheMedian_Waits(long total, bool waits, string paid)
    {
        var earlier = paid.Split(' ').Select((t, i) => Invoice(i + 1, long.Parse(t, CultureInfo.InvariantCulture))).ToList();

        Assert.Equal(waits ? ParkReason.UnusualTotal : null, Trip(Invoice(earlier.Count + 1, total), earlier));
    }

    [Fact]
    public void InvoicesThatAreNotPaidOrZero_AreNotInTheMedian()
    {
        var earlier = new[] { Invoice(1, 10_000), Invoice(2, 0), Invoice(3, 10_000), Invoice(4, -500) };

        Assert.Null(Trip(Invoice(5, 900_000), earlier));
        Assert.Null(CircuitBreakers.Trip(Invoice(4, 900_000), [Invoice(1, 10_000), Invoice(2, 10_000), Invoice(3, 10_000)], i => i.Number != 2));
    }

    [Fact]
    public void UpgradeLines_AreLeftOut()
    {
        var invoice = Invoice(4, 900_000, InvoiceLineKind.Upgrade);

        Assert.Null(Trip(invoice, [Invoice(1, 10_000), Invoice(2, 10_000), Invoice(3, 10_000)]));
    }

    [Fact]
    public void TheEleventhInvoiceOfADay_Waits()
    {
        var ten = Enumerable.Range(1, 10).Select(n => Invoice(n, 100, at: Anchor.AddHours(n))).ToList();

        Assert.Equal(ParkReason.TooManyInvoices, Trip(Invoice(11, 100, at: Anchor.AddHours(24)), ten));
        Assert.Null(Trip(Invoice(11, 100, at: Anchor.AddHours(25)), ten));
        Assert.Null(Trip(Invoice(10, 100, at: Anchor.AddHours(24)), ten.Take(9)));
    }

    [Fact]
    public void ATotalThatIsNotTheSumOfItsLines_Waits() =>
        Assert.Equal(ParkReason.TotalDiffersFromLines, Trip(Invoice(1, 100) with { Total = 101 }, []));

    // The account's charges wait, all of them; counting and invoicing go on; a person releases them.
    [Fact]
    public void AChargeThatWaits_HoldsAllChargesUntilReleased()
    {
        var desk = new ChargeDesk();
        for (var month = 1; month <= 3; month++) desk.At(Anchor.AddMonths(month).AddDays(4));
        desk.Account.Send([.. Enumerable.Range(0, 9_000).Select(i => Event.Message($"m{i}", desk.Account.Now, $"{i}"))]);

        desk.At(Anchor.AddMonths(6).AddDays(4));

        var parked = desk.Account.Charges.Where(c => c.State == ChargeState.Parked).ToList();
        Assert.Equal([5, 6, 7], parked.Select(c => c.Invoice));
        Assert.Contains("median", parked[0].Evidence);
        Assert.Equal(3, AccountViews.Account(desk.Account.State, desk.Account.Now).Holds.Length);
        Assert.DoesNotContain(desk.Calls, c => c.Number > 4);

        Assert.Null(desk.Account.Release(dryRun: true).Refusal);
        Assert.Null(desk.Account.NextCall());
        Assert.Null(desk.Account.Release().Refusal);
        desk.Run();
        Assert.All(desk.Account.Charges, c => Assert.Equal(ChargeState.Settled, c.State));
    }

    private static ParkReason? Trip(InvoiceView invoice, IEnumerable<InvoiceView> earlier) =>
        CircuitBreakers.Trip(invoice, [.. earlier], _ => true)?.Reason;

    private static InvoiceView Invoice(int number, long total, InvoiceLineKind kind = InvoiceLineKind.Base, DateTimeOffset? at = null)
    {
        var finalized = at ?? Anchor.AddMonths(number);
        var period = new BillingPeriod(finalized, finalized.AddMonths(1));
        var line = new InvoiceLine(1, kind, "desk", "desk-1", "v1", null, period, Quantity.One, total, [], 0);
        return new(number, InvoiceStatus.Finalized, "USD", total, period, finalized, finalized, null, [line]);
    }
}
