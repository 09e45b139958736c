using System.Text.Json;
using Billing.Tests.Support;

namespace Billing.Tests.Charging;

/// <summary>Refunds and disputes at the sandbox, as its webhooks tell of them: read there, shown here.</summary>
public sealed class ReversalWebhookTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private WebhookRun? _run;

    private WebhookRun Run => _run!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_run is not null) await _run.DisposeAsync();
        _folder.Dispose();
    }

    // Goal: a refund made at Stripe is seen, in part and then in whole. The clock stands still: only the webhook can tell.
    [Fact]
    public async Task RefundsMadeAtStripe_AreShownAndTheInvoiceStaysPaid()
    {
        var charge = await Charged("pm_card_visa");
        var amount = charge.GetProperty("amount").GetInt64();

        await Run.AtStripe("/v1/refunds", $"charge={charge.GetProperty("id")}&amount=100");
        await Shown(("refund", "succeeded", 100));
        await Run.AtStripe("/v1/refunds", $"charge={charge.GetProperty("id")}&reason=duplicate");
        await Shown(("refund", "succeeded", 100), ("refund", "succeeded", amount - 100));

        var ledger = (await Run.Api.Get("/v1/accounts/a/ledger")).Json;
        Assert.Equal((0L, amount), (ledger.GetProperty("balances").GetProperty("cash").GetInt64(), ledger.GetProperty("balances").GetProperty("write_off").GetInt64()));
        Assert.Equal("paid", (await Run.Api.Get("/v1/accounts/a/invoices/1")).Json.GetProperty("status").GetString());
        Assert.Equal(2, (await Account()).GetProperty("holds").GetArrayLength());
        Assert.Equal(0, (await Account()).GetProperty("balance").GetInt64());
        Assert.Single(await Run.Held("charges"));
        Assert.Equal(2, await Fed("refund_noticed"));

        Assert.Equal(200, (await Run.Api.Post("/v1/accounts/a/release", """{"reason":"We asked for it."}""")).Status);
        Assert.Equal(0, (await Account()).GetProperty("holds").GetArrayLength());
    }

    [Theory]
    [InlineData("evidence[uncategorized_text]=winning_evidence", "won", false)]
    [InlineData("evidence[uncategorized_text]=losing_evidence", "lost", true)]
    public async Task ADispute_IsShownAndThenItsEnd(string evidence, string end, bool isTaken)
    {
        var charge = await Charged("pm_card_createDispute");
        var amount = charge.GetProperty("amount").GetInt64();
        await Shown(("dispute", "needs_response", amount));
        Assert.Contains("disputed", (await Account()).GetProperty("holds")[0].GetString(), StringComparison.Ordinal);

        var dispute = (await Reversals())[0].GetProperty("id").GetString();
        await Run.AtStripe($"/v1/disputes/{dispute}", evidence);

        await Shown(("dispute", end, isTaken ? amount : 0));
        var balances = (await Run.Api.Get("/v1/accounts/a/ledger")).Json.GetProperty("balances");
        Assert.Equal((isTaken ? 0 : amount, isTaken ? amount : 0), (balances.GetProperty("cash").GetInt64(), balances.GetProperty("write_off").GetInt64()));
        Assert.Equal(["settled"], await Run.Charges("a"));
        Assert.Equal(1, await Fed("charge_dispute_closed"));
    }

    // Goal: neither order nor repetition matters. Method: the sandbox doubles, delays and reorders its webhooks while a refund is made and a dispute ends.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task WebhooksLateDoubledAndReordered_EachIsCountedOnce(int seed)
    {
        _run = await WebhookRun.Open(_folder);
        var faults = await Run.Api.Post("/v1/sandbox/faults", $$"""{"kinds":["webhook_late","webhook_doubled","webhook_reordered"],"probability":0.9,"seed":{{seed}}}""");
        Assert.Equal(200, faults.Status);
        await Charged("pm_card_createDispute");
        await Run.OpenAccount("b", "pm_card_visa");
        await Run.Api.MoveClock("PT1H");
        var (disputed, refunded) = ((await Run.Held("charges"))[0], (await Run.Held("charges"))[1]);
        if (disputed.GetProperty("metadata").GetProperty("intent").GetString() != "a/1/1") (disputed, refunded) = (refunded, disputed);
        var amount = disputed.GetProperty("amount").GetInt64();

        await Run.AtStripe("/v1/refunds", $"charge={refunded.GetProperty("id")}&amount=100");
        var dispute = (await Run.FromStripe("/v1/disputes")).GetProperty("data")[0].GetProperty("id").GetString();
        await Run.AtStripe($"/v1/disputes/{dispute}", "evidence[uncategorized_text]=winning_evidence");
        await Run.Api.MoveClock("P2D");

        await Shown(("dispute", "won", 0));
        Assert.Equal(["succeeded 100"], (await Reversals("b")).Select(r => $"{r.GetProperty("status").GetString()} {r.GetProperty("taken")}"));
        Assert.Equal((amount, 0L), await Money("a"));
        Assert.Equal((amount - 100, 100L), await Money("b"));
        Assert.Equal((1, 1), (await Fed("charge_dispute_closed"), await Fed("refund_noticed")));
        Assert.Empty(await Run.Events.Pending("", 1));
    }

    // The sandbox's own webhooks are lost, so that each kind of event has to lead to the charge by itself.
    [Theory]
    [InlineData("charge.refunded", "charge")]
    [InlineData("charge.refund.updated", "refund")]
    [InlineData("refund.updated", "refund")]
    public async Task EachKindOfEvent_LeadsToTheCharge(string type, string about)
    {
        var charge = (await Charged("pm_card_visa")).GetProperty("id").GetString();
        Assert.Equal(200, (await Run.Api.Post("/v1/sandbox/faults", """{"kinds":["webhook_lost"],"probability":1,"seed":1}""")).Status);
        var refund = (await Run.AtStripe("/v1/refunds", $"charge={charge}&amount=100")).GetProperty("id").GetString();
        var body = WebhookRun.Event("evt_told", type, $"\"object\":\"{about}\",\"id\":\"{(about == "charge" ? charge : refund)}\"");

        Assert.Equal(200, (await Run.Webhook(body, WebhookRun.Signed(body, WebhookRun.Start.AddDays(3).AddHours(1)))).Status);

        await Shown(("refund", "succeeded", 100));
    }

    [Theory]
    [InlineData("refund.created", "\"object\":\"refund\",\"id\":\"re_none\"")]
    [InlineData("charge.dispute.created", "\"object\":\"dispute\",\"id\":\"dp_none\"")]
    [InlineData("charge.refunded", "\"object\":\"charge\",\"id\":\"ch_none\"")]
    public async Task WhatStripeDoesNotHave_IsNotBelieved(string type, string about)
    {
        await Charged("pm_card_visa");
        var body = WebhookRun.Event("evt_forged", type, about);

        Assert.Equal(200, (await Run.Webhook(body, WebhookRun.Signed(body, WebhookRun.Start.AddDays(3).AddHours(1)))).Status);

        await Eventually.True(async () => (await Run.Events.Pending("", 1)).Count == 0, "all are processed");
        Assert.Empty(await Reversals());
    }

    // An account with one charge that was made, at the sandbox.
    private async Task<JsonElement> Charged(string paymentMethod)
    {
        _run ??= await WebhookRun.Open(_folder);
        await Run.OpenAccount("a", paymentMethod);
        await Run.Api.MoveClock("P3DT1H");
        Assert.Equal(["settled"], await Run.Charges("a"));
        return (await Run.Held("charges")).Single();
    }

    private async Task<JsonElement> Account() => (await Run.Api.Get("/v1/accounts/a")).Json;

    private async Task<List<JsonElement>> Reversals(string account = "a") =>
        (await Run.Api.Get($"/v1/accounts/{account}/charges")).Json.GetProperty("items")[0].TryGetProperty("reversals", out var some) ? [.. some.EnumerateArray()] : [];

    private async Task<(long Cash, long WriteOff)> Money(string account)
    {
        var balances = (await Run.Api.Get($"/v1/accounts/{account}/ledger")).Json.GetProperty("balances");
        return (balances.GetProperty("cash").GetInt64(), balances.GetProperty("write_off").GetInt64());
    }

    private async Task<int> Fed(string type) => (await Run.Api.Get($"/v1/feed?type={type}&limit=100")).Json.GetProperty("items").GetArrayLength();

    private async Task Shown(params (string Kind, string Status, long Taken)[] expected) => await Eventually.True(
        async () => (await Reversals()).Select(r => (r.GetProperty("kind").GetString()!, r.GetProperty("status").GetString()!, r.GetProperty("taken").GetInt64())).SequenceEqual(expected),
        $"the charge shows {string.Join(", ", expected)}");
}
