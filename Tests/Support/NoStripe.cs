using Billing.Charging;
using Billing.Silo.Charging;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans;

namespace Billing.Tests.Support;

/// <summary>Where no call to Stripe is expected: one fails the test.</summary>
internal sealed class NoStripe : ICarryOut
{
    public static StripeWork Work(IGrainFactory grains) => new(new NoStripe(), grains, TimeProvider.System, NullLogger<StripeWork>.Instance);

    public Task<StripeAnswer> CarryOut(StripeCall call, CancellationToken cancellation) => throw new InvalidOperationException($"Nobody expected a call {call.Kind} of {call.Account}.");
}
