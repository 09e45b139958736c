namespace Billing.Tests.Mail;

/// <summary>The prices of the plan <c>mail-flat</c>, written out by hand from the mail catalogue. Amounts in US cents.</summary>
internal static class MailPrices
{
    public const long BaseFee = 25_00;

    /// <summary>The amount in cents for a period's whole quantity, rounded once, half to even.</summary>
    public static long Amount(string meter, decimal quantity)
    {
        var dollars = meter == MailOracle.Tickets ? Tickets(quantity) : Bytes(quantity);
        return (long)Math.Round(dollars * 100, MidpointRounding.ToEven);
    }

    // 30 included; then 4.50 for every started ten.
    private static decimal Tickets(decimal quantity) => decimal.Ceiling(Over(quantity, 30) / 10) * 4.50m;

    // 100,000 included; then all of the rest at the price of the tier it falls in: up to a million, the million itself included.
    private static decimal Bytes(decimal quantity)
    {
        var over = Over(quantity, 100_000);
        return over * (over <= 1_000_000 ? 0.00000150m : 0.00000095m);
    }

    private static decimal Over(decimal quantity, decimal included) => Math.Max(0, quantity - included);
}
