using System.Globalization;
using System.Text.Json;
using Billing.Silo.Sandbox;

namespace Billing.Benchmarks.Charge;

/// <summary>Stripe did not do what it was asked, or it is not known whether it did.</summary>
internal sealed class StripeFailedException(string what) : Exception(what);

/// <summary>
/// Stripe as its client libraries call it: two more tries by themselves, under the same key, after a broken connection, 409, 429 and 5xx, unless
/// <c>Stripe-Should-Retry</c> says otherwise, and after the time that <c>Retry-After</c> names.
/// </summary>
internal sealed class LibraryStripe(WorkerWorld world, StripeSandbox sandbox)
{
    private const int Tries = 3;

    private readonly Dictionary<string, string> _customers = new(StringComparer.Ordinal);

    /// <summary>Makes a merchant's customer, with a card that works.</summary>
    public void Enrol(string merchant) => _customers[merchant] = Post(
        "/v1/customers", $"metadata[account]={merchant}&payment_method=pm_card_visa&invoice_settings[default_payment_method]=pm_card_visa", $"enrol-{merchant}");

    /// <summary>Charges a merchant: an invoice, its one line, and its payment.</summary>
    /// <param name="merchant">Whom.</param>
    /// <param name="cents">The amount, US cents.</param>
    /// <param name="key">Begins the idempotency keys of the three requests.</param>
    /// <exception cref="StripeFailedException">A request failed, or its answer did not come.</exception>
    public void Charge(string merchant, long cents, string key)
    {
        var customer = _customers[merchant];
        var invoice = Post("/v1/invoices", $"customer={customer}&currency=usd&auto_advance=false", $"{key}/invoice");
        Post("/v1/invoiceitems", string.Create(CultureInfo.InvariantCulture, $"customer={customer}&invoice={invoice}&amount={cents}&currency=usd"), $"{key}/item");
        Post($"/v1/invoices/{invoice}/pay", "", $"{key}/pay");
    }

    private string Post(string path, string form, string key)
    {
        for (var tries = 1; ; tries++)
        {
            var answer = world.Effect($"POST {path}, key {key}", () => sandbox.Handle(new("POST", path, "", "Bearer sk_test_worker", key, null, form), world.Now));
            world.Tell($"Stripe: {(answer.ConnectionLost ? "the connection breaks" : answer.Status)}{(answer.Fault is null ? "" : $", {answer.Fault}")}");
            world.Sleep(TimeSpan.FromMilliseconds(300));
            if (answer is { Status: 200, ConnectionLost: false })
            {
                using var made = JsonDocument.Parse(answer.Body);
                return made.RootElement.GetProperty("id").GetString()!;
            }

            if (tries == Tries || !MayRetry(answer)) throw new StripeFailedException($"{path}: {(answer.ConnectionLost ? "the connection broke" : answer.Body)}");
            world.Sleep(TimeSpan.FromSeconds(answer.Headers.TryGetValue("Retry-After", out var seconds) && !answer.ConnectionLost ? int.Parse(seconds, CultureInfo.InvariantCulture) : tries));
        }
    }

    private static bool MayRetry(SandboxResponse answer) =>
        answer.ConnectionLost || (answer.Headers.TryGetValue("Stripe-Should-Retry", out var should) ? should == "true" : answer.Status is 409 or 429 or >= 500);
}
