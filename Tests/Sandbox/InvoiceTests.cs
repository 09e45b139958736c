using Billing.Silo.Sandbox;

namespace Billing.Tests.Sandbox;

/// <summary>The life of an invoice, its lines, and what is refused in each state.</summary>
public sealed class InvoiceTests
{
    private readonly SandboxRun _run = new();

    [Fact]
    public void Draft_BecomesOpenThenPaid()
    {
        var customer = _run.Customer();
        var invoice = _run.Draft(customer, 1000, "acme/7/1");
        var draft = _run.Invoice(invoice);

        var open = _run.Post($"/v1/invoices/{invoice}/finalize");
        var paid = _run.Post($"/v1/invoices/{invoice}/pay");

        Assert.Equal(("draft", null, 1000L), (draft.Text("status"), draft.TextOrNone("number"), draft.Number("total")));
        Assert.Equal("open", open.Text("status"));
        Assert.EndsWith("-0001", open.Text("number"), StringComparison.Ordinal);
        Assert.Equal(_run.Now.ToUnixTimeSeconds(), (long)paid["status_transitions"]!["paid_at"]!);
        Assert.Equal("acme/7/1", (string)paid["metadata"]!["intent"]!);
        var line = open["lines"]!["data"]!.AsArray().Single()!;
        Assert.Equal((1000L, "Usage", "1"), ((long)line["amount"]!, (string)line["description"]!, (string)line["metadata"]!["line"]!));
    }

    [Theory]
    [InlineData("finalize", "")]
    [InlineData("add_lines", "lines[0][amount]=5")]
    [InlineData("remove_lines", "lines[0][id]=il_x&lines[0][behavior]=delete")]
    public void FinalisedInvoice_DoesNotChange(string what, string form)
    {
        var invoice = _run.Open(_run.Customer());
        var before = _run.Invoice(invoice).ToJsonString();

        Assert.Equal("invoice_not_editable", _run.Refused(400, $"/v1/invoices/{invoice}/{what}", form).Text("code"));

        Assert.Equal(400, _run.Send("DELETE", $"/v1/invoices/{invoice}").Status);
        Assert.Equal(before, _run.Invoice(invoice).ToJsonString());
        Assert.Equal("b", (string)_run.Post($"/v1/invoices/{invoice}", "metadata[a]=b")["metadata"]!["a"]!);
    }

    [Theory]
    [InlineData("draft", "void mark_uncollectible")]
    [InlineData("paid", "pay void mark_uncollectible finalize")]
    [InlineData("void", "pay void mark_uncollectible finalize")]
    [InlineData("uncollectible", "mark_uncollectible finalize")]
    public void WhatTheStateDoesNotAllow_IsRefused(string state, string acts)
    {
        var customer = _run.Customer();
        var invoice = state == "draft" ? _run.Draft(customer) : _run.Open(customer);
        if (state is not "draft") _run.Post($"/v1/invoices/{invoice}/{state switch { "paid" => "pay", "void" => "void", _ => "mark_uncollectible" }}");

        foreach (var act in acts.Split(' ')) Assert.Equal("invalid_request_error", _run.Refused(400, $"/v1/invoices/{invoice}/{act}").Text("type"));

        Assert.Equal(state, _run.Invoice(invoice).Text("status"));
    }

    [Theory]
    [InlineData("pay", "paid")]
    [InlineData("void", "void")]
    public void UncollectibleInvoice_CanBePaidOrVoidedYet(string act, string status)
    {
        var invoice = _run.Open(_run.Customer());
        _run.Post($"/v1/invoices/{invoice}/mark_uncollectible");

        Assert.Equal(status, _run.Post($"/v1/invoices/{invoice}/{act}").Text("status"));
    }

    [Fact]
    public void DeletedDraft_IsGoneWithItsLines()
    {
        var invoice = _run.Draft(_run.Customer());

        var deleted = SandboxRun.Ok(_run.Send("DELETE", $"/v1/invoices/{invoice}"));

        Assert.Equal($$"""{"id":"{{invoice}}","object":"invoice","deleted":true}""", deleted.ToJsonString());
        Assert.Equal(404, _run.Send("GET", $"/v1/invoices/{invoice}").Status);
        Assert.Empty(_run.List("/v1/invoiceitems"));
    }

