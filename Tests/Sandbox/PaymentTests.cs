using Billing.Silo.Sandbox;

namespace Billing.Tests.Sandbox;

/// <summary>What becomes of payments: paid, declined, waiting for someone, below the smallest charge, taken back.</summary>
public sealed class PaymentTests
{
    private readonly SandboxRun _run = new();

    [Fact]
    public void Pay_ChargesTheAmountOnce()
    {
        var customer = _run.Customer();
        var invoice = _run.Open(customer, 1234, "acme/1/1");

        var paid = _run.Post($"/v1/invoices/{invoice}/pay");

        Assert.Equal(("paid", 1234L, 0L, 1L), (paid.Text("status"), paid.Number("amount_paid"), paid.Number("amount_remaining"), paid.Number("attempt_count")));
        var charge = _run.List($"/v1/charges?customer={customer}").Single();
        Assert.Equal((1234L, "usd", "succeeded"), (charge.Number("amount"), charge.Text("currency"), charge.Text("status")));
        var intent = _run.Get($"/v1/payment_intents/{charge.Text("payment_intent")}");
        Assert.Equal(("succeeded", 1234L, charge.Id()), (intent.Text("status"), intent.Number("amount_received"), intent.Text("latest_charge")));
        var payment = _run.List($"/v1/invoice_payments?invoice={invoice}").Single();
        Assert.Equal(("paid", 1234L, intent.Id()), (payment.Text("status"), payment.Number("amount_paid"), (string)payment["payment"]!["payment_intent"]!));
        Assert.Equal(payment.Id(), _run.List($"/v1/invoice_payments?payment[type]=payment_intent&payment[payment_intent]={intent.Id()}").Single().Id());
        var held = _run.Held["charges"]!.AsArray().Single()!.AsObject();
        Assert.Equal((charge.Id(), customer, invoice, 1234L, "usd", "succeeded", "acme/1/1"),
            (held.Id(), held.Text("customer"), held.Text("invoice"), held.Number("amount"), held.Text("currency"), held.Text("status"), (string)held["metadata"]!["intent"]!));
    }

    [Theory]
    [InlineData("pm_card_chargeDeclined", "card_declined", "generic_decline")]
    [InlineData("pm_card_visa_chargeDeclined", "card_declined", "generic_decline")]
    [InlineData("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds")]
    [InlineData("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds")]
    [InlineData("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card")]
    [InlineData("pm_card_chargeDeclinedStolenCard", "card_declined", "stolen_card")]
    [InlineData("pm_card_chargeDeclinedExpiredCard", "expired_card", null)]
    [InlineData("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", null)]
    [InlineData("pm_card_chargeDeclinedProcessingError", "processing_error", null)]
    public void DecliningCard_IsDeclinedWhenAttachedAndWhenCharged(string token, string code, string? declineCode)
    {
        var customer = _run.Post("/v1/customers").Id();
        var invoice = _run.Open(customer);

        foreach (var error in new[] { _run.Refused(402, $"/v1/payment_methods/{token}/attach", $"customer={customer}"), _run.Refused(402, $"/v1/invoices/{invoice}/pay", $"payment_method={token}") })
            Assert.Equal(("card_error", code, declineCode), (error.Text("type"), error.Text("code"), error.TextOrNone("decline_code")));

        Assert.Empty(_run.List($"/v1/payment_methods?customer={customer}"));
        var charge = _run.List($"/v1/charges?customer={customer}").Single();
        Assert.Equal(("failed", code), (charge.Text("status"), charge.Text("failure_code")));
        Assert.Equal("open", _run.Invoice(invoice).Text("status"));
    }

    [Fact]
    public void CardThatFailsAfterAttaching_IsDeclinedEachTime()
    {
        var customer = _run.Customer("pm_card_chargeCustomerFail");
        var invoice = _run.Open(customer);

        var first = _run.Refused(402, $"/v1/invoices/{invoice}/pay", "", "1");
        _run.Refused(402, $"/v1/invoices/{invoice}/pay", "", "2");

        Assert.Equal("generic_decline", first.Text("decline_code"));
        Assert.Equal(2L, _run.Invoice(invoice).Number("attempt_count"));
        var charges = _run.List($"/v1/charges?customer={customer}");
        Assert.Equal(["failed", "failed"], charges.Select(c => c.Text("status")));
        Assert.Equal(charges[1].Id(), first.Text("charge"));
        Assert.Equal("requires_payment_method", _run.List($"/v1/payment_intents?customer={customer}").Single().Text("status"));

        // Another card pays the same intent.
        var card = _run.Post("/v1/payment_methods/pm_card_visa/attach", $"customer={customer}").Id();
        Assert.Equal("paid", _run.Post($"/v1/invoices/{invoice}/pay", $"payment_method={card}", "3").Text("status"));
        Assert.Single(_run.List($"/v1/payment_intents?customer={customer}"));
    }

