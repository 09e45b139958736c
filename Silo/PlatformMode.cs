namespace Billing.Silo;

/// <summary>Whether the platform charges through Stripe itself or through its own sandbox.</summary>
/// <param name="Sandbox">True without a Stripe key: the billing clock can be moved by hand.</param>
internal sealed record PlatformMode(bool Sandbox);
