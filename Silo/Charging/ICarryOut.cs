using Billing.Charging;

namespace Billing.Silo.Charging;

/// <summary>Carries out one call to Stripe.</summary>
internal interface ICarryOut
{
    /// <summary>Carries it out and says what came of it. What Stripe answers is never thrown.</summary>
    Task<StripeAnswer> CarryOut(StripeCall call, CancellationToken cancellation);
}