    [Fact]
    public void CardThatNeedsAuthentication_WaitsForTheCustomer()
    {
        var customer = _run.Customer("pm_card_authenticationRequired");
        var invoice = _run.Open(customer);

        var error = _run.Refused(402, $"/v1/invoices/{invoice}/pay");

        Assert.Equal("invoice_payment_intent_requires_action", error.Text("code"));
        Assert.Equal("requires_action", _run.List($"/v1/payment_intents?customer={customer}").Single().Text("status"));
        Assert.Equal("open", _run.Invoice(invoice).Text("status"));
        Assert.Empty(_run.List($"/v1/charges?customer={customer}"));
    }

    [Theory]
    [InlineData("pm_usBankAccount_success", "paid", "succeeded")]
    [InlineData("pm_usBankAccount_insufficientFunds", "open", "failed")]
    public void BankDebit_IsUnderWayForDaysAndThenEnds(string token, string status, string chargeStatus)
    {
        var customer = _run.Customer(token);
        var invoice = _run.Open(customer);

        Assert.Equal("open", _run.Post($"/v1/invoices/{invoice}/pay").Text("status"));
        Assert.Equal("pending", _run.List("/v1/charges").Single().Text("status"));
        _run.Refused(400, $"/v1/invoices/{invoice}/pay");
        _run.Refused(400, $"/v1/invoices/{invoice}/void");
        Assert.Equal(_run.Now + Payments.DebitTakes, _run.Stripe.NextDueAt);

        _run.Now += Payments.DebitTakes;
        _run.Deliver();

        Assert.Equal(status, _run.Invoice(invoice).Text("status"));
        Assert.Equal(chargeStatus, _run.List("/v1/charges").Single().Text("status"));
    }

    [Fact]
    public void WithoutAPaymentMethod_PayIsRefused()
    {
        var invoice = _run.Open(_run.Post("/v1/customers").Id());

        Assert.Equal("invalid_request_error", _run.Refused(400, $"/v1/invoices/{invoice}/pay").Text("type"));
        Assert.Empty(_run.List("/v1/charges"));
    }

    [Fact]
    public void AnothersPaymentMethod_IsRefused()
    {
        var other = _run.List($"/v1/payment_methods?customer={_run.Customer()}").Single().Id();
        var invoice = _run.Open(_run.Customer());

        Assert.Equal("resource_missing", _run.Refused(400, $"/v1/invoices/{invoice}/pay", $"payment_method={other}").Text("code"));
    }

    [Theory]
    [InlineData(49, "paid", 49, 0)]
    [InlineData(50, "open", 0, 50)]
    [InlineData(0, "paid", 0, 0)]
    [InlineData(-700, "paid", -700, 0)]
    public void LittleOrNothingDue_IsPaidAtOnceAndGoesToTheBalance(long amount, string status, long balance, long due)
    {
        var customer = _run.Customer();

        var invoice = _run.Invoice(_run.Open(customer, amount));

        Assert.Equal((status, due), (invoice.Text("status"), invoice.Number("amount_due")));
        Assert.Equal(balance, _run.Get($"/v1/customers/{customer}").Number("balance"));
        Assert.Empty(_run.List("/v1/charges"));
    }

    [Theory]
    [InlineData(-300, 1000, 700, 0)]
    [InlineData(-3000, 1000, 0, -2000)]
    [InlineData(200, 1000, 1200, 0)]
    [InlineData(20, 20, 0, 40)]
    public void BalanceOfTheCustomer_IsTakenIntoTheNextInvoice(long balance, long total, long due, long left)
    {
        var customer = _run.Customer();
        _run.Post($"/v1/customers/{customer}", $"balance={balance}");

        var invoice = _run.Invoice(_run.Open(customer, total));

        Assert.Equal((total, due, balance, left), (invoice.Number("total"), invoice.Number("amount_due"), invoice.Number("starting_balance"), invoice.Number("ending_balance")));
        Assert.Equal(left, _run.Get($"/v1/customers/{customer}").Number("balance"));
        var transactions = _run.List($"/v1/customers/{customer}/balance_transactions");
        Assert.Equal(left, transactions.Sum(t => t.Number("amount")));
        Assert.Equal(left, transactions[0].Number("ending_balance"));
    }

    [Fact]
    public void VoidedInvoice_GivesTheBalanceBack()
    {
        var customer = _run.Customer();
        _run.Post($"/v1/customers/{customer}", "balance=-300");
        var invoice = _run.Open(customer, 1000);

        Assert.Equal("void", _run.Post($"/v1/invoices/{invoice}/void").Text("status"));

        Assert.Equal(-300L, _run.Get($"/v1/customers/{customer}").Number("balance"));
        _run.Refused(400, $"/v1/invoices/{invoice}/pay");
        Assert.Equal("canceled", _run.List("/v1/payment_intents").Single().Text("status"));
    }

