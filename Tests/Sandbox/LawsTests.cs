using Billing.Silo.Sandbox;
using FsCheck.Fluent;

namespace Billing.Tests.Sandbox;

/// <summary>What holds whatever is called, in whatever order, under whatever faults.</summary>
public sealed class LawsTests
{
    private const int Acts = 16;
    private const int Invoices = 3;

    private static readonly string[] Cards = ["pm_card_visa", "pm_card_chargeCustomerFail", "pm_usBankAccount", "pm_usBankAccount_accountClosed", "pm_card_authenticationRequired", "pm_card_createDispute"];

    [Fact]
    public void AnyOrderOfActs_ChargesAnInvoiceOnceAtTheMost() =>
        Prop.ForAll(Generated.SomeNumbers(Acts * Invoices * 100), steps => HoldsTogether(Played(steps, faults: []))).Holds(150);

    [Fact]
    public void AnyOrderOfActsUnderFaults_ChargesAnInvoiceOnceAtTheMost() =>
        Prop.ForAll(Generated.SomeNumbers(Acts * Invoices * 100), steps => HoldsTogether(Played(steps, FaultKinds.All))).Holds(150);

    [Fact]
    public void AnyState_IsTheSameTakenUpFromItsStore() => Prop.ForAll(Generated.SomeNumbers(Acts * Invoices * 100), steps =>
    {
        var store = new MemorySandboxStore();
        var run = Played(steps, FaultKinds.All, store);

        var again = new SandboxRun(store) { Now = run.Now };

        Assert.Equal(run.Stripe.Snapshot(), again.Stripe.Snapshot());
        Assert.Equal(run.Stripe.NextDueAt, again.Stripe.NextDueAt);
        run.Stripe.SetFaults([], 0, 0);
        again.Stripe.SetFaults([], 0, 0);
        Assert.Equal(run.Pages("/v1/events", 100), again.Pages("/v1/events", 100));
        Assert.Equal(run.Pages("/v1/invoiceitems", 3), again.Pages("/v1/invoiceitems", 3));
    }).Holds(60);

    [Fact]
    public void RequestSentUnderOneKeyUntilItIsAnswered_IsDoneOnce() => Prop.ForAll(Generated.Number(100_000), seed =>
    {
        var run = new SandboxRun();
        run.Stripe.SetFaults([FaultKinds.ResponseLost, FaultKinds.RateLimited, FaultKinds.Conflict409, FaultKinds.Slow], 0.6, seed);
        for (var i = 0; i < 5; i++)
        {
            SandboxResponse answer;
            do
            {
                answer = run.Send("POST", "/v1/customers", $"name={i}", $"k{i}");
            }
            while (answer.ConnectionLost || answer.Status is 429 or 409);

            Assert.Equal(200, answer.Status);
        }

        Assert.Equal(5, run.Held["customers"]!.AsArray().Count);
    }).Holds(100);

    private static SandboxRun Played(int[] steps, IReadOnlyList<string> faults, ISandboxStore? store = null)
    {
        var run = new SandboxRun(store);
        run.Stripe.RegisterWebhook(SandboxRun.Url, SandboxRun.Secret, run.Now);
        var customer = run.Customer(Cards[steps.Length % 2 == 0 ? 0 : 1]);
        var invoices = Enumerable.Range(0, Invoices).Select(i => run.Draft(customer, (i + 1) * 700, $"i{i}")).ToList();
        if (faults.Count > 0) run.Stripe.SetFaults(faults, 0.4, steps[0]);
        for (var i = 0; i < steps.Length; i++)
        {
            var (act, which, extent) = (steps[i] % Acts, steps[i] / Acts % Invoices, steps[i] / Acts / Invoices);
            var invoice = invoices[which];
            switch (act)
            {
                case 0 or 1: run.Send("POST", $"/v1/invoices/{invoice}/finalize", "", $"f{i}"); break;
                case 2 or 3: run.Send("POST", $"/v1/invoices/{invoice}/pay", "", $"p{i}"); break;
                case 4 or 5: run.Send("POST", $"/v1/invoices/{invoice}/pay", $"payment_method={Cards[extent % Cards.Length]}", $"q{i}"); break;
                case 6: run.Send("POST", $"/v1/invoices/{invoice}/void"); break;
                case 7: run.Send("POST", $"/v1/invoices/{invoice}/mark_uncollectible"); break;
                case 8: run.Send("POST", $"/v1/invoices/{invoice}", $"auto_advance={(extent % 2 == 0 ? "true" : "false")}"); break;
                case 9: run.Send("POST", $"/v1/invoices/{invoice}/add_lines", $"lines[0][amount]={extent - 50}&lines[1][amount]=7"); break;
                case 10: run.Send("POST", "/v1/credit_notes", $"invoice={invoice}&amount={extent * 5}"); break;
                case 11: run.Send("POST", "/v1/refunds", $"charge={ChargeOf(run, invoice)}&amount={1 + (extent * 9)}"); break;
                case 12: run.Send("POST", $"/v1/customers/{customer}", $"balance={(extent - 50) * 20}"); break;
                case 13: run.Send("POST", "/v1/invoiceitems", $"customer={customer}&amount={extent}{(extent % 2 == 0 ? $"&invoice={invoice}" : "")}"); break;
                case 14: run.Now += TimeSpan.FromMinutes(extent * extent); break;
                default: run.Deliver(extent % 2 == 0 ? 200 : 500); break;
            }
        }

        return run;
    }

    private static string ChargeOf(SandboxRun run, string invoice) =>
        run.Held["charges"]!.AsArray().Where(c => (string)c!["invoice"]! == invoice).Select(c => (string)c!["id"]!).LastOrDefault() ?? "ch_none";

    private static void HoldsTogether(SandboxRun run)
    {
        run.Stripe.SetFaults([], 0, 0);
        run.Now += TimeSpan.FromDays(10);
        run.Deliver();
        var held = run.Held;
        foreach (var invoice in held["invoices"]!.AsArray().Select(i => i!.AsObject()))
        {
            var charges = held["charges"]!.AsArray().Select(c => c!.AsObject()).Where(c => c.Text("invoice") == invoice.Id()).ToList();
            var charged = charges.Where(c => c.Text("status") == "succeeded").ToList();
            Assert.True(charged.Count <= 1, $"{invoice.Id()} was charged {charged.Count} times");
            Assert.DoesNotContain(charges, c => c.Text("status") == "pending");
            Assert.All(charged, c => Assert.InRange(c.Number("amount_refunded"), 0, c.Number("amount")));
            if (charged.Count == 1) Assert.Equal("paid", invoice.Text("status"));
            Assert.Equal(charged.Sum(c => c.Number("amount")), invoice.Number("amount_paid"));
            Assert.Equal(invoice["lines"]!["data"]!.AsArray().Sum(l => (long)l!["amount"]!), invoice.Number("total"));
            if (invoice.Text("status") == "paid") Assert.Equal(0L, invoice.Number("amount_remaining"));

            // Total + what the balance added − what credit notes took off is what is due.
            if (invoice.Text("status") is "open" or "paid")
                Assert.Equal(invoice.Number("amount_due"), invoice.Number("amount_paid") + invoice.Number("amount_remaining"));
        }

        foreach (var customer in held["customers"]!.AsArray().Select(c => c!.AsObject()))
        {
            var transactions = run.Pages($"/v1/customers/{customer.Id()}/balance_transactions", 100)
                .Sum(id => run.Get($"/v1/customers/{customer.Id()}/balance_transactions/{id}").Number("amount"));
            Assert.Equal(transactions, customer.Number("balance"));
        }
    }
}
