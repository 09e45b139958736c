using System.Diagnostics.Metrics;

namespace Billing.Silo.Charging;

/// <summary>Counts the webhooks of Stripe that came, by what became of them.</summary>
internal sealed class WebhookCounts(IMeterFactory meters)
{
    /// <summary>The meter of the platform.</summary>
    public const string Meter = "billing";

    /// <summary>The counter.</summary>
    public const string Webhooks = "billing.stripe.webhooks";

    /// <summary>The tag that says what became of one.</summary>
    public const string Outcome = "outcome";

    private readonly Counter<long> _webhooks = meters.Create(Meter).CreateCounter<long>(Webhooks, description: "Webhooks of Stripe that came.");

    /// <summary>Counts one.</summary>
    public void Add(string outcome) => _webhooks.Add(1, new KeyValuePair<string, object?>(Outcome, outcome));
}
