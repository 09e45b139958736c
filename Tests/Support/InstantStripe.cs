using System.Collections.Concurrent;
using Billing.Charging;
using Billing.Silo.Charging;

namespace Billing.Tests.Support;

/// <summary>A Stripe that does at once what it is asked for, for tests about something else: it never fails and takes no time.</summary>
internal sealed class InstantStripe : ICarryOut
{
    private readonly ConcurrentDictionary<string, StripeInvoice> _invoices = new(StringComparer.Ordinal);

    public Task<StripeAnswer> CarryOut(StripeCall call, CancellationToken cancellation) => Task.FromResult(Answer(call));

    private StripeAnswer Answer(StripeCall call)
    {
        switch (call.Kind)
        {
            case StripeCallKind.CreateCustomer:
                return Done(call, $"cus_{call.Account}");
            case StripeCallKind.AttachPaymentMethod:
                return Done(call, call.PaymentMethod) with { Card = new(call.PaymentMethod!, "card", "visa", "4242") };
            case StripeCallKind.CreateInvoice:
                var id = $"in_{call.Intent}";
                _invoices[id] = new(id, call.Customer!, call.Intent, "draft", call.Currency!, 0, 0, 0, [], null);
                return Done(call, id);
            case StripeCallKind.AddLines:
                var total = call.Lines.Sum(l => l.Amount);
                return Changed(call, i => i with { Lines = [.. call.Lines.Select(l => new StripeInvoiceLine($"il_{l.N}", l.N, l.Amount))], Total = total, AmountDue = total });
            case StripeCallKind.FinalizeInvoice:
                return Changed(call, i => i with { Status = "open" });
            case StripeCallKind.PayInvoice:
                return Changed(call, i => i with { Status = "paid", AmountPaid = i.Total, Payment = new($"pi_{call.Intent}", "succeeded", $"ch_{call.Intent}", null, false, null) });
            case StripeCallKind.ReadInvoice:
                return Changed(call, i => i);
            case StripeCallKind.FindInvoices:
                return Done(call, null) with { Invoices = [.. _invoices.Values.Where(i => i.Intent == call.Intent)] };
            default:
                return Done(call, call.Customer);
        }
    }

    private StripeAnswer Changed(StripeCall call, Func<StripeInvoice, StripeInvoice> change)
    {
        var changed = change(_invoices[call.Invoice!]);
        _invoices[call.Invoice!] = changed;
        return Done(call, call.Invoice) with { Invoices = [changed] };
    }

    private static StripeAnswer Done(StripeCall call, string? id) => new(call.N, StripeOutcome.Done, null, null, null, id, [], null);
}
