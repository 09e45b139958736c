using Billing.Charging;
using Billing.Invoices;
using Billing.Tests.Accounts;

namespace Billing.Tests.Charging;

/// <summary>An account and, on the other side, a Stripe that does what it is asked for and remembers it, as far as a charge needs it.</summary>
internal sealed class ChargeDesk
{
    private readonly List<StripeInvoice> _invoices = [];

    public ChargeDesk(AccountRun? account = null) => Account = account ?? AccountRun.Opened();

    public AccountRun Account { get; }

    /// <summary>Every call that was handed out.</summary>
    public List<StripeCall> Calls { get; } = [];

    public IReadOnlyList<StripeInvoice> Invoices => _invoices;

    /// <summary>The refunds and disputes that Stripe has, by the invoice at Stripe.</summary>
    public Dictionary<string, List<StripeReversal>> Reversals { get; } = [];

    /// <summary>Stripe's own time, which it says with each answer; null when it does not.</summary>
    public DateTimeOffset? StripeTime { get; set; }

    /// <summary>The code that payments are declined with; null when they succeed.</summary>
    public string? Declines { get; set; }

    /// <summary>The charge of the first invoice.</summary>
    public ChargeView Charge => Account.Charges[0];

    public InvoiceView Invoice => Account.Invoices[0];

    public IEnumerable<StripeCallKind> Kinds => Calls.Select(c => c.Kind);

    /// <summary>Carries out what the account asks for until it asks for nothing now.</summary>
    public ChargeDesk Run(Func<StripeCall, StripeAnswer?>? instead = null)
    {
        for (var call = Account.NextCall(); call is not null;)
        {
            Calls.Add(call);
            var answer = instead?.Invoke(call) ?? CarryOut(call);
            call = Account.Answer(answer);
        }

        return this;
    }

    /// <summary>Carries out all but the first call of a kind, whose answer is another.</summary>
    public ChargeDesk RunBut(StripeCallKind kind, StripeOutcome outcome, bool done, string? code = null, TimeSpan? retryAfter = null)
    {
        var once = true;
        return Run(call =>
        {
            if (!once || call.Kind != kind) return null;
            once = false;
            if (done) CarryOut(call);
            return new(call.N, outcome, code, "As the test wants it.", retryAfter, null, [], null);
        });
    }

    /// <summary>Has a refund or a dispute be as it is said to be, and tells the account of it, which reads what it wants to.</summary>
    public ChargeDesk Tell(StripeReversal reversal, string invoice = "in_1")
    {
        var held = Reversals.TryGetValue(invoice, out var some) ? some : Reversals[invoice] = [];
        held.RemoveAll(r => r.Id == reversal.Id);
        held.Add(reversal);
        return Tell(invoice);
    }

    /// <summary>Tells the account of a refund or a dispute, without another change.</summary>
    public ChargeDesk Tell(string invoice = "in_1")
    {
        for (var call = Account.NoticeReversal(invoice); call is not null; call = Account.Answer(CarryOut(call))) Calls.Add(call);
        return this;
    }

    /// <summary>Moves the clock to each moment at which something is due, up to an instant, and carries out what is asked for.</summary>
    public ChargeDesk At(DateTimeOffset instant, Func<StripeCall, StripeAnswer?>? instead = null)
    {
        while (Account.State.NextDueAt is { } due && due <= instant)
        {
            if (due > Account.Now) Account.At(due);
            Run(instead);
            if (Account.State.NextDueAt <= Account.Now) throw new InvalidOperationException("What is due stays due.");
        }

        Account.At(instant);
        return Run(instead);
    }

    /// <summary>Changes an invoice behind the account's back.</summary>
    public void Change(string id, Func<StripeInvoice, StripeInvoice> change) => _invoices[_invoices.FindIndex(i => i.Id == id)] = change(_invoices.Find(i => i.Id == id)!);

    public void Add(StripeInvoice invoice) => _invoices.Add(invoice);

    public StripeAnswer CarryOut(StripeCall call) => Answer(call) with { StripeAt = StripeTime };

    private StripeAnswer Answer(StripeCall call)
    {
        switch (call.Kind)
        {
            case StripeCallKind.CreateCustomer:
                return Done(call, "cus_1");
            case StripeCallKind.FindCustomer:
                return Done(call, null);
            case StripeCallKind.AttachPaymentMethod:
                return Done(call, "pm_attached") with { Card = new($"{call.PaymentMethod}_attached", "card", "visa", "4242") };
            case StripeCallKind.CreateInvoice:
                _invoices.Add(new($"in_{_invoices.Count + 1}", call.Customer!, call.Intent, "draft", call.Currency!, 0, 0, 0, [], null));
                return Done(call, _invoices[^1].Id);
            case StripeCallKind.AddLines:
                Change(call.Invoice!, i => i with
                {
                    Lines = [.. i.Lines, .. call.Lines.Select(l => new StripeInvoiceLine($"il_{l.N}", l.N, l.Amount))],
                    Total = i.Total + call.Lines.Sum(l => l.Amount),
                    AmountDue = i.AmountDue + call.Lines.Sum(l => l.Amount),
                });
                return Done(call, call.Invoice);
            case StripeCallKind.FinalizeInvoice:
                Change(call.Invoice!, i => i with { Status = "open" });
                return Done(call, call.Invoice);
            case StripeCallKind.PayInvoice when Declines is { } code:
                Change(call.Invoice!, i => i with { Payment = new("pi_1", "requires_payment_method", $"ch_{call.N}", Account.Now, true, code) });
                return new(call.N, StripeOutcome.Declined, code, "Your card was declined.", null, $"ch_{call.N}", [], null);
            case StripeCallKind.PayInvoice:
                Change(call.Invoice!, i => i with { Status = "paid", AmountPaid = i.Total, Payment = new("pi_1", "succeeded", $"ch_{call.N}", Account.Now, false, null) });
                return Done(call, call.Invoice);
            case StripeCallKind.ReadInvoice:
                return Done(call, call.Invoice) with { Invoices = [_invoices.Find(i => i.Id == call.Invoice)!] };
            case StripeCallKind.FindInvoices:
                return Done(call, null) with { Invoices = [.. _invoices.Where(i => i.Intent == call.Intent)] };
            case StripeCallKind.ReadReversals:
                return Done(call, call.Invoice) with { Reversals = [.. Reversals.GetValueOrDefault(call.Invoice!, [])] };
            case StripeCallKind.DeleteDraft:
                _invoices.RemoveAll(i => i.Id == call.Invoice);
                return Done(call, call.Invoice);
            default:
                return Done(call, call.Customer);
        }
    }

    private static StripeAnswer Done(StripeCall call, string? id) => new(call.N, StripeOutcome.Done, null, null, null, id, [], null);
}
