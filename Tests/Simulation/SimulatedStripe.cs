using System.Net;
using System.Text;
using System.Text.Json;
using Billing.Silo.Charging;
using Billing.Silo.Sandbox;
using Billing.Silo.Storage;
using Billing.Silo.Stripe;
using StripeCall = Billing.Charging.StripeCall;

namespace Billing.Tests.Simulation;

/// <summary>
/// Stripe in a world: the sandbox, which never dies, and the way to it, on which requests and answers take their time and get lost. The silos
/// call it with the client that calls Stripe.
/// </summary>
internal sealed class SimulatedStripe(World world, Process outside, int seed, PlantedFault fault)
{
    public static readonly string[] Faults =
    [
        FaultKinds.ResponseLost, FaultKinds.Error500Saved, FaultKinds.Error500RolledForward, FaultKinds.RateLimited, FaultKinds.Conflict409, FaultKinds.Slow,
        FaultKinds.WebhookLost, FaultKinds.WebhookLate, FaultKinds.WebhookDoubled, FaultKinds.WebhookReordered,
    ];

    // What the bank says to a payment that it declines: in half of them the same payment method is not tried again.
    private static readonly string[] Declining =
    [
        "pm_card_chargeDeclinedInsufficientFunds", "pm_card_chargeDeclinedProcessingError", "pm_card_chargeDeclined",
        "pm_card_chargeDeclinedLostCard", "pm_card_chargeDeclinedExpiredCard", "pm_card_chargeDeclinedFraudulent",
    ];

    private static readonly StripeOptions Options = new() { SecretKey = "sk_test_world", BaseAddress = new("http://stripe.invalid") };

    private readonly Dictionary<string, string?> _declined = new(StringComparer.Ordinal);
    private PlantedAtStripe? _planted;

    public StripeSandbox Sandbox { get; } = new(new MemorySandboxStore(), (ulong)seed);

    /// <summary>Of a hundred requests and of a hundred answers, so many get lost on the way.</summary>
    public int LostPercent { get; set; }

    /// <summary>Of a hundred attempts to pay, so many are declined by the bank, whatever the payment method.</summary>
    public int DeclinedPercent { get; set; }

    /// <summary>Called when a request was served: something may be due to be told.</summary>
    public Action? Served { get; set; }

    /// <summary>Puts faults into what Stripe answers from now on.</summary>
    public void Trouble(string[] kinds, double probability, long faultSeed) => Sandbox.SetFaults(kinds, probability, faultSeed);

    /// <summary>A silo has taken an event that shows an invoice as it was when the event was made.</summary>
    public void Told(StripeEvent told, JsonElement invoice) => _planted?.Told(told, invoice);

    /// <summary>Carries out the calls of accounts for a silo.</summary>
    public ICarryOut For(Process silo)
    {
        var calls = new Calls(new(new StripeClient(Options, new Way(this, silo), silo.Time, new Watched<StripeClient>(world))));
        return fault < PlantedFault.NewKeyAfterUnknown ? calls : (_planted ??= new(world, Sandbox, fault)).In(calls);
    }

    private async Task<HttpResponseMessage> Send(Process silo, SandboxRequest request)
    {
        world.OnEffect?.Invoke($"{silo.Name}: {request.Method} {request.Path}, key {request.IdempotencyKey}");
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        if (GetsLost()) Lose(silo, answer);
        else world.After(outside, world.Latency(), () => Serve(silo, request, answer));
        return await answer.Task;
    }

    private void Serve(Process silo, SandboxRequest request, TaskCompletionSource<HttpResponseMessage> answer)
    {
        var decline = DeclineOf(request);
        var response = Sandbox.Handle(decline is null ? request : request with { Body = $"payment_method={decline}" }, new(world.Now, TimeSpan.Zero));
        world.Trace.Add(response.Status, response.Body.Length);
        if (response.Fault is { } fault) world.Trace.Count($"stripe {fault}");
        Served?.Invoke();
        world.OnEffect?.Invoke($"Stripe: {request.Method} {request.Path} is answered with {response.Status}{(response.Fault is null ? "" : $", {response.Fault}")}");
        if (response.ConnectionLost || GetsLost())
        {
            Lose(silo, answer);
            return;
        }

        world.After(silo, world.Latency() + response.Delay.Ticks, () =>
        {
            var message = new HttpResponseMessage((HttpStatusCode)response.Status) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(response.Body)) };
            foreach (var (name, value) in response.Headers) message.Headers.TryAddWithoutValidation(name, value);
            answer.SetResult(message);
        });
    }

    private bool GetsLost() => world.Chance(LostPercent);

    // What is sent again under its key meets the same bank.
    private string? DeclineOf(SandboxRequest request)
    {
        if (AttemptOf(request) is not { } key) return null;
        if (!_declined.TryGetValue(key, out var decline)) _declined[key] = decline = world.Chance(DeclinedPercent) ? world.Of(Declining) : null;
        return decline;
    }

    private static string? AttemptOf(SandboxRequest request) =>
        request.IdempotencyKey is { } key && key.LastIndexOf("/pay/", StringComparison.Ordinal) is > 0 and var at && key[(at + "/pay/".Length)..].All(char.IsAsciiDigit) ? key : null;

    private void Lose(Process silo, TaskCompletionSource<HttpResponseMessage> answer) =>
        world.After(silo, world.Latency(), () => answer.SetException(new HttpRequestException(HttpRequestError.ResponseEnded, "The connection broke.")));

    private sealed class Calls(StripeCalls calls) : ICarryOut
    {
        public Task<Billing.Charging.StripeAnswer> CarryOut(StripeCall call, CancellationToken cancellation) => calls.CarryOut(call, cancellation);
    }

    private sealed class Way(SimulatedStripe stripe, Process silo) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => await stripe.Send(
            silo,
            new(
                request.Method.Method,
                request.RequestUri!.AbsolutePath,
                request.RequestUri.Query.TrimStart('?'),
                request.Headers.Authorization?.ToString(),
                Header(request, "Idempotency-Key"),
                Header(request, "Stripe-Version"),
                request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken)));

        private static string? Header(HttpRequestMessage request, string name) => request.Headers.TryGetValues(name, out var values) ? values.Single() : null;
    }
}
