using Billing.Silo.Sandbox;

namespace Billing.Tests.Sandbox;

/// <summary>What is given again under a key, what is refused, and what is not saved.</summary>
public sealed class IdempotencyTests
{
    private readonly SandboxRun _run = new();

    [Fact]
    public void SameRequestAgain_GivesTheSameAnswerAndDoesNothing()
    {
        var first = _run.Send("POST", "/v1/customers", "name=A&metadata[x]=1", "k");
        var again = _run.Send("POST", "/v1/customers", "metadata[x]=1&name=A", "k");

        Assert.Equal((first.Status, first.Body), (again.Status, again.Body));
        Assert.False(first.Headers.ContainsKey("Idempotent-Replayed"));
        Assert.Equal("true", again.Headers["Idempotent-Replayed"]);
        Assert.NotEqual(first.Headers["Request-Id"], again.Headers["Request-Id"]);
        Assert.Single(_run.List("/v1/customers"));
        Assert.Equal([false, true], _run.Held["requests"]!.AsArray().Where(r => (string)r!["method"]! == "POST").Select(r => (bool)r!["replayed"]!));
    }

    [Theory]
    [InlineData("/v1/customers", "name=B")]
    [InlineData("/v1/customers", "name=A&email=x")]
    [InlineData("/v1/webhook_endpoints", "name=A")]
    public void KeyOfAnotherRequest_IsRefusedAndTheFirstAnswerStays(string path, string form)
    {
        var first = _run.Send("POST", "/v1/customers", "name=A", "k");

        var error = _run.Refused(400, path, form, "k");

        Assert.Equal("idempotency_error", (string)error["type"]!);
        Assert.Equal(first.Body, _run.Send("POST", "/v1/customers", "name=A", "k").Body);
        Assert.Single(_run.List("/v1/customers"));
    }

    [Fact]
    public void AfterADay_TheKeyIsNew()
    {
        _run.Post("/v1/customers", "name=A", "k");
        _run.Now += TimeSpan.FromHours(24) - TimeSpan.FromSeconds(1);
        _run.Post("/v1/customers", "name=A", "k");
        Assert.Single(_run.List("/v1/customers"));

        _run.Now += TimeSpan.FromSeconds(1);
        var later = _run.Send("POST", "/v1/customers", "name=other", "k");

        Assert.False(later.Replayed);
        Assert.Equal(2, _run.List("/v1/customers").Count);
    }

    [Fact]
    public void DeclinedCharge_IsGivenAgain()
    {
        var customer = _run.Customer("pm_card_chargeCustomerFail");
        var invoice = _run.Open(customer);

        var declined = _run.Send("POST", $"/v1/invoices/{invoice}/pay", "", "pay/1");
        var again = _run.Send("POST", $"/v1/invoices/{invoice}/pay", "", "pay/1");

        Assert.Equal(402, declined.Status);
        Assert.Equal((declined.Body, true), (again.Body, again.Replayed));
        Assert.Single(_run.List("/v1/charges"));
    }

    [Fact]
    public void RefusalOfTheMethodItself_IsGivenAgain()
    {
        Assert.Equal(404, _run.Send("POST", "/v1/invoices/in_none/pay", "", "k").Status);

        Assert.True(_run.Send("POST", "/v1/invoices/in_none/pay", "", "k").Replayed);
    }

    [Theory]
    [InlineData("nonsense=1", 400)]
    [InlineData("balance=much", 400)]
    public void RequestThatNeverBegan_IsNotSaved(string form, int status)
    {
        _run.Refused(status, "/v1/customers", form, "k");

        Assert.Equal(200, _run.Send("POST", "/v1/customers", "name=A", "k").Status);
    }

    [Fact]
    public void RequestWithoutAKeyOfOurs_IsNotSaved()
    {
        Assert.Equal(401, _run.Send("POST", "/v1/customers", "name=A", "k", authorization: null).Status);

        Assert.False(_run.Send("POST", "/v1/customers", "name=A", "k").Replayed);
    }

    [Theory]
    [InlineData(FaultKinds.RateLimited, 429)]
    [InlineData(FaultKinds.Conflict409, 409)]
    public void RefusedBeforeItBegan_IsNotSavedAndNotDone(string fault, int status)
    {
        _run.Stripe.SetFaults([fault], 1, 1);
        var refused = _run.Send("POST", "/v1/customers", "name=A", "k");
        _run.Stripe.SetFaults([], 0, 0);

        Assert.Equal((status, "true"), (refused.Status, refused.Headers["Stripe-Should-Retry"]));
        Assert.Empty(_run.List("/v1/customers"));
        Assert.False(_run.Send("POST", "/v1/customers", "name=A", "k").Replayed);
    }

    [Fact]
    public void KeysOfReadsAndDeletes_DoNotCount()
    {
        var customer = _run.Customer();

        Assert.Equal(200, _run.Send("GET", $"/v1/customers/{customer}", "", "k").Status);
        Assert.Equal(200, _run.Send("DELETE", $"/v1/customers/{customer}", "", "k").Status);
        Assert.Equal(404, _run.Send("DELETE", $"/v1/customers/{customer}", "", "k").Status);
    }

    [Theory]
    [InlineData(255, 200)]
    [InlineData(256, 400)]
    public void KeyIsAtMost255CharactersLong(int length, int status) => Assert.Equal(status, _run.Send("POST", "/v1/customers", "", new string('k', length)).Status);

    [Fact]
    public void ManyOldKeys_AreForgotten()
    {
        for (var i = 0; i < 50; i++) _run.Post("/v1/customers", "", $"k{i}");
        _run.Now += TimeSpan.FromDays(2);
        for (var i = 0; i < 10; i++) _run.Get("/v1/customers");

        Assert.DoesNotContain(_run.Store.Load(), r => r.Kind == Kinds.Answer);
    }
}
