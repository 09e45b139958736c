using System.Text.Json;
using Billing.Charging;

namespace Billing.Silo.Stripe;

/// <summary>Reads what went back of payments, and which invoice it belongs to, with as many requests as that takes.</summary>
internal sealed class ReversalReaders(StripeClient client)
{
    /// <summary>All refunds and disputes of an invoice's payments, the oldest of each kind first.</summary>
    /// <returns>Those found; not done when a part could not be read.</returns>
    public async Task<StripeRead<IReadOnlyList<StripeReversal>>> OfInvoice(string invoice, CancellationToken cancellation)
    {
        var payments = await client.ListAll(StripePaths.InvoicePayments, new() { { "invoice", invoice } }, cancellation);
        if (!payments.Result.IsDone) return new(payments.Result, null);
        try
        {
            var found = new List<StripeReversal>();
            foreach (var intent in payments.Items.Select(p => p.Field("payment")?.IdOrNull("payment_intent")).OfType<string>().Distinct(StringComparer.Ordinal))
            {
                var refunds = await client.ListAll(StripePaths.Refunds, new() { { "payment_intent", intent } }, cancellation);
                if (!refunds.Result.IsDone) return new(refunds.Result, null);
                var disputes = await client.ListAll(StripePaths.Disputes, new() { { "payment_intent", intent } }, cancellation);
                if (!disputes.Result.IsDone) return new(disputes.Result, null);
                found.AddRange(refunds.Items.Reverse().Select(RefundOf));
                found.AddRange(disputes.Items.Reverse().Select(DisputeOf));
            }

            return new(payments.Result, found);
        }
        catch (UnreadableObjectException unreadable)
        {
            return new(payments.Result.Unreadable(writes: false, unreadable.Message), null);
        }
    }

    /// <summary>The invoice, as Stripe has it, that a refund, a dispute or a charge is about.</summary>
    /// <param name="from">Where the object is read.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>Undefined, and done, when it is about none; not done when a part could not be read.</returns>
    public async Task<StripeResult> InvoiceOf(StripePath from, CancellationToken cancellation)
    {
        var about = await client.Get(from, null, cancellation);
        if (!about.IsDone) return about;
        try
        {
            if (about.Body.IdOrNull("payment_intent") is not { } intent) return about with { Body = default };
            var parameters = new StripeParameters { { "payment", new StripeParameters { { "type", "payment_intent" }, { "payment_intent", intent } } } };
            var payments = await client.ListAll(StripePaths.InvoicePayments, parameters, cancellation);
            if (!payments.Result.IsDone) return payments.Result;
            return payments.Items.Select(p => p.IdOrNull("invoice")).FirstOrDefault(id => id is not null) is { } invoice
                ? await client.Get(StripePaths.Invoice(invoice), null, cancellation)
                : about with { Body = default };
        }
        catch (UnreadableObjectException unreadable)
        {
            return about.Unreadable(writes: false, unreadable.Message);
        }
    }

    private static StripeReversal RefundOf(JsonElement refund)
    {
        var (amount, status) = (refund.Whole("amount"), refund.TextOrNull("status") ?? "succeeded");
        return new(
            ReversalKind.Refund, refund.Id(), amount, refund.Text("currency").ToUpperInvariant(), refund.TextOrNull("reason"), status,
            status is "failed" or "canceled" ? 0 : amount);
    }

    // What the bank has taken is in the dispute's transactions, which may be in the currency of the balance: of those only the sign tells.
    private static StripeReversal DisputeOf(JsonElement dispute)
    {
        var (amount, currency) = (dispute.Whole("amount"), dispute.Text("currency"));
        var transactions = dispute.Field("balance_transactions") is { ValueKind: JsonValueKind.Array } some ? some.EnumerateArray().ToList() : [];
        var left = -transactions.Sum(t => t.Whole("amount"));
        var taken = left <= 0 ? 0 : transactions.TrueForAll(t => t.Text("currency") == currency) && left < amount ? left : amount;
        return new(ReversalKind.Dispute, dispute.Id(), amount, currency.ToUpperInvariant(), dispute.TextOrNull("reason"), dispute.Text("status"), taken);
    }
}
