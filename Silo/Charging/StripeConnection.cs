using Billing.Charging;
using Billing.Silo.Sandbox;
using Billing.Silo.Stripe;
using StripeCall = Billing.Charging.StripeCall;

namespace Billing.Silo.Charging;

/// <summary>The Stripe that the settings name. The own sandbox has its address once it listens, so the client is made at the first call.</summary>
internal sealed class StripeConnection : ICarryOut, IDisposable
{
    private readonly Lazy<StripeClient> _client;

    public StripeConnection(StripeOptions options, IServiceProvider services, TimeProvider time, ILogger<StripeClient> log) => _client = new(() =>
    {
        var target = services.GetService<SandboxServer>() is { } sandbox ? options.At(sandbox.Address) : options;
        return new(target, StripeClient.OverNetwork(target), time, log);
    });

    /// <summary>The client, for reads that no account asked for.</summary>
    public StripeClient Client => _client.Value;

    /// <inheritdoc/>
    public Task<StripeAnswer> CarryOut(StripeCall call, CancellationToken cancellation) => new StripeCalls(_client.Value).CarryOut(call, cancellation);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_client.IsValueCreated) _client.Value.Dispose();
    }
}
