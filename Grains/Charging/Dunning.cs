using System.Collections.Frozen;

namespace Billing.Charging;

/// <summary>When a declined charge is tried again, and when the account is suspended.</summary>
internal static class Dunning
{
    /// <summary>The code of a charge that there is no payment method for.</summary>
    public const string NoPaymentMethod = "no_payment_method";

    /// <summary>The code of a charge that the merchant has to confirm.</summary>
    public const string RequiresAction = "requires_action";

    /// <summary>How long after the first decline the account is suspended.</summary>
    public static readonly TimeSpan SuspendAfter = TimeSpan.FromDays(7);

    private static readonly int[] RetryDays = [1, 3, 5, 7];

    // Codes after which Stripe advises against trying the same payment method again, and those that say the method itself is no good.
    private static readonly FrozenSet<string> HardCodes = new[]
    {
        NoPaymentMethod, "card_not_supported", "currency_not_supported", "expired_card", "fraudulent", "highest_risk_level", "incorrect_number",
        "invalid_account", "lost_card", "merchant_blacklist", "pickup_card", "restricted_card", "revocation_of_all_authorizations",
        "revocation_of_authorization", "security_violation", "stolen_card", "stop_payment_order", "transaction_not_allowed",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether the same payment method is not tried again.</summary>
    public static bool IsHard(string code) => HardCodes.Contains(code);

    /// <summary>When the charge is tried again: on day 1, 3, 5 or 7 after the first decline; null when the last day is over or a retry cannot help.</summary>
    public static DateTimeOffset? NextAttempt(string code, DateTimeOffset firstDeclinedAt, DateTimeOffset now)
    {
        if (IsHard(code)) return null;
        foreach (var day in RetryDays)
            if (firstDeclinedAt.AddDays(day) is var at && at > now) return at;
        return null;
    }
}
