using System.Text.Json;
using Billing.Tests.Support;

namespace Billing.Tests.Api;

/// <summary>Charges over HTTP, charged at the sandbox Stripe of the platform.</summary>
public sealed class ChargeCallsTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    [Fact]
    public async Task AFinalisedInvoice_IsChargedOnceForItsAmount()
    {
        await platform.Api.Open("payer", "desk-basic");
        await platform.Api.Now();

        var charge = Assert.Single(await Charges("payer"));
        Assert.Equal(
            ("payer/1/1", 1, "USD", 1_000, "settled", "proven"),
            (Text(charge, "intent"), charge.GetProperty("invoice").GetInt32(), Text(charge, "currency"), charge.GetProperty("amount").GetInt32(), Text(charge, "state"), Text(charge, "verdict")));
        var attempt = Assert.Single(charge.GetProperty("attempts").EnumerateArray());
        Assert.Equal((1, "payer/1/1/pay/1", "settled"), (attempt.GetProperty("n").GetInt32(), Text(attempt, "key"), Text(attempt, "outcome")));
        Assert.Equal("charge_settled", Text(Assert.Single(charge.GetProperty("ledger").EnumerateArray()), "kind"));
        var atStripe = Assert.Single(await AtStripe("payer"));
        Assert.Equal((Text(charge.GetProperty("stripe"), "charge"), 1_000, "succeeded"), (Text(atStripe, "id"), atStripe.GetProperty("amount").GetInt32(), Text(atStripe, "status")));
        Assert.Equal("paid", Text((await platform.Api.Get("/v1/accounts/payer/invoices/1")).Json, "status"));
    }

    [Fact]
    public async Task ADeclinedCharge_IsTriedAgainThenSuspendedAndPaidByANewPaymentMethod()
    {
        await Open("debtor", "pm_card_chargeCustomerFail");
        await platform.Api.Now();
        Assert.Equal(("declined", "past_due"), (Text(Assert.Single(await Charges("debtor")), "state"), await Status("debtor")));

        await platform.Api.MoveClock("P7D");
        var attempts = Assert.Single(await Charges("debtor")).GetProperty("attempts").EnumerateArray().ToList();
        Assert.Equal(5, attempts.Count);
        Assert.All(attempts, a => Assert.Equal(("declined", true), (Text(a, "outcome"), a.TryGetProperty("code", out _))));
        Assert.Equal("suspended", await Status("debtor"));

        var dryRun = await platform.Api.Post("/v1/accounts/debtor/payment-method", """{"payment_method":"pm_card_visa","reason":"A new card.","dry_run":true}""");
        Assert.True(dryRun.Json.GetProperty("dry_run").GetBoolean());
        Assert.Equal("suspended", await Status("debtor"));
        Assert.Equal(200, (await platform.Api.Post("/v1/accounts/debtor/payment-method", """{"payment_method":"pm_card_visa","reason":"A new card."}""")).Status);
        await platform.Api.Now();

        Assert.Equal(("settled", "active"), (Text(Assert.Single(await Charges("debtor")), "state"), await Status("debtor")));
        Assert.Single(await AtStripe("debtor"), c => Text(c, "status") == "succeeded");
    }

    [Fact]
    public async Task ADecline_IsToldOnceWithStripesCharge()
    {
        await Open("decliner", "pm_card_chargeCustomerFail");
        await platform.Api.MoveClock("PT1M");

        var failed = Assert.Single(await AtStripe("decliner"));
        Assert.Equal(("failed", Text(failed, "id")), (Text(failed, "status"), Text(Assert.Single(await Charges("decliner")).GetProperty("stripe"), "charge")));
        var told = (await platform.Api.Get("/v1/feed?account=decliner&type=charge_declined")).Json.GetProperty("items").EnumerateArray();
        Assert.Equal(Text(failed, "id"), Text(Assert.Single(told).GetProperty("data"), "charge"));

        var open = Assert.Single((await platform.Api.Get("/v1/accounts/decliner")).Json.GetProperty("charges").EnumerateArray());
        Assert.Equal((1, 1_000L), (open.GetProperty("invoice").GetInt32(), open.GetProperty("amount").GetInt64()));
        Assert.Equal(("declined", "pending", "generic_decline", "2026-01-02T00:00:00Z"), (Text(open, "state"), Text(open, "verdict"), Text(open, "evidence"), Text(open, "next_at")));
    }

    [Fact]
    public async Task APaymentMethodThatDoesNotExist_IsRefusedAndNothingIsStored()
    {
        await platform.Api.Open("keeper", "desk-basic");

        (await platform.Api.Post("/v1/accounts/keeper/payment-method", """{"payment_method":"pm_nobody_has","reason":"A new card."}""")).IsProblem(400, "payment_method");
        (await platform.Api.Post("/v1/accounts/keeper/payment-method", """{"reason":"A new card."}""")).IsProblem(400, "payment_method");
        (await platform.Api.Post("/v1/accounts/keeper/payment-method", """{"payment_method":"pm_card_visa"}""")).IsProblem(400, "reason");
        (await platform.Api.Post("/v1/accounts/nobody/payment-method", """{"payment_method":"pm_card_visa","reason":"A new card."}""")).IsProblem(404, "id");
        (await Open("never", "pm_nobody_has")).IsProblem(400, "payment_method");
        (await platform.Api.Get("/v1/accounts/never")).IsProblem(404, "id");
    }

    [Fact]
    public async Task APaymentMethodThatStripeDeclines_IsSaid()
    {
        await platform.Api.Open("trier", "desk-basic");

        var answer = await platform.Api.Post("/v1/accounts/trier/payment-method", """{"payment_method":"pm_card_chargeDeclined","reason":"A new card."}""");

        answer.IsProblem(409, "payment_method");
        Assert.Contains("did not take the payment method pm_card_chargeDeclined: generic_decline", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAccount_IsSuspendedAndResumedByHand()
    {
        await platform.Api.Open("sleeper", "desk-basic");
        (await platform.Api.Post("/v1/accounts/sleeper/resume", """{"reason":"Why not."}""")).IsProblem(409);
        (await platform.Api.Post("/v1/accounts/sleeper/suspend", "{}")).IsProblem(400, "reason");

        Assert.Equal(200, (await platform.Api.Post("/v1/accounts/sleeper/suspend", """{"reason":"Fraud is suspected."}""")).Status);
        Assert.Equal("suspended", await Status("sleeper"));
        Assert.Single((await platform.Api.Get("/v1/accounts?status=suspended&query=sleeper")).Json.GetProperty("items").EnumerateArray());
        (await platform.Api.Post("/v1/accounts/sleeper/suspend", """{"reason":"Again."}""")).IsProblem(409);

        Assert.Equal(200, (await platform.Api.Post("/v1/accounts/sleeper/resume", """{"reason":"All is well."}""")).Status);
        Assert.Equal("active", await Status("sleeper"));
    }

    [Fact]
    public async Task NothingIsParked_ReleaseIsRefused()
    {
        await platform.Api.Open("free", "desk-basic");

        (await platform.Api.Post("/v1/accounts/free/release", """{"reason":"Go on."}""")).IsProblem(409);
        (await platform.Api.Get("/v1/accounts/nobody/charges")).IsProblem(404, "id");
    }

    private Task<ApiAnswer> Open(string id, string method) => platform.Api.Post(
        "/v1/accounts", JsonSerializer.Serialize(new { id, name = id, email = $"{id}@example.test", plans = new[] { "desk-basic" }, payment_method = method }));

    private async Task<List<JsonElement>> Charges(string account) =>
        [.. (await platform.Api.Get($"/v1/accounts/{account}/charges")).Json.GetProperty("items").EnumerateArray()];

    private async Task<List<JsonElement>> AtStripe(string account) =>
        [.. (await platform.Api.Get("/v1/sandbox/stripe")).Json.GetProperty("charges").EnumerateArray().Where(c => Text(c.GetProperty("metadata"), "account") == account)];

    private async Task<string> Status(string account) => Text((await platform.Api.Get($"/v1/accounts/{account}")).Json, "status");

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
