using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Billing.Silo.Sandbox;

namespace Billing.Tests.Sandbox;

/// <summary>Events, and the webhooks that tell them: signed, repeated until they are taken, and disturbed on request.</summary>
public sealed class WebhookTests
{
    private readonly SandboxRun _run = new();

    public WebhookTests() => _run.Stripe.RegisterWebhook(SandboxRun.Url, SandboxRun.Secret, _run.Now);

    [Fact]
    public void LifeOfAnInvoice_IsToldEventByEvent()
    {
        var invoice = _run.Open(_run.Customer());
        _run.Post($"/v1/invoices/{invoice}/pay", "", "pay/1");

        var told = _run.Deliver();

        Assert.Equal(
            [
                "payment_method.attached", "customer.created", "invoice.created", "invoice.updated", "payment_intent.created", "invoice.finalized",
                "charge.succeeded", "payment_intent.succeeded", "invoice_payment.paid", "invoice.paid", "invoice.payment_succeeded",
            ],
            told.Select(t => t.EventType));
        var paid = (JsonObject)JsonNode.Parse(told.Single(t => t.EventType == "invoice.paid").Body)!;
        Assert.Equal(("event", invoice, "paid"), (paid.Text("object"), (string)paid["data"]!["object"]!["id"]!, (string)paid["data"]!["object"]!["status"]!));
        Assert.Equal("pay/1", (string)paid["request"]!["idempotency_key"]!);
        Assert.Equal(told.Select(t => t.EventId).Reverse(), _run.Pages("/v1/events", 100));
        Assert.Equal(paid.Id(), _run.Get($"/v1/events/{paid.Id()}").Id());
        Assert.Null(_run.Stripe.NextDueAt);
    }

    [Theory]
    [InlineData("pm_card_chargeCustomerFail", "charge.failed payment_intent.payment_failed invoice.payment_failed")]
    [InlineData("pm_card_authenticationRequired", "payment_intent.requires_action invoice.payment_action_required")]
    [InlineData("pm_usBankAccount", "charge.pending payment_intent.processing")]
    public void PaymentThatDoesNotSucceed_IsTold(string token, string types)
    {
        var invoice = _run.Open(_run.Customer(token));
        _run.Deliver();

        _run.Send("POST", $"/v1/invoices/{invoice}/pay");

        Assert.Equal(types.Split(' '), _run.Deliver().Select(t => t.EventType));
    }

    [Fact]
    public void WhatWasTakenBack_IsNotTold()
    {
        _run.Refused(400, "/v1/customers", "payment_method=pm_card_visa&balance=x");
        _run.Refused(402, "/v1/customers", "payment_method=pm_card_chargeDeclined");

        Assert.Empty(_run.List("/v1/events"));
        Assert.Empty(_run.Deliver());
    }

    [Fact]
    public void Webhook_IsSignedAtTheTimeItIsSent()
    {
        _run.Post("/v1/customers");
        _run.Deliver(500);
        _run.Now += TimeSpan.FromHours(1);

        var delivery = _run.Deliver().Single();

        var parts = delivery.Signature.Split(',');
        Assert.Equal($"t={_run.Now.ToUnixTimeSeconds()}", parts[0]);
        var expected = HMACSHA256.HashData(Encoding.UTF8.GetBytes(SandboxRun.Secret), Encoding.UTF8.GetBytes($"{_run.Now.ToUnixTimeSeconds()}.{delivery.Body}"));
        Assert.Equal($"v1={Convert.ToHexStringLower(expected)}", parts[1]);
    }

    [Fact]
    public void WebhookThatIsNotTaken_ComesAgainForThreeDays()
    {
        _run.Post("/v1/customers");
        var start = _run.Now;
        var attempts = new List<TimeSpan>();
        string? body = null;

        while (_run.Stripe.NextDueAt is { } due)
        {
            Assert.True(due > _run.Now || attempts.Count == 0);
            _run.Now = due;
            var sent = _run.Deliver(attempts.Count % 2 == 0 ? 500 : 0).Single();
            Assert.Equal(attempts.Count + 1, sent.Attempt);
            Assert.Equal(sent.EventId, (string)JsonNode.Parse(sent.Body)!["id"]!);
            body = sent.Body;
            attempts.Add(_run.Now - start);
        }

        Assert.Equal(TimeSpan.Zero, attempts[0]);
        Assert.Equal(TimeSpan.FromMinutes(5), attempts[1]);
        Assert.InRange(attempts[^1], TimeSpan.FromDays(2), TimeSpan.FromDays(3));
        Assert.Equal(attempts.Order(), attempts);
        Assert.NotNull(body);
    }

