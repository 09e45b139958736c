using Billing.Tests.Support;

namespace Billing.Tests.Api;

/// <summary>Plans, settings and entitlements over HTTP.</summary>
public sealed class PlanCallsTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    [Fact]
    public async Task APlanChangedUpwards_IsListedByItsNewPlan()
    {
        await platform.Api.Open("riser", "desk-basic");

        var shown = await platform.Api.Post("/v1/accounts/riser/plans", """{"changes":[{"product":"desk","plan":"desk-pro"}],"when":"now","reason":"They asked for it.","dry_run":true}""");
        var made = await platform.Api.Post("/v1/accounts/riser/plans", """{"changes":[{"product":"desk","plan":"desk-pro"}],"when":"now","reason":"They asked for it."}""");

        Assert.Equal((200, 200), (shown.Status, made.Status));
        Assert.Equal(shown.Json.GetProperty("total").GetInt64(), made.Json.GetProperty("total").GetInt64());
        Assert.Equal("riser", Assert.Single((await platform.Api.Get("/v1/accounts?query=riser&plan=desk-pro")).Json.GetProperty("items").EnumerateArray()).GetProperty("id").GetString());
        Assert.Empty((await platform.Api.Get("/v1/accounts?query=riser&plan=desk-basic")).Json.GetProperty("items").EnumerateArray());
    }

    // A dry run that is misspelt must not charge.
    [Theory]
    [InlineData("/plans", """{"changes":[{"product":"desk","plan":"desk-pro"}],"when":"now","reason":"They asked for it.","dryRun":true}""", "dryRun")]
    [InlineData("/cancel", """{"reason":"They asked for it.","dryrun":true}""", "dryrun")]
    [InlineData("/cancel", """{"reason":"They asked for it.","when":"now"}""", "when")]
    [InlineData("/settings", """{"automatic_plan_changes":false,"reason":"They asked for it.","dry-run":true}""", "dry-run")]
    [InlineData("/payment-method", """{"payment_method":"pm_card_visa","reason":"They asked for it.","dry":true}""", "dry")]
    public async Task FieldThatTheCallDoesNotHave_IsRefusedAndNothingIsChanged(string call, string body, string field)
    {
        var id = $"typist-{field}{call[1..]}";
        await platform.Api.Open(id, "desk-basic");
        var before = (await platform.Api.Get($"/v1/accounts/{id}")).Json.GetProperty("subscriptions").GetRawText();

        var answer = await platform.Api.Post($"/v1/accounts/{id}{call}", body);

        answer.IsProblem(400, field);
        Assert.Contains("dry_run", answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(before, (await platform.Api.Get($"/v1/accounts/{id}")).Json.GetProperty("subscriptions").GetRawText());
    }

    [Theory]
    [InlineData("/plans?dry_run=true", """{"changes":[{"product":"desk","plan":"desk-pro"}],"when":"now","reason":"They asked for it."}""")]
    [InlineData("/suspend?dry_run=true", """{"reason":"They asked for it."}""")]
    public async Task QueryParameterThatTheActDoesNotHave_IsRefusedAndNothingIsChanged(string call, string body)
    {
        var id = $"asker-{call.Split('?')[0][1..]}";
        await platform.Api.Open(id, "desk-basic");
        var before = (await platform.Api.Get($"/v1/accounts/{id}")).Json.GetProperty("subscriptions").GetRawText();

        var answer = await platform.Api.Post($"/v1/accounts/{id}{call}", body);

        answer.IsProblem(400, "dry_run");
        Assert.Equal("The query parameter dry_run is not known here; this call takes what it needs in its body. Nothing was done or stored.", answer.Json.GetProperty("detail").GetString());
        var after = (await platform.Api.Get($"/v1/accounts/{id}")).Json;
        Assert.Equal(("active", before), (after.GetProperty("status").GetString(), after.GetProperty("subscriptions").GetRawText()));
    }

    [Theory]
    [InlineData("""{"changes":[],"when":"now","reason":"x","dry_run":"yes"}""", "dry_run", "The field dry_run is true or false, given once. Nothing was stored.")]
    [InlineData("""{"changes":{},"when":"now","reason":"x"}""", "changes", "The field changes is a list, given once. Nothing was stored.")]
    [InlineData("""{"changes":[],"when":"now","reason":5}""", "reason", "The field reason is a text, given once. Nothing was stored.")]
    public async Task ValueOfTheWrongKind_IsRefusedWithTheKindThatIsNeeded(string body, string field, string sentence)
    {
        await platform.Api.Open($"kind-{field}", "desk-basic");

        var answer = await platform.Api.Post($"/v1/accounts/kind-{field}/plans", body);

        answer.IsProblem(400, field);
        Assert.Equal(sentence, answer.Json.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task PaymentMethodOfAPendingAccount_ShowsWhatBeginsWithIt()
    {
        var opened = await platform.Api.Post("/v1/accounts", """{"id":"waits","name":"Waits","email":"w@example.com","plans":["desk-basic"]}""");
        Assert.Equal("pending", opened.Json.GetProperty("status").GetString());

        var shown = (await platform.Api.Post("/v1/accounts/waits/payment-method", """{"payment_method":"pm_card_visa","reason":"They asked for it.","dry_run":true}""")).Json;
        await platform.Api.Post("/v1/accounts/waits/payment-method", """{"payment_method":"pm_card_visa","reason":"They asked for it."}""");

        await Eventually.True(async () => (await platform.Api.Get("/v1/accounts/waits")).Json.GetProperty("status").GetString() == "active", "the account is active");
        var invoice = (await platform.Api.Get("/v1/accounts/waits/invoices/1")).Json;
        Assert.Equal(invoice.GetProperty("total").GetInt64(), shown.GetProperty("total").GetInt64());
        Assert.Equal(invoice.GetProperty("lines")[0].GetProperty("amount").GetInt64(), shown.GetProperty("lines")[0].GetProperty("amount").GetInt64());
    }

    [Fact]
    public async Task AScheduledChange_IsShownAndUndone()
    {
        await platform.Api.Open("planner", "desk-pro");
        var made = await platform.Api.Post("/v1/accounts/planner/plans", """{"changes":[{"product":"desk","plan":"desk-basic"}],"when":"period_end","reason":"They asked for it."}""");
        Assert.Equal(200, made.Status);

        var change = (await platform.Api.Get("/v1/accounts/planner")).Json.GetProperty("subscriptions")[0].GetProperty("scheduled_change");
        Assert.Equal(("plan", "desk-basic", "They asked for it."), (change.GetProperty("kind").GetString(), change.GetProperty("plan").GetString(), change.GetProperty("reason").GetString()));
        Assert.Equal(200, (await platform.Api.Send("DELETE", "/v1/accounts/planner/plans/scheduled/desk")).Status);

        Assert.False((await platform.Api.Get("/v1/accounts/planner")).Json.GetProperty("subscriptions")[0].TryGetProperty("scheduled_change", out _));
        (await platform.Api.Send("DELETE", "/v1/accounts/planner/plans/scheduled/desk")).IsProblem(409, "product");
    }

    [Fact]
    public async Task Settings_AreShownAndStayUnlessNamed()
    {
        await platform.Api.Open("setter", "desk-basic");

        var all = await platform.Api.Post(
            "/v1/accounts/setter/settings", """{"automatic_plan_changes":false,"alerts":[90,{"meter":"desk.tickets","percent":120},{"amount":50000}],"spend_cap":{"amount":100000,"kind":"hard"},"reason":"They asked for it."}""");
        Assert.True(all.Status == 200, all.Text);
        await platform.Api.Post("/v1/accounts/setter/settings", """{"automatic_plan_changes":true,"reason":"They asked for it."}""");

        var account = (await platform.Api.Get("/v1/accounts/setter")).Json;
        Assert.True(account.GetProperty("automatic_plan_changes").GetBoolean());
        Assert.Equal(
            """[{"percent":90},{"meter":"desk.tickets","percent":120},{"amount":50000}] {"amount":100000,"kind":"hard"}""",
            $"{account.GetProperty("alerts").GetRawText()} {account.GetProperty("spend_cap").GetRawText()}");
        await platform.Api.Post("/v1/accounts/setter/settings", """{"spend_cap":null,"alerts":[],"reason":"They asked for it."}""");
        account = (await platform.Api.Get("/v1/accounts/setter")).Json;
        Assert.Equal((0, false), (account.GetProperty("alerts").GetArrayLength(), account.TryGetProperty("spend_cap", out _)));
    }

    [Theory]
    [InlineData("""{"reason":"They asked for it."}""", "automatic_plan_changes")]
    [InlineData("""{"alerts":[0],"reason":"They asked for it."}""", "alerts[0].percent")]
    [InlineData("""{"alerts":[null],"reason":"They asked for it."}""", "alerts[0]")]
    [InlineData("""{"alerts":[90,90],"reason":"They asked for it."}""", "alerts[1]")]
    [InlineData("""{"spend_cap":5,"reason":"They asked for it."}""", "spend_cap")]
    [InlineData("""{"spend_cap":{"amount":0,"kind":"soft"},"reason":"They asked for it."}""", "spend_cap.amount")]
    [InlineData("""{"automatic_plan_changes":true}""", "reason")]
    public async Task SettingsThatCannotBe_AreRefused(string body, string field)
    {
        var id = $"refused-{field.Replace('[', '-').Replace(']', '-')}";
        await platform.Api.Open(id, "desk-basic");

        (await platform.Api.Post($"/v1/accounts/{id}/settings", body)).IsProblem(400, field);
    }

    [Fact]
    public async Task AnEntitlement_SaysWhy()
    {
        await platform.Api.Open("user", "desk-basic");

        var given = (await platform.Api.Get("/v1/accounts/user/entitlements/desk.tickets")).Json;

        Assert.True(given.GetProperty("allowed").GetBoolean());
        Assert.Equal("0", given.GetProperty("used").GetString());
        Assert.Contains("includes", given.GetProperty("reason").GetString(), StringComparison.Ordinal);
        (await platform.Api.Get("/v1/accounts/user/entitlements/nothing")).IsProblem(404, "feature");
        (await platform.Api.Get("/v1/accounts/nobody-at-all/entitlements/desk.tickets")).IsProblem(404, "id");
    }
}
