using System.Text.RegularExpressions;

namespace Billing.Tests.Support;

/// <summary>
/// What runs that were disturbed show but for whether and when an invoice was paid: a charge that a kill left unknown is looked up first, and so
/// settles later.
/// </summary>
internal static partial class PaymentText
{
    public static string Without(string shown) => Payment().Replace(Settlement().Replace(shown, ""), "").Replace(",]", "]", StringComparison.Ordinal);

    // The entry of a ledger that says so.
    [GeneratedRegex("""\{"n":\d+,"at":"[^"]*","kind":"charge_settled".*?\],"text":"[^"]*"\},?""")]
    private static partial Regex Settlement();

    // The status and the time on an invoice; in a ledger what is owed, what is cash, and the numbers of the entries behind.
    [GeneratedRegex("""(?<="status":")(paid|finalized)|"paid_at":"[^"]*",?|(?<="(receivable|cash)":)-?\d+|(?<=\{)"n":\d+,(?="at")""")]
    private static partial Regex Payment();
}