    [Fact]
    public void Lines_AreAddedChangedAndRemovedInBulk()
    {
        var invoice = _run.Post("/v1/invoices", $"customer={_run.Customer()}").Id();

        _run.Post($"/v1/invoices/{invoice}/add_lines", string.Join('&', Enumerable.Range(0, 25).Select(i => $"lines[{i}][amount]={100 + i}&lines[{i}][metadata][line]={i}")));
        var added = _run.Invoice(invoice);
        var lines = _run.Pages($"/v1/invoices/{invoice}/lines", 7);
        _run.Post($"/v1/invoices/{invoice}/update_lines", $"lines[0][id]={lines[0]}&lines[0][amount]=5000&lines[0][description]=More");
        _run.Post($"/v1/invoices/{invoice}/remove_lines", $"lines[0][id]={lines[1]}&lines[0][behavior]=delete&lines[1][id]={lines[2]}&lines[1][behavior]=unassign");
        var changed = _run.Invoice(invoice);

        Assert.Equal((2800L, 10, true), (added.Number("total"), added["lines"]!["data"]!.AsArray().Count, (bool)added["lines"]!["has_more"]!));
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}"), added["lines"]!["data"]!.AsArray().Select(l => (string)l!["metadata"]!["line"]!));
        Assert.Equal(25, lines.Distinct().Count());
        Assert.Equal(2800L + 5000 - 100 - 101 - 102, changed.Number("total"));
        Assert.Equal(23, _run.Pages($"/v1/invoices/{invoice}/lines", 100).Count);
        Assert.Equal(102L, _run.List($"/v1/invoiceitems?customer={changed.Text("customer")}&pending=true").Single().Number("amount"));
    }

    [Theory]
    [InlineData("lines[0][amount]=1.5", "lines[0][amount]", "parameter_invalid_integer")]
    [InlineData("lines[0][description]=a", "lines[0][amount]", "parameter_missing")]
    [InlineData("lines[0][amount]=1&lines[0][colour]=red", "lines[0][colour]", "parameter_unknown")]
    [InlineData("lines[0][amount]=1&lines[1][amount]=x", "lines[1][amount]", "parameter_invalid_integer")]
    [InlineData("", "lines", "parameter_missing")]
    public void WrongLine_IsNamedAndNoneIsAdded(string form, string parameter, string code)
    {
        var invoice = _run.Post("/v1/invoices", $"customer={_run.Customer()}").Id();

        var error = _run.Refused(400, $"/v1/invoices/{invoice}/add_lines", form, "k");

        Assert.Equal((parameter, code), (error.Text("param"), error.Text("code")));
        Assert.Empty(_run.List($"/v1/invoices/{invoice}/lines"));
        Assert.Empty(_run.List("/v1/invoiceitems"));
        Assert.Equal(5L, _run.Post($"/v1/invoices/{invoice}/add_lines", "lines[0][amount]=5", "k").Number("total"));
    }

    [Theory]
    [InlineData("include", 1700)]
    [InlineData("exclude", 0)]
    [InlineData("", 0)]
    public void PendingItems_AreSweptInOnlyWhenAskedFor(string behaviour, long total)
    {
        var customer = _run.Customer();
        _run.Post("/v1/invoiceitems", $"customer={customer}&amount=700&currency=usd");
        _run.Post("/v1/invoiceitems", $"customer={customer}&unit_amount_decimal=0.5&quantity=2000");

        var invoice = _run.Post("/v1/invoices", $"customer={customer}&pending_invoice_items_behavior={behaviour}");

        Assert.Equal(total, invoice.Number("total"));
        Assert.Equal(total == 0 ? 2 : 0, _run.List($"/v1/invoiceitems?customer={customer}&pending=true").Count);
    }

    [Fact]
    public void ItemOfAnInvoice_IsALineOfItAndGoesWithIt()
    {
        var customer = _run.Customer();
        var invoice = _run.Post("/v1/invoices", $"customer={customer}").Id();
        var item = _run.Post("/v1/invoiceitems", $"customer={customer}&invoice={invoice}&amount=300&description=Fee").Id();
        Assert.Equal(300L, _run.Invoice(invoice).Number("total"));

        _run.Post($"/v1/invoiceitems/{item}", "amount=350");
        Assert.Equal(350L, _run.Invoice(invoice).Number("total"));
        Assert.Equal(200, _run.Send("DELETE", $"/v1/invoiceitems/{item}").Status);

        Assert.Equal(0L, _run.Invoice(invoice).Number("total"));
        Assert.Empty(_run.List($"/v1/invoices/{invoice}/lines"));
    }

    [Fact]
    public void Expand_PutsObjectsInPlaceOfTheirIds()
    {
        var customer = _run.Customer();
        var invoice = _run.Open(customer);
        _run.Post($"/v1/invoices/{invoice}/pay");

        var one = _run.Get($"/v1/invoices/{invoice}?expand[]=customer.invoice_settings.default_payment_method&expand[]=payments.data.payment.payment_intent");
        var list = _run.Get($"/v1/charges?expand[]=data.customer&expand[]=data.balance_transaction");

        Assert.Equal("visa", (string)one["customer"]!["invoice_settings"]!["default_payment_method"]!["card"]!["brand"]!);
        Assert.Equal("succeeded", (string)one["payments"]!["data"]![0]!["payment"]!["payment_intent"]!["status"]!);
        Assert.Equal("Acme", (string)list["data"]![0]!["customer"]!["name"]!);
        Assert.Equal(customer, (string)_run.Invoice(invoice)["customer"]!);
        foreach (var wrong in new[] { "status", "nothing", "a.b.c.d.e" }) Assert.Equal(400, _run.Send("GET", $"/v1/invoices/{invoice}?expand[]={wrong}").Status);
    }

    [Fact]
    public void Metadata_IsLaidOverAndTakenAway()
    {
        var invoice = _run.Draft(_run.Customer());

        var more = _run.Post($"/v1/invoices/{invoice}", "metadata[b]=2&metadata[intent]=");
        var none = _run.Post($"/v1/invoices/{invoice}", "metadata=");

        Assert.Equal("""{"b":"2"}""", more["metadata"]!.ToJsonString());
        Assert.Equal("{}", none["metadata"]!.ToJsonString());
    }
}
