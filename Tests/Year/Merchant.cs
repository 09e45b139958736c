using Billing.Tests.Support;

namespace Billing.Tests.Year;

/// <summary>One merchant of the year: what it does and meets, and what is to be found at the end, worked out by hand from the catalogue.</summary>
/// <param name="Id">The account.</param>
/// <param name="Acts">What happens, each at its instant.</param>
/// <param name="Invoices">All of its invoices, by number.</param>
/// <param name="Ends">The account at the end of the year, as <see cref="Shown.Account"/> says it.</param>
/// <param name="Ledger">The balances at the end of the year, as <see cref="Shown.Ledger"/> says them.</param>
internal sealed record Merchant(string Id, Act[] Acts, Invoice[] Invoices, string Ends, string Ledger)
{
    /// <summary>The attempts of the charges that did not simply settle when their invoice became final, by invoice.</summary>
    public IReadOnlyDictionary<int, string> Attempts { get; init; } = new Dictionary<int, string>();

    /// <summary>The charges that Stripe declined: the amount of each attempt, in order.</summary>
    public string[] Declined { get; init; } = [];
}

/// <summary>Something that a merchant, an operator or the world does, and the answer that is expected.</summary>
/// <param name="At">The instant to which the billing clock is moved first.</param>
/// <param name="Expected">What is answered.</param>
/// <param name="Do">Does it for an account and says what was answered.</param>
internal sealed record Act(DateTimeOffset At, string Expected, Func<ApiCaller, string, Task<string>> Do);

/// <summary>An invoice in words. Amounts in major units.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Total">Its total.</param>
/// <param name="From">Start of its period.</param>
/// <param name="To">End of its period.</param>
/// <param name="Final">When it became final.</param>
/// <param name="Lines">Its lines: kind, plan, amount, and for a meter the quantity.</param>
internal sealed record Invoice(int Number, string Total, string From, string To, string Final, string Lines)
{
    public string Status { get; init; } = "paid";

    /// <summary>When it was paid, if later than it became final.</summary>
    public string? PaidLater { get; init; }
}