    [Fact]
    public void WebhookUnderWay_IsNotSentTwiceAtOnce()
    {
        _run.Post("/v1/customers");

        var taken = _run.Stripe.TakeDue(_run.Now).Single();

        Assert.Empty(_run.Stripe.TakeDue(_run.Now));
        Assert.Null(_run.Stripe.NextDueAt);
        _run.Stripe.Delivered(taken.Id, 503, _run.Now);
        Assert.Equal(_run.Now + TimeSpan.FromMinutes(5), _run.Stripe.NextDueAt);
    }

    [Fact]
    public void LostWebhook_IsNeverSentAndItsEventIsThere()
    {
        Faulty(FaultKinds.WebhookLost);

        Assert.Null(_run.Stripe.NextDueAt);
        Assert.Empty(_run.Deliver());
        Assert.Single(_run.List("/v1/events"));
    }

    [Fact]
    public void DoubledWebhook_TellsTheSameEventTwice()
    {
        Faulty(FaultKinds.WebhookDoubled);

        var told = _run.Deliver();

        Assert.Equal(2, told.Count);
        Assert.Single(told.Select(t => t.EventId).Distinct());
    }

    [Fact]
    public void LateWebhook_ComesWithinADay()
    {
        Faulty(FaultKinds.WebhookLate);

        Assert.Empty(_run.Deliver());
        Assert.InRange(_run.Stripe.NextDueAt!.Value - _run.Now, TimeSpan.FromMinutes(10), TimeSpan.FromHours(25));
        _run.Now = _run.Stripe.NextDueAt!.Value;
        Assert.Single(_run.Deliver());
    }

    [Fact]
    public void ReorderedWebhook_IsOvertaken()
    {
        Faulty(FaultKinds.WebhookReordered, "first");
        _run.Post("/v1/customers", "name=second");

        var before = _run.Deliver().Single();
        _run.Now = _run.Stripe.NextDueAt!.Value;
        var after = _run.Deliver().Single();

        Assert.Contains("second", before.Body, StringComparison.Ordinal);
        Assert.Contains("first", after.Body, StringComparison.Ordinal);
    }

    [Fact]
    public void Endpoints_GetWhatTheyAskedFor()
    {
        var made = _run.Post("/v1/webhook_endpoints", "url=http%3A%2F%2F127.0.0.1%3A9%2Fother&enabled_events[]=customer.created&enabled_events[]=invoice.paid");
        var invoice = _run.Open(_run.Customer());
        _run.Post($"/v1/invoices/{invoice}/pay");

        var told = _run.Deliver();

        Assert.Equal(["customer.created", "invoice.paid"], told.Where(t => t.Url.EndsWith("/other", StringComparison.Ordinal)).Select(t => t.EventType));
        Assert.StartsWith("whsec_", made.Text("secret"), StringComparison.Ordinal);
        Assert.False(_run.Get($"/v1/webhook_endpoints/{made.Id()}").ContainsKey("secret"));
        Assert.Equal(200, _run.Send("DELETE", $"/v1/webhook_endpoints/{made.Id()}").Status);
        _run.Post("/v1/customers");
        Assert.Single(_run.Deliver());
    }

    [Fact]
    public void EventsOlderThanThirtyDays_AreForgotten()
    {
        for (var i = 0; i < 20; i++) _run.Post("/v1/customers");
        _run.Deliver();
        _run.Now += TimeSpan.FromDays(31);
        for (var i = 0; i < 3; i++) _run.Get("/v1/customers");

        Assert.Empty(_run.List("/v1/events"));
    }

    private void Faulty(string kind, string name = "A")
    {
        _run.Stripe.SetFaults([kind], 1, 1);
        _run.Post("/v1/customers", $"name={name}");
        _run.Stripe.SetFaults([], 0, 0);
    }
}
