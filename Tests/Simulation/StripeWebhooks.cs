using System.Text;
using System.Text.Json;
using Billing.Accounts;
using Billing.Silo.Sandbox;
using Billing.Silo.Storage;
using Billing.Silo.Stripe;

namespace Billing.Tests.Simulation;

/// <summary>
/// The webhooks of a run. They come out of the sandbox's own outbox, which loses, doubles, delays and reorders some, over a way that does so too;
/// a silo that is down, or whose answer is lost, is told again for three days. What was taken stays until the account it concerns has heard of it.
/// </summary>
internal sealed class StripeWebhooks(World world, Process outside, Network network, SimulatedStripe stripe, Func<SimulatedSilo?> anySilo)
{
    private const long FirstPause = TimeSpan.TicksPerSecond;
    private const long LongestPause = TimeSpan.TicksPerHour;

    // Those that tell of an invoice.
    private static readonly string[] Types =
    [
        "invoice.created", "invoice.updated", "invoice.finalized", "invoice.paid", "invoice.payment_failed", "invoice.payment_action_required", "invoice.voided", "invoice.deleted",
    ];

    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _newest = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<StripeEvent>> _pending = new(StringComparer.Ordinal);
    private readonly HashSet<string> _underWay = new(StringComparer.Ordinal);
    private Alarm? _alarm;

    /// <summary>Called with the account of which a payment failed or waits for the customer, once for each that Stripe tells of.</summary>
    public Action<string>? Failed { get; set; }

    private DateTimeOffset Now => new(world.Now, TimeSpan.Zero);

    /// <summary>Has Stripe tell the silos from now on.</summary>
    public void Begin()
    {
        var wanted = string.Concat(Types.Select((type, i) => $"&enabled_events[{i}]={type}"));
        var made = stripe.Sandbox.Handle(
            new("POST", "/v1/webhook_endpoints", "", "Bearer sk_test_world", null, null, $"url=http://silo.invalid/v1/stripe/webhook{wanted}"), Now);
        Assert.Equal(200, made.Status);
        stripe.Served = LookForDue;
    }

    private void LookForDue()
    {
        _alarm?.Cancel();
        _alarm = stripe.Sandbox.NextDueAt is { } due ? world.After(outside, long.Max(0, due.UtcTicks - world.Now), SendDue) : null;
    }

    private void SendDue()
    {
        foreach (var delivery in stripe.Sandbox.TakeDue(Now)) outside.Begin(() => Deliver(delivery));
        LookForDue();
    }

    private async Task Deliver(WebhookDelivery delivery)
    {
        await world.Delay(outside, world.Latency());
        var taken = await network.Call(anySilo(), _ => Task.FromResult<object?>(Take(delivery)));
        world.Trace.Count(taken is null ? "webhook not taken" : "webhook taken");
        stripe.Sandbox.Delivered(delivery.Id, taken is null ? 0 : 200, Now);
        LookForDue();
    }

    // As the endpoint does: the event is stored, and then the account is told.
    private object Take(WebhookDelivery delivery)
    {
        var body = Encoding.UTF8.GetBytes(delivery.Body);
        var told = StripeEventReader.Read(body, Now)!;
        if (!_taken.Add(told.Id))
        {
            world.Trace.Count("webhook doubled");
            return told;
        }

        var invoice = told.Invoice!;
        if (told.Created < _newest.GetValueOrDefault(invoice)) world.Trace.Count("webhook overtaken");
        else _newest[invoice] = told.Created;
        using (var read = JsonDocument.Parse(body)) stripe.Told(told, read.RootElement.GetProperty("data").GetProperty("object"));
        if (told.Type is "invoice.payment_failed" or "invoice.payment_action_required") Failed?.Invoke(told.Account!);
        if (!_pending.TryGetValue(invoice, out var waiting)) _pending[invoice] = waiting = [];
        waiting.Add(told);
        if (_underWay.Add(invoice)) outside.Begin(() => Process(invoice));
        return told;
    }

    private async Task Process(string invoice)
    {
        while (_pending.Remove(invoice, out var told))
        {
            var (account, intent) = (told[^1].Account!, told[^1].Intent);
            for (var pause = FirstPause; !await IsNoticed(account, invoice, intent); pause = long.Min(2 * pause, LongestPause)) await world.Delay(outside, pause);
        }

        _underWay.Remove(invoice);
    }

    private async Task<bool> IsNoticed(string account, string invoice, string? intent) =>
        await network.Call(anySilo(), silo => silo.StripeWork.Follow(() => silo.Grains.GetGrain<IMerchantAccountGrain>(account).NoticeStripeInvoice(invoice, intent))) is { Refusal: null };
}
