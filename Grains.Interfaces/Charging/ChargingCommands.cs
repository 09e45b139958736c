using Orleans;

namespace Billing.Charging;

/// <summary>Lets parked charges of an account go on, and notes what went back at Stripe as seen.</summary>
/// <param name="Reason">Why, in words; 1 to 500 characters.</param>
/// <param name="DryRun">Whether only to say what would change.</param>
/// <param name="CommandId">Names this command, so that a retry after a lost answer gets the first answer; null for none.</param>
[GenerateSerializer, Immutable, Alias("billing.release-charges")]
public sealed record ReleaseCharges([property: Id(0)] string? Reason, [property: Id(1)] bool DryRun, [property: Id(2)] string? CommandId);

/// <summary>Gives an account another payment method. Declined charges are tried again with it at once.</summary>
/// <param name="PaymentMethod">Its id at Stripe; 1 to 255 characters.</param>
/// <param name="Reason">Why, in words; 1 to 500 characters.</param>
/// <param name="DryRun">Whether only to say what would change.</param>
/// <param name="CommandId">Names this command, so that a retry after a lost answer gets the first answer; null for none.</param>
[GenerateSerializer, Immutable, Alias("billing.change-payment-method")]
public sealed record ChangePaymentMethod(
    [property: Id(0)] string? PaymentMethod, [property: Id(1)] string? Reason, [property: Id(2)] bool DryRun, [property: Id(3)] string? CommandId);