    [Fact]
    public void Refund_IsNeverOfMoreThanIsLeft()
    {
        var invoice = _run.Open(_run.Customer(), 1000);
        _run.Post($"/v1/invoices/{invoice}/pay");
        var charge = _run.List("/v1/charges").Single();

        var part = _run.Post("/v1/refunds", $"charge={charge.Id()}&amount=400");
        _run.Refused(400, "/v1/refunds", $"charge={charge.Id()}&amount=601");
        var rest = _run.Post("/v1/refunds", $"payment_intent={charge.Text("payment_intent")}");
        var error = _run.Refused(400, "/v1/refunds", $"charge={charge.Id()}");

        Assert.Equal((400L, 600L, "charge_already_refunded"), (part.Number("amount"), rest.Number("amount"), error.Text("code")));
        var refunded = _run.Get($"/v1/charges/{charge.Id()}?expand[]=balance_transaction");
        Assert.Equal((1000L, true, "succeeded"), (refunded.Number("amount_refunded"), refunded.Flag("refunded"), refunded.Text("status")));
        Assert.Equal(2, refunded["refunds"]!["data"]!.AsArray().Count);
        Assert.Equal(1000L - 59, (long)refunded["balance_transaction"]!["net"]!);
        Assert.Equal(2, _run.List($"/v1/refunds?charge={charge.Id()}").Count);
    }

    [Fact]
    public void DisputedCharge_IsToldAndCannotBeRefunded()
    {
        var invoice = _run.Open(_run.Customer("pm_card_createDispute"));

        Assert.Equal("paid", _run.Post($"/v1/invoices/{invoice}/pay").Text("status"));

        var charge = _run.List("/v1/charges").Single();
        Assert.True(charge.Flag("disputed"));
        Assert.Equal(charge.Id(), _run.List("/v1/disputes").Single().Text("charge"));
        Assert.Single(_run.List("/v1/events?type=charge.dispute.created"));
        Assert.Equal("charge_disputed", _run.Refused(400, "/v1/refunds", $"charge={charge.Id()}").Text("code"));
    }

    [Fact]
    public void CreditNoteOfAnOpenInvoice_TakesOffWhatIsDue()
    {
        var invoice = _run.Open(_run.Customer(), 1000);

        var note = _run.Post("/v1/credit_notes", $"invoice={invoice}&amount=400");
        var less = _run.Invoice(invoice);
        _run.Refused(400, "/v1/credit_notes", $"invoice={invoice}&amount=601");
        _run.Post($"/v1/invoices/{invoice}/pay");

        Assert.Equal((400L, "pre_payment"), (note.Number("amount"), note.Text("type")));
        Assert.Equal((1000L, 600L), (less.Number("total"), less.Number("amount_remaining")));
        Assert.Equal(600L, _run.List("/v1/charges").Single().Number("amount"));
    }

    [Fact]
    public void CreditNoteOfAPaidInvoice_GoesBackAsItSays()
    {
        var customer = _run.Customer();
        var invoice = _run.Open(customer, 1000);
        _run.Post($"/v1/invoices/{invoice}/pay");

        _run.Refused(400, "/v1/credit_notes", $"invoice={invoice}&amount=700&refund_amount=500");
        var note = _run.Post("/v1/credit_notes", $"invoice={invoice}&amount=700&refund_amount=500&credit_amount=200");

        Assert.Equal((500L, 1000L), ((long)note["refunds"]![0]!["amount_refunded"]!, _run.Invoice(invoice).Number("total")));
        Assert.Equal(700L, _run.Invoice(invoice).Number("post_payment_credit_notes_amount"));
        Assert.Equal(500L, _run.List("/v1/charges").Single().Number("amount_refunded"));
        Assert.Equal(-200L, _run.Get($"/v1/customers/{customer}").Number("balance"));
    }

    [Fact]
    public void PaidElsewhere_ChargesNothing()
    {
        var invoice = _run.Open(_run.Customer());

        Assert.Equal("paid", _run.Post($"/v1/invoices/{invoice}/pay", "paid_out_of_band=true").Text("status"));

        Assert.Empty(_run.List("/v1/charges"));
    }

    [Fact]
    public void InvoiceThatAdvances_IsFinalisedAndCollectedByItself()
    {
        var customer = _run.Customer();
        var invoice = _run.Post("/v1/invoices", $"customer={customer}&auto_advance=true").Id();
        _run.Post($"/v1/invoices/{invoice}/add_lines", "lines[0][amount]=900");
        var kept = _run.Draft(customer);

        _run.Now += TimeSpan.FromHours(1);

        Assert.Equal("paid", _run.Invoice(invoice).Text("status"));
        Assert.Equal("draft", _run.Invoice(kept).Text("status"));
        Assert.Equal(900L, _run.List("/v1/charges").Single().Number("amount"));
    }
}
