using System.Net;
using System.Text;
using Billing.Silo.Charging;
using Billing.Silo.Sandbox;
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
    ];

    private const string PayWithDeclined = "payment_method=pm_card_chargeDeclinedInsufficientFunds";

    private static readonly StripeOptions Options = new() { SecretKey = "sk_test_world", BaseAddress = new("http://stripe.invalid") };

    // Nothing in a world is suspended: its oracle knows of no time without periods.
    private static readonly TimeSpan CalmFrom = TimeSpan.FromDays(3);
    private static readonly TimeSpan CalmTo = TimeSpan.FromDays(10);

    private readonly Dictionary<string, bool> _declined = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _unpaid = new(StringComparer.Ordinal);
    private (string[] Kinds, double Probability, long Seed) _faults = ([], 0, 0);
    private bool _calm;
    private PlantedAtStripe? _planted;

    public StripeSandbox Sandbox { get; } = new(new MemorySandboxStore(), (ulong)seed);

    /// <summary>Of a hundred requests and of a hundred answers, so many get lost on the way.</summary>
    public int LostPercent { get; set; }

    /// <summary>Of a hundred payments, so many are declined by the bank at the first attempt.</summary>
    public int DeclinedPercent { get; set; }

    /// <summary>Puts faults into what Stripe answers from now on.</summary>
    public void Trouble(string[] kinds, double probability, long faultSeed)
    {
        _faults = (kinds, probability, faultSeed);
        Sandbox.SetFaults(kinds, probability, faultSeed);
    }

    /// <summary>Carries out the calls of accounts for a silo.</summary>
    public ICarryOut For(Process silo)
    {
        var calls = new Calls(new(new StripeClient(Options, new Way(this, silo), silo.Time, new Watched<StripeClient>(world))));
        return fault == PlantedFault.None ? calls : (_planted ??= new(world, Sandbox, fault)).In(calls);
    }

    private async Task<HttpResponseMessage> Send(Process silo, SandboxRequest request)
    {
        world.OnEffect?.Invoke($"{silo.Name}: {request.Method} {request.Path}, key {request.IdempotencyKey}");
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        Calm();
        if (GetsLost()) Lose(silo, answer);
        else world.After(outside, world.Latency(), () => Serve(silo, request, answer));
        return await answer.Task;
    }

    private void Serve(Process silo, SandboxRequest request, TaskCompletionSource<HttpResponseMessage> answer)
    {
        var response = Sandbox.Handle(IsDeclined(request) ? request with { Body = PayWithDeclined } : request, new(world.Now, TimeSpan.Zero));
        world.Trace.Add(response.Status, response.Body.Length);
        if (response.Fault is { } fault) world.Trace.Count($"stripe {fault}");
        if (request.IdempotencyKey is { } key && response.Status == 200 && key.LastIndexOf("/pay/", StringComparison.Ordinal) is > 0 and var at) _unpaid.Remove(key[..at]);
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

    private bool GetsLost() => world.Chance(LostPercent) && !_calm;

    // What is declined for a week, or not known to be paid, would suspend the account.
    private void Calm()
    {
        var calm = _unpaid.Values.Any(declined => world.Now - declined is var since && since >= CalmFrom.Ticks && since < CalmTo.Ticks);
        if (calm == _calm) return;
        _calm = calm;
        if (calm) Sandbox.SetFaults([], 0, 0);
        else Sandbox.SetFaults(_faults.Kinds, _faults.Probability, _faults.Seed);
    }

    // What is sent again under its key meets the same bank. Only the first attempt.
    private bool IsDeclined(SandboxRequest request)
    {
        if (request.IdempotencyKey is not { } key || !key.EndsWith("/pay/1", StringComparison.Ordinal)) return false;
        if (!_declined.TryGetValue(key, out var declined)) _declined[key] = declined = world.Chance(DeclinedPercent);
        if (declined) _unpaid.TryAdd(key[..^"/pay/1".Length], world.Now);
        return declined;
    }

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
