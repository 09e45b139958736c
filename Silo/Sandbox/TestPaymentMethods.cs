namespace Billing.Silo.Sandbox;

/// <summary>How a charge is declined: Stripe's error code, the issuer's decline code if there is one, and what the customer is told.</summary>
internal sealed record Decline(string Code, string? DeclineCode, string Message);

/// <summary>What one of Stripe's test payment methods does.</summary>
internal sealed record TestPaymentMethod(string Type = "card")
{
    public string Brand { get; init; } = "visa";

    public string Last4 { get; init; } = "4242";

    public string Funding { get; init; } = "credit";

    /// <summary>How its charges end; null when they succeed.</summary>
    public Decline? Declines { get; init; }

    /// <summary>Whether it is declined when it is attached to a customer already, as all declining cards are but one.</summary>
    public bool DeclinesAtAttach { get; init; }

    /// <summary>Whether each payment waits for the customer's authentication.</summary>
    public bool RequiresAction { get; init; }

    /// <summary>Whether a charge that succeeds is disputed at once.</summary>
    public bool IsDisputed { get; init; }

    /// <summary>Whether that dispute is an inquiry, which takes no money.</summary>
    public bool IsInquiry { get; init; }

    /// <summary>Whether payments are under way for days before they end.</summary>
    public bool IsDebit => Type == "us_bank_account";
}

/// <summary>Stripe's test payment methods by their tokens. Other names of the form <c>pm_card_…</c> are not known.</summary>
internal static class TestPaymentMethods
{
    private static readonly Decline Generic = new("card_declined", "generic_decline", "Your card was declined.");
    private static readonly Decline Funds = new("card_declined", "insufficient_funds", "Your card has insufficient funds.");
    private static readonly Decline Lost = new("card_declined", "lost_card", "Your card was declined.");
    private static readonly Decline Stolen = new("card_declined", "stolen_card", "Your card was declined.");
    private static readonly Decline Velocity = new("card_declined", "card_velocity_exceeded", "Your card was declined: it was used too often, or for too much.");
    private static readonly Decline Fraudulent = new("card_declined", "fraudulent", "Your card was declined.");
    private static readonly Decline Expired = new("expired_card", null, "Your card has expired.");
    private static readonly Decline Cvc = new("incorrect_cvc", null, "Your card's security code is incorrect.");
    private static readonly Decline Processing = new("processing_error", null, "The card could not be processed just now.");

    private static readonly Dictionary<string, TestPaymentMethod> ByToken = new(StringComparer.Ordinal)
    {
        ["pm_card_visa"] = new(),
        ["pm_card_visa_debit"] = new() { Last4 = "5556", Funding = "debit" },
        ["pm_card_mastercard"] = new() { Brand = "mastercard", Last4 = "4444" },
        ["pm_card_mastercard_debit"] = new() { Brand = "mastercard", Last4 = "8210", Funding = "debit" },
        ["pm_card_mastercard_prepaid"] = new() { Brand = "mastercard", Last4 = "5100", Funding = "prepaid" },
        ["pm_card_amex"] = new() { Brand = "amex", Last4 = "8431" },
        ["pm_card_discover"] = new() { Brand = "discover", Last4 = "1117" },
        ["pm_card_diners"] = new() { Brand = "diners", Last4 = "0004" },
        ["pm_card_jcb"] = new() { Brand = "jcb", Last4 = "0505" },
        ["pm_card_unionpay"] = new() { Brand = "unionpay", Last4 = "0005" },
        ["pm_card_chargeCustomerFail"] = new() { Last4 = "0341", Declines = Generic },
        ["pm_card_chargeDeclined"] = Declining("0002", Generic),
        ["pm_card_chargeDeclinedInsufficientFunds"] = Declining("9995", Funds),
        ["pm_card_chargeDeclinedLostCard"] = Declining("9987", Lost),
        ["pm_card_chargeDeclinedStolenCard"] = Declining("9979", Stolen),
        ["pm_card_chargeDeclinedVelocityLimitExceeded"] = Declining("6975", Velocity),
        ["pm_card_chargeDeclinedExpiredCard"] = Declining("0069", Expired),
        ["pm_card_chargeDeclinedIncorrectCvc"] = Declining("0127", Cvc),
        ["pm_card_chargeDeclinedProcessingError"] = Declining("0119", Processing),
        ["pm_card_chargeDeclinedFraudulent"] = Declining("0019", Fraudulent),
        ["pm_card_radarBlock"] = new() { Last4 = "0019", Declines = Fraudulent },
        ["pm_card_authenticationRequired"] = new() { Last4 = "3184", RequiresAction = true },
        ["pm_card_createDispute"] = new() { Last4 = "0259", IsDisputed = true },
        ["pm_card_createDisputeInquiry"] = new() { Last4 = "1976", IsDisputed = true, IsInquiry = true },
        ["pm_usBankAccount"] = Debit(null),
        ["pm_usBankAccount_success"] = Debit(null),
        ["pm_usBankAccount_insufficientFunds"] = Debit(new("insufficient_funds", null, "The bank account does not hold enough for this payment.")),
        ["pm_usBankAccount_accountClosed"] = Debit(new("account_closed", null, "The bank account is closed.")),
        ["pm_usBankAccount_noAccount"] = Debit(new("no_account", null, "The bank knows no such account.")),
        ["pm_usBankAccount_debitNotAuthorized"] = Debit(new("debit_not_authorized", null, "The holder of the account did not authorise this debit.")),
    };

    /// <summary>What a token stands for; null when it is none. Stripe takes <c>pm_card_visa_chargeDeclined…</c> for the same as without the brand.</summary>
    public static TestPaymentMethod? Find(string token) =>
        ByToken.GetValueOrDefault(token) ?? ByToken.GetValueOrDefault(token.Replace("pm_card_visa_charge", "pm_card_charge", StringComparison.Ordinal));

    private static TestPaymentMethod Declining(string last4, Decline decline) => new() { Last4 = last4, Declines = decline, DeclinesAtAttach = true };

    private static TestPaymentMethod Debit(Decline? decline) => new("us_bank_account") { Brand = "", Last4 = "6789", Declines = decline };
}
