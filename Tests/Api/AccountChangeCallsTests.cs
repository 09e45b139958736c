using Billing.Tests.Support;

namespace Billing.Tests.Api;

/// <summary>What operators do with accounts: adding products, cancelling, taking that back.</summary>
public sealed class AccountChangeCallsTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    [Fact]
    public async Task ACancellation_IsScheduledShownAndUndone()
    {
        await platform.Api.Open("leaver", "desk-basic");
        var before = (await platform.Api.Get("/v1/accounts/leaver")).Text;

        var answer = await platform.Api.Post("/v1/accounts/leaver/cancel", """{"reason":"The shop closes."}""");

        Assert.Equal(200, answer.Status);
        var subscription = Assert.Single((await platform.Api.Get("/v1/accounts/leaver")).Json.GetProperty("subscriptions").EnumerateArray());
        var change = subscription.GetProperty("scheduled_change");
        Assert.Equal(("cancellation", "The shop closes."), (change.GetProperty("kind").GetString(), change.GetProperty("reason").GetString()));
        Assert.Equal(subscription.GetProperty("period").GetProperty("end").GetString(), change.GetProperty("at").GetString());
        Assert.Equal(change.GetProperty("at").GetString(), answer.Json.GetProperty("effective_at").GetString());
        (await platform.Api.Post("/v1/accounts/leaver/cancel", """{"reason":"Again."}""")).IsProblem(409);

        Assert.Equal(200, (await platform.Api.Send("DELETE", "/v1/accounts/leaver/cancel")).Status);
        Assert.Equal(before, (await platform.Api.Get("/v1/accounts/leaver")).Text);
        (await platform.Api.Send("DELETE", "/v1/accounts/leaver/cancel", """{"reason":"The shop stays."}""")).IsProblem(409);
    }

    [Fact]
    public async Task ACancelledAccount_IsShownWithoutSubscriptions()
    {
        await platform.Api.Open("ended", "desk-basic");
        await platform.Api.Post("/v1/accounts/ended/cancel", """{"reason":"The shop closes."}""");

        await platform.Api.MoveClock("P1M");

        var account = (await platform.Api.Get("/v1/accounts/ended")).Json;
        Assert.Equal("cancelled", account.GetProperty("status").GetString());
        Assert.Empty(account.GetProperty("subscriptions").EnumerateArray());
        Assert.Empty(account.GetProperty("usage").EnumerateArray());
        Assert.Equal("ended", Assert.Single((await platform.Api.Get("/v1/accounts?query=ended&status=cancelled")).Json.GetProperty("items").EnumerateArray()).GetProperty("id").GetString());
        Assert.Empty((await platform.Api.Get("/v1/accounts?query=ended&plan=desk-basic")).Json.GetProperty("items").EnumerateArray());
        Assert.Equal(2, (await platform.Api.Get("/v1/accounts/ended/invoices")).Json.GetProperty("items").GetArrayLength());
        Assert.Equal(1, (await platform.Api.Get("/v1/accounts/ended/usage?meter=desk.tickets")).Json.GetProperty("items").GetArrayLength());
        (await platform.Api.Post("/v1/accounts/ended/cancel", """{"reason":"Again."}""")).IsProblem(409);
        (await platform.Api.Post("/v1/accounts/ended/plans", Plans("voice", "voice-payg"))).IsProblem(409);
    }

    [Fact]
    public async Task AProductAdded_IsInvoicedAtOnce()
    {
        await platform.Api.Open("grower", "voice-payg");

        var shown = (await platform.Api.Post("/v1/accounts/grower/plans", Plans("desk", "desk-pro", dryRun: true))).Json;
        Assert.Single((await platform.Api.Get("/v1/accounts/grower")).Json.GetProperty("subscriptions").EnumerateArray());
        var answer = (await platform.Api.Post("/v1/accounts/grower/plans", Plans("desk", "desk-pro"))).Json;

        // The period has just begun: the whole 50.00 is due.
        Assert.Equal((5_000, 5_000), (shown.GetProperty("total").GetInt64(), answer.GetProperty("total").GetInt64()));
        Assert.Equal((true, false), (shown.GetProperty("dry_run").GetBoolean(), answer.GetProperty("dry_run").GetBoolean()));
        Assert.False(shown.TryGetProperty("invoice", out _));
        Assert.Equal("proration", answer.GetProperty("lines")[0].GetProperty("kind").GetString());
        var invoice = (await platform.Api.Get($"/v1/accounts/grower/invoices/{answer.GetProperty("invoice").GetInt32()}")).Json;
        Assert.Equal(("finalized", 5_000L), (invoice.GetProperty("status").GetString(), invoice.GetProperty("total").GetInt64()));
        Assert.Equal(["grower"], (await platform.Api.Get("/v1/accounts?query=grower&plan=desk-pro")).Json.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("id").GetString()));
        (await platform.Api.Post("/v1/accounts/grower/plans", Plans("desk", "desk-basic"))).IsProblem(400, "when");
    }

    [Theory]
    [InlineData("plans", "{}", "changes")]
    [InlineData("plans", """{"changes":[null],"when":"now","reason":"r"}""", "changes[0]")]
    [InlineData("plans", """{"changes":[],"when":"now","reason":"r"}""", "changes")]
    [InlineData("plans", """{"changes":[{"plan":"desk-pro"}],"when":"now","reason":"r"}""", "changes[0].product")]
    [InlineData("plans", """{"changes":[{"product":"desk"}],"when":"now","reason":"r"}""", "changes[0].plan")]
    [InlineData("plans", """{"changes":[{"product":"desk","plan":"desk-gold"}],"when":"now","reason":"r"}""", "changes[0].plan")]
    [InlineData("plans", """{"changes":[{"product":"desk","plan":"desk-pro"}],"reason":"r"}""", "when")]
    [InlineData("plans", """{"changes":[{"product":"desk","plan":"desk-pro"}],"when":"later","reason":"r"}""", "when")]
    [InlineData("plans", """{"changes":[{"product":"desk","plan":"desk-pro"}],"when":"now"}""", "reason")]
    [InlineData("plans", """{"changes":[{"product":"desk","plan":"desk-pro"}],"when":"now","reason":"r","catalog_version":"0"}""", "catalog_version")]
    [InlineData("plans", """{"changes":[{"product":"desk","plan":"desk-pro"}],"when":"now","reason":"r","dry_run":"yes"}""", "dry_run")]
    [InlineData("plans", """{"changes":[{"product":"desk","plan":"desk-pro"},{"product":"voice","plan":"voice-payg","whne":"now"}],"when":"now","reason":"r"}""", "changes[1].whne")]
    [InlineData("settings", """{"spend_cap":{"amount":50000,"kinds":"hard"},"reason":"r"}""", "spend_cap.kinds")]
    [InlineData("settings", """{"alerts":[90,{"metre":"desk.tickets","percent":80}],"reason":"r"}""", "alerts[1].metre")]
    [InlineData("settings", """{"alerts":[{"percent":12.5}],"reason":"r"}""", "alerts[0].percent")]
    [InlineData("settings", """{"alerts":[12.5],"reason":"r"}""", "alerts[0].percent")]
    [InlineData("settings", """{"alerts":[{"amount":0.5}],"reason":"r"}""", "alerts[0].amount")]
    [InlineData("settings", """{"alerts":[{"meter":7,"percent":80}],"reason":"r"}""", "alerts[0].meter")]
    [InlineData("settings", """{"alerts":["90"],"reason":"r"}""", "alerts[0]")]
    [InlineData("cancel", "{}", "reason")]
    [InlineData("cancel", """{"reason":""}""", "reason")]
    [InlineData("cancel", """{"reason":7}""", "reason")]
    [InlineData("cancel", """{"reason":"r","dry_run":1}""", "dry_run")]
    public async Task BadField_IsNamedAndNothingIsStored(string call, string body, string field)
    {
        await platform.Api.Post("/v1/accounts", ApiCaller.Account("strict", "voice-payg"));
        var before = (await platform.Api.Get("/v1/accounts/strict")).Text;

        (await platform.Api.Post($"/v1/accounts/strict/{call}", body)).IsProblem(400, field);

        Assert.Equal(before, (await platform.Api.Get("/v1/accounts/strict")).Text);
    }

    [Theory]
    [InlineData("plans", """{"changes":[{"product":"desk","plan":"desk-pro","whne":"now"}],"when":"now","reason":"r"}""", "There is no field changes[0].whne. There it has: product, plan. Nothing was stored.")]
    [InlineData("plans", """{"changes":[{"product":7,"plan":"desk-pro"}],"when":"now","reason":"r"}""", "The field changes[0].product is a text, given once. Nothing was stored.")]
    [InlineData("settings", """{"spend_cap":{"amount":50000,"kinds":"hard"},"reason":"r"}""", "There is no field spend_cap.kinds. There it has: amount, kind. Nothing was stored.")]
    [InlineData("settings", """{"alerts":[{"metre":"desk.tickets","percent":80}],"reason":"r"}""", "There is no field alerts[0].metre. There it has: meter, percent, amount. Nothing was stored.")]
    [InlineData("settings", """{"alerts":[{"percent":12.5}],"reason":"r"}""", "A percentage is a whole number such as 90, without a point. Nothing was stored.")]
    [InlineData("settings", """{"alerts":[12.5],"reason":"r"}""", "A percentage is a whole number such as 90, without a point. Nothing was stored.")]
    public async Task ProblemOfANestedField_SaysWhatIsNeeded(string call, string body, string sentence)
    {
        await platform.Api.Post("/v1/accounts", ApiCaller.Account("nested", "voice-payg"));

        Assert.Equal(sentence, (await platform.Api.Post($"/v1/accounts/nested/{call}", body)).Json.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task AnAccountThatIsNotThere_IsNotFound()
    {
        (await platform.Api.Post("/v1/accounts/nobody/cancel", """{"reason":"r"}""")).IsProblem(404, "id");
        (await platform.Api.Send("DELETE", "/v1/accounts/nobody/cancel")).IsProblem(404, "id");
        (await platform.Api.Post("/v1/accounts/nobody/plans", Plans("desk", "desk-pro"))).IsProblem(404, "id");
    }

    [Fact]
    public async Task TheSameCallUnderOneIdempotencyKey_IsCarriedOutOnce()
    {
        await platform.Api.Open("retrier", "voice-payg");
        var added = await platform.Api.Post("/v1/accounts/retrier/plans", Plans("desk", "desk-pro"), "added");
        var cancelled = await platform.Api.Post("/v1/accounts/retrier/cancel", """{"reason":"r"}""", "cancelled");

        Assert.Equal(added.Text, (await platform.Api.Post("/v1/accounts/retrier/plans", Plans("desk", "desk-pro"), "added")).Text);
        Assert.Equal(cancelled.Text, (await platform.Api.Post("/v1/accounts/retrier/cancel", """{"reason":"r"}""", "cancelled")).Text);
        Assert.Equal(2, (await platform.Api.Get("/v1/accounts/retrier/invoices")).Json.GetProperty("items").GetArrayLength());
    }

    private static string Plans(string product, string plan, bool dryRun = false) =>
        $$"""{"changes":[{"product":"{{product}}","plan":"{{plan}}"}],"when":"now","reason":"They asked for it.","dry_run":{{(dryRun ? "true" : "false")}}}""";
}
