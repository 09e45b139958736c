using System.Text;
using Billing.Silo.Sandbox;

namespace Billing.Tests.Sandbox;

/// <summary>What holds for every request: keys, routes, parameters and lists.</summary>
public sealed class RequestTests
{
    private readonly SandboxRun _run = new();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Bearer ")]
    [InlineData("Bearer sk_live_1")]
    [InlineData("Bearer sk_test_")]
    [InlineData("Bearer pk_test_1")]
    [InlineData("Basic !!!")]
    [InlineData("sk_test_1")]
    public void WithoutATestKey_IsRefused(string? authorization)
    {
        var error = SandboxRun.Error(401, _run.Send("POST", "/v1/customers", authorization: authorization));

        Assert.Equal("invalid_request_error", error.Text("type"));
        Assert.Empty(_run.List("/v1/customers"));
    }

    [Fact]
    public void AnyTestKey_IsTaken()
    {
        var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes("sk_test_abc:"));

        Assert.All(new[] { "Bearer sk_test_x", $"Basic {basic}" }, a => Assert.Equal(200, _run.Send("GET", "/v1/customers", authorization: a).Status));
    }

    [Theory]
    [InlineData("GET", "/v1/nothing")]
    [InlineData("GET", "/")]
    [InlineData("DELETE", "/v1/charges/ch_1")]
    [InlineData("PUT", "/v1/customers")]
    [InlineData("POST", "/v1/customers/")]
    public void UnknownRoute_IsStripesOwnAnswer(string method, string path)
    {
        var error = SandboxRun.Error(404, _run.Send(method, path));

        Assert.Equal("invalid_request_error", error.Text("type"));
        Assert.StartsWith($"Unrecognized request URL ({method}: {path})", error.Text("message"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/customers", "nonsense=1", "nonsense", "parameter_unknown")]
    [InlineData("/v1/customers", "address[planet]=mars", "address[planet]", "parameter_unknown")]
    [InlineData("/v1/customers", "balance=1.5", "balance", "parameter_invalid_integer")]
    [InlineData("/v1/customers", "metadata[a][b]=1", "metadata[a][b]", "parameter_unknown")]
    [InlineData("/v1/invoices", "", "customer", "parameter_missing")]
    [InlineData("/v1/invoices", "customer=", "customer", "parameter_invalid_empty")]
    [InlineData("/v1/invoices", "customer=cus_none", "customer", "resource_missing")]
    [InlineData("/v1/refunds", "amount=5", "charge", "parameter_missing")]
    [InlineData("/v1/refunds", "charge=ch_none", "charge", "resource_missing")]
    [InlineData("/v1/webhook_endpoints", "url=here&enabled_events[]=*", "url", "url_invalid")]
    public void WrongParameter_IsNamed(string path, string form, string parameter, string code)
    {
        var error = _run.Refused(400, path, form);

        Assert.Equal(("invalid_request_error", parameter, code), (error.Text("type"), error.Text("param"), error.Text("code")));
    }

    [Fact]
    public void TextsAndMetadata_ComeBackAsTheyWereSent()
    {
        var customer = _run.Post("/v1/customers", "name=%C3%84rzte+%26+S%C3%B6hne&metadata[a%20key]=1%2B1%3D2&metadata[_x]=y");

        Assert.Equal("Ärzte & Söhne", customer.Text("name"));
        Assert.Equal("1+1=2", (string)customer["metadata"]!["a key"]!);
        Assert.Equal("y", (string)customer["metadata"]!["_x"]!);
    }

    [Fact]
    public void List_ComesInPagesFromTheNewestOn()
    {
        var made = Enumerable.Range(0, 23).Select(i => _run.Post("/v1/customers", $"email={(i % 2 == 0 ? "even" : "odd")}@x").Id()).Reverse().ToList();

        Assert.Equal(10, _run.List("/v1/customers").Count);
        Assert.Equal(made, _run.Pages("/v1/customers", 5));
        Assert.Equal(made, _run.Pages("/v1/customers", 23));
        Assert.Equal(made.Where((_, i) => i % 2 == 0), _run.Pages("/v1/customers?email=even@x", 4));
        Assert.Equal(made[2..5], _run.List($"/v1/customers?limit=3&ending_before={made[5]}").Select(c => c.Id()));
        Assert.False((bool)_run.Get($"/v1/customers?limit=100&starting_after={made[^1]}")["has_more"]!);
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=101", "limit")]
    [InlineData("limit=x", "limit")]
    [InlineData("starting_after=cus_none", "starting_after")]
    [InlineData("colour=red", "colour")]
    public void WrongPage_IsRefused(string query, string parameter) => Assert.Equal(parameter, SandboxRun.Error(400, _run.Send("GET", $"/v1/customers?{query}")).Text("param"));

    [Fact]
    public void Invoices_AreListedByCustomerAndStatus()
    {
        var (one, other) = (_run.Customer(), _run.Customer());
        var open = _run.Open(one);
        var draft = _run.Draft(one);
        _run.Open(other);

        Assert.Equal([draft, open], _run.List($"/v1/invoices?customer={one}").Select(i => i.Id()));
        Assert.Equal([open], _run.List($"/v1/invoices?customer={one}&status=open").Select(i => i.Id()));
        Assert.Equal("resource_missing", SandboxRun.Error(400, _run.Send("GET", "/v1/invoices?customer=cus_none")).Text("code"));
    }

    [Fact]
    public void ListByTime_HoldsItsBounds()
    {
        var first = _run.Customer();
        _run.Now += TimeSpan.FromHours(1);
        var second = _run.Customer();
        var at = _run.Now.ToUnixTimeSeconds();

        Assert.Equal([second], _run.List($"/v1/customers?created[gte]={at}").Select(c => c.Id()));
        Assert.Equal([first], _run.List($"/v1/customers?created[lt]={at}").Select(c => c.Id()));
        Assert.Empty(_run.List($"/v1/customers?created[gt]={at}"));
    }

    [Fact]
    public void DeletedCustomer_SaysSoAndTakesNoInvoice()
    {
        var customer = _run.Customer();
        Assert.Equal(200, _run.Send("DELETE", $"/v1/customers/{customer}").Status);

        Assert.True((bool)_run.Get($"/v1/customers/{customer}")["deleted"]!);
        Assert.Equal("resource_missing", _run.Refused(400, "/v1/invoices", $"customer={customer}").Text("code"));
        Assert.Empty(_run.List("/v1/customers"));
    }

    [Fact]
    public void DetachedPaymentMethod_IsNobodysForGood()
    {
        var customer = _run.Customer();
        var card = _run.List($"/v1/payment_methods?customer={customer}").Single().Id();

        var detached = _run.Post($"/v1/payment_methods/{card}/detach");

        Assert.Null(detached["customer"]);
        Assert.Null(_run.Get($"/v1/customers/{customer}")["invoice_settings"]!["default_payment_method"]);
        Assert.Empty(_run.List($"/v1/customers/{customer}/payment_methods"));
        _run.Refused(400, $"/v1/payment_methods/{card}/attach", $"customer={customer}");
        _run.Refused(400, $"/v1/payment_methods/{card}/detach");
    }

    [Fact]
    public void DefaultPaymentMethod_HasToBeTheCustomersOwn()
    {
        var others = _run.List($"/v1/payment_methods?customer={_run.Customer()}").Single().Id();
        var customer = _run.Post("/v1/customers").Id();

        var error = _run.Refused(400, $"/v1/customers/{customer}", $"invoice_settings[default_payment_method]={others}&name=B");
        Assert.Equal(("resource_missing", "invoice_settings[default_payment_method]"), (error.Text("code"), error.Text("param")));
        Assert.Null(_run.Get($"/v1/customers/{customer}")["name"]);

        var own = _run.Post("/v1/payment_methods/pm_card_visa/attach", $"customer={customer}").Id();
        Assert.Equal(own, (string)_run.Post($"/v1/customers/{customer}", $"invoice_settings[default_payment_method]={own}")["invoice_settings"]!["default_payment_method"]!);
    }

    [Fact]
    public void SameSeedAndCalls_GiveTheSameAnswers()
    {
        var (one, same, other) = (new SandboxRun(seed: 7), new SandboxRun(seed: 7), new SandboxRun(seed: 8));

        var bodies = new[] { one, same, other }.Select(r =>
        {
            var invoice = r.Open(r.Customer());
            return r.Post($"/v1/invoices/{invoice}/pay").ToJsonString();
        }).ToList();

        Assert.Equal(bodies[0], bodies[1]);
        Assert.NotEqual(bodies[0], bodies[2]);
        Assert.Equal(one.Stripe.Snapshot(), same.Stripe.Snapshot());
    }
}
