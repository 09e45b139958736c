using System.Text.Json.Serialization;
using Orleans;

namespace Billing.Charging;

/// <summary>A charge that is not on its way to being settled: declined, unknown or parked.</summary>
/// <param name="Invoice">The number of the invoice.</param>
/// <param name="Amount">In minor units.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Verdict">Whether what Stripe has is shown to be what the invoice asks for.</param>
/// <param name="NextAt">When something is sent next; left out when nothing is to be sent.</param>
/// <param name="Evidence">Why it waits or what is amiss, in words; left out when nothing is.</param>
[GenerateSerializer, Immutable, Alias("billing.open-charge")]
public sealed record OpenCharge(
    [property: Id(0)] int Invoice,
    [property: Id(1)] long Amount,
    [property: Id(2)] ChargeState State,
    [property: Id(3)] ChargeVerdict Verdict,
    [property: Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? NextAt,
    [property: Id(5), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Evidence);
