using System.Text.Json;
using Billing.Charging;

namespace Billing.Silo.Stripe;

/// <summary>Reads invoices, payments and payment methods whole, with as many requests as that takes.</summary>
internal sealed class StripeReaders(StripeClient client)
{
    /// <summary>Reads an invoice with all its lines and its payment.</summary>
    /// <returns>The invoice; not done when a part of it could not be read.</returns>
    public async Task<StripeRead<StripeInvoice>> Invoice(string id, CancellationToken cancellation)
    {
        var read = await client.Get(StripePaths.Invoice(id), new() { { "expand", ["payments"] } }, cancellation);
        if (!read.IsDone) return new(read, null);

        var payment = await Payment(read, cancellation);
        if (!payment.Result.IsDone) return new(payment.Result, null);
        return await WithLines(read, payment.Value, writes: false, cancellation);
    }

    /// <summary>The invoice in an answer, with all its lines: those the answer leaves out are read.</summary>
    /// <param name="answer">An answer that is an invoice.</param>
    /// <param name="payment">Its payment, where that was read.</param>
    /// <param name="writes">Whether the answer is that of a write, of which an unreadable answer leaves open what was done.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<StripeRead<StripeInvoice>> WithLines(StripeResult answer, StripePayment? payment, bool writes, CancellationToken cancellation)
    {
        try
        {
            var invoice = InvoiceOf(answer.Body, payment, out var hasMoreLines);
            if (!hasMoreLines) return new(answer, invoice);

            var lines = await client.ListAll(StripePaths.InvoiceLines(invoice.Id), null, cancellation);
            return lines.Result.IsDone ? new(answer, invoice with { Lines = [.. lines.Items.Select(LineOf)] }) : new(lines.Result, null);
        }
        catch (UnreadableObjectException unreadable)
        {
            return new(answer.Unreadable(writes, unreadable.Message), null);
        }
    }

    /// <summary>A payment method, as far as support may see it.</summary>
    /// <exception cref="UnreadableObjectException">A field is missing.</exception>
    public static StripeCard CardOf(JsonElement paymentMethod)
    {
        var type = paymentMethod.Text("type");
        var details = paymentMethod.Field(type);
        return new(paymentMethod.Id(), type, details?.TextOrNull("brand") ?? details?.TextOrNull("bank_name"), details?.TextOrNull("last4"));
    }

    /// <summary>What the payment intent and its newest charge tell of a payment.</summary>
    /// <param name="intent">The payment intent.</param>
    /// <param name="charge">Its newest charge; null before the first.</param>
    /// <exception cref="UnreadableObjectException">A field is missing.</exception>
    public static StripePayment PaymentOf(JsonElement intent, JsonElement? charge)
    {
        var failed = charge?.Text("status") == "failed";
        var error = intent.Field("last_payment_error");
        var intentCode = error?.TextOrNull("decline_code") ?? error?.TextOrNull("code");
        // The intent tells of its last attempt, which is the newest charge's only if that one failed.
        var code = failed ? intentCode ?? charge?.Field("outcome")?.TextOrNull("reason") ?? charge?.TextOrNull("failure_code")
            : charge is null ? intentCode : null;
        return new(intent.Id(), intent.Text("status"), charge?.Id(), charge?.Instant("created"), failed, code);
    }

    private static StripeInvoice InvoiceOf(JsonElement invoice, StripePayment? payment, out bool hasMoreLines)
    {
        var lines = invoice.Field("lines") ?? throw new UnreadableObjectException("lines of a Stripe invoice are not there.");
        hasMoreLines = StripeJson.HasMore(lines);
        return new(
            invoice.Id(),
            invoice.IdOrNull("customer") ?? throw new UnreadableObjectException("customer of a Stripe invoice is not there."),
            invoice.Metadata("intent"),
            invoice.Text("status"),
            invoice.Text("currency").ToUpperInvariant(),
            invoice.Whole("total"),
            invoice.Whole("amount_due"),
            invoice.Whole("amount_paid"),
            [.. StripeJson.Items(lines).Select(LineOf)],
            payment,
            invoice.Field("starting_balance") is { ValueKind: JsonValueKind.Number } ? invoice.Whole("starting_balance") : 0);
    }

    private static StripeInvoiceLine LineOf(JsonElement line) => new(line.Id(), line.MetadataNumber("line"), line.Whole("amount"));

    // The one that was paid; else the newest. Done without a payment when none was tried.
    private async Task<StripeRead<StripePayment>> Payment(StripeResult invoice, CancellationToken cancellation)
    {
        try
        {
            if (invoice.Body.Text("status") == "draft") return new(invoice, null);
            var payments = await Payments(invoice, cancellation);
            if (!payments.Result.IsDone) return new(payments.Result, null);

            var intent = payments.Items
                .OrderByDescending(p => p.Text("status") == "paid")
                .ThenByDescending(p => p.Whole("created"))
                .Select(p => p.Field("payment")?.IdOrNull("payment_intent"))
                .FirstOrDefault(id => id is not null);
            return intent is null ? new(payments.Result, null) : await Payment(intent, cancellation);
        }
        catch (UnreadableObjectException unreadable)
        {
            return new(invoice.Unreadable(writes: false, unreadable.Message), null);
        }
    }

    private async Task<StripeList> Payments(StripeResult invoice, CancellationToken cancellation) =>
        invoice.Body.Field("payments") is { ValueKind: JsonValueKind.Object } some && !StripeJson.HasMore(some)
            ? new(invoice, StripeJson.Items(some))
            : await client.ListAll(StripePaths.InvoicePayments, new() { { "invoice", invoice.Body.Id() } }, cancellation);

    private async Task<StripeRead<StripePayment>> Payment(string intent, CancellationToken cancellation)
    {
        var read = await client.Get(StripePaths.PaymentIntent(intent), new() { { "expand", ["latest_charge"] } }, cancellation);
        if (!read.IsDone) return new(read, null);

        var charge = read.Body.Field("latest_charge");
        if (charge is { ValueKind: JsonValueKind.String })
        {
            var second = await client.Get(StripePaths.Charge(read.Body.IdOrNull("latest_charge")!), null, cancellation);
            if (!second.IsDone) return new(second, null);
            charge = second.Body;
        }

        return new(read, PaymentOf(read.Body, charge));
    }
}
