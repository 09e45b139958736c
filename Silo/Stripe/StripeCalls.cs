using System.Collections.Immutable;
using System.Text.Json;
using Billing.Charging;

namespace Billing.Silo.Stripe;

/// <summary>Carries out the calls that accounts ask for.</summary>
internal sealed class StripeCalls(StripeClient client)
{
    /// <summary>The most lines that go in one request; Stripe takes no more on one invoice unless it was asked to.</summary>
    internal const int LinesPerRequest = 250;

    private readonly StripeReaders _read = new(client);
    private readonly ReversalReaders _reversals = new(client);

    /// <summary>Carries out one call.</summary>
    /// <remarks>
    /// The same call gives the same requests. What Stripe answers is never thrown. An invoice that was changed is in the answer as Stripe answered it;
    /// it is left out when its lines could not all be read.
    /// </remarks>
    /// <param name="call">The call.</param>
    /// <param name="cancellation">Ends the wait; it is then open what was done.</param>
    /// <exception cref="ArgumentException">The call lacks what its kind needs.</exception>
    /// <exception cref="OperationCanceledException">The caller no longer waits.</exception>
    public Task<StripeAnswer> CarryOut(StripeCall call, CancellationToken cancellation) => call.Kind switch
    {
        StripeCallKind.CreateCustomer => CreateCustomer(call, cancellation),
        StripeCallKind.FindCustomer => FindCustomer(call, cancellation),
        StripeCallKind.AttachPaymentMethod => Attach(call, cancellation),
        StripeCallKind.SetDefaultPaymentMethod => SetDefault(call, cancellation),
        StripeCallKind.CreateInvoice => CreateInvoice(call, cancellation),
        StripeCallKind.AddLines => AddLines(call, cancellation),
        StripeCallKind.ReadInvoice => ReadInvoice(call, cancellation),
        StripeCallKind.FinalizeInvoice => Change(call, StripePaths.Finalize(InvoiceOf(call)), [], cancellation),
        StripeCallKind.PayInvoice => Pay(call, cancellation),
        StripeCallKind.FindInvoices => FindInvoices(call, cancellation),
        StripeCallKind.DeleteDraft => DeleteDraft(call, cancellation),
        StripeCallKind.ReadReversals => ReadReversals(call, cancellation),
        StripeCallKind.VoidInvoice => Change(call, StripePaths.Void(InvoiceOf(call)), [], cancellation),
        _ => throw new ArgumentException($"A call of kind {call.Kind} is not known.", nameof(call)),
    };

    private async Task<StripeAnswer> CreateCustomer(StripeCall call, CancellationToken cancellation)
    {
        var parameters = new StripeParameters
        {
            { "name", call.Name },
            { "email", call.Email },
            { "metadata", new StripeParameters { { "account", call.Account } } },
        };
        return AnswerWithId(call, await client.Post(StripePaths.Customers, parameters, Key(call), cancellation));
    }

    private async Task<StripeAnswer> FindCustomer(StripeCall call, CancellationToken cancellation)
    {
        var list = await client.ListAll(StripePaths.Customers, new() { { "email", Needed(call.Email, call, "e-mail") } }, cancellation);
        if (!list.Result.IsDone) return Answer(call, list.Result);
        try
        {
            var oldest = list.Items.Where(c => c.Metadata("account") == call.Account).OrderBy(c => c.Whole("created")).ToList();
            return Answer(call, list.Result) with { Id = oldest.Count > 0 ? oldest[0].Id() : null };
        }
        catch (UnreadableObjectException unreadable)
        {
            return Answer(call, list.Result.Unreadable(writes: false, unreadable.Message));
        }
    }

    private async Task<StripeAnswer> Attach(StripeCall call, CancellationToken cancellation)
    {
        if (NoPaymentMethod(call) is { } refused) return refused;
        var result = await client.Post(StripePaths.Attach(call.PaymentMethod!), new() { { "customer", CustomerOf(call) } }, Key(call), cancellation);
        if (!result.IsDone) return Answer(call, result);
        try
        {
            var card = StripeReaders.CardOf(result.Body);
            return Answer(call, result) with { Id = card.Id, Card = card };
        }
        catch (UnreadableObjectException unreadable)
        {
            return Answer(call, result.Unreadable(writes: true, unreadable.Message));
        }
    }

    private async Task<StripeAnswer> SetDefault(StripeCall call, CancellationToken cancellation)
    {
        if (NoPaymentMethod(call) is { } refused) return refused;
        var parameters = new StripeParameters { { "invoice_settings", new StripeParameters { { "default_payment_method", call.PaymentMethod } } } };
        return AnswerWithId(call, await client.Post(StripePaths.Customer(CustomerOf(call)), parameters, Key(call), cancellation));
    }

    private Task<StripeAnswer> CreateInvoice(StripeCall call, CancellationToken cancellation)
    {
        var parameters = new StripeParameters
        {
            { "customer", CustomerOf(call) },
            { "currency", Needed(call.Currency, call, "currency").ToLowerInvariant() },
            { "auto_advance", false },
            { "pending_invoice_items_behavior", "exclude" },
            { "collection_method", "charge_automatically" },
            { "metadata", new StripeParameters { { "account", call.Account }, { "intent", Needed(call.Intent, call, "intent") }, { "invoice", call.Number } } },
        };
        return Change(call, StripePaths.Invoices, parameters, cancellation);
    }

    // The first request has the call's key, the next one key.2 and so on. Sent again, those that were done give the answer they gave.
    private async Task<StripeAnswer> AddLines(StripeCall call, CancellationToken cancellation)
    {
        if (call.Lines.IsDefaultOrEmpty) throw Lacks(call, "lines");
        var parts = call.Lines.Chunk(LinesPerRequest).ToList();
        for (var part = 0; part < parts.Count - 1; part++)
        {
            var result = await client.Post(StripePaths.AddLines(InvoiceOf(call)), LinesOf(parts[part]), PartKey(part), cancellation);
            if (!result.IsDone) return Answer(call, result);
        }

        return await Change(call, StripePaths.AddLines(InvoiceOf(call)), LinesOf(parts[^1]), cancellation, PartKey(parts.Count - 1));

        string PartKey(int part) => part == 0 ? Key(call) : $"{Key(call)}.{part + 1}";
    }

    private static StripeParameters LinesOf(IEnumerable<StripeLine> lines) => new()
    {
        {
            "lines",
            lines.Select(line => new StripeParameters
            {
                { "amount", line.Amount },
                { "description", line.Description },
                { "period", new StripeParameters { { "start", line.Period.Start }, { "end", line.Period.End } } },
                { "metadata", new StripeParameters { { "line", line.N } } },
            })
        },
    };

    private async Task<StripeAnswer> ReadInvoice(StripeCall call, CancellationToken cancellation)
    {
        var read = await _read.Invoice(InvoiceOf(call), cancellation);
        return AnswerWith(call, read.Result, read.Value);
    }

    private async Task<StripeAnswer> ReadReversals(StripeCall call, CancellationToken cancellation)
    {
        var read = await _reversals.OfInvoice(InvoiceOf(call), cancellation);
        return read.Value is { } found ? Answer(call, read.Result) with { Id = call.Invoice, Reversals = [.. found] } : Answer(call, read.Result);
    }

    private async Task<StripeAnswer> FindInvoices(StripeCall call, CancellationToken cancellation)
    {
        var intent = Needed(call.Intent, call, "intent");
        var list = await client.ListAll(StripePaths.Invoices, new() { { "customer", CustomerOf(call) } }, cancellation);
        if (!list.Result.IsDone) return Answer(call, list.Result);
        try
        {
            var found = ImmutableArray.CreateBuilder<StripeInvoice>();
            foreach (var id in list.Items.Where(i => i.Metadata("intent") == intent).Select(i => i.Id()))
            {
                var read = await _read.Invoice(id, cancellation);
                if (read.Value is null) return Answer(call, read.Result);
                found.Add(read.Value);
            }

            return Answer(call, list.Result) with { Id = found.Count == 1 ? found[0].Id : null, Invoices = found.ToImmutable() };
        }
        catch (UnreadableObjectException unreadable)
        {
            return Answer(call, list.Result.Unreadable(writes: false, unreadable.Message));
        }
    }

    // A draft that is gone is what was asked for.
    private async Task<StripeAnswer> DeleteDraft(StripeCall call, CancellationToken cancellation)
    {
        var invoice = InvoiceOf(call);
        var result = await client.Delete(StripePaths.Invoice(invoice), cancellation);
        var isGone = result is { Outcome: StripeOutcome.Refused, Status: 404, Code: "resource_missing" };
        if (isGone) return Answer(call, StripeOutcome.Done) with { Id = invoice };
        if (!result.IsDone) return Answer(call, result);
        return result.Body.Field("deleted") is { ValueKind: JsonValueKind.True }
            ? Answer(call, result) with { Id = invoice }
            : Answer(call, result.Unreadable(writes: true, "it does not say that the draft was deleted."));
    }

    // The answer is not always the end of it: a bank debit is only under way, and a saved answer is as old as its key. So the invoice is read after it.
    private async Task<StripeAnswer> Pay(StripeCall call, CancellationToken cancellation)
    {
        if (NoPaymentMethod(call) is { } refused) return refused;
        var paid = await client.Post(StripePaths.Pay(InvoiceOf(call)), new() { { "payment_method", call.PaymentMethod } }, Key(call), cancellation);
        if (!paid.IsDone) return Answer(call, paid) with { Id = paid.Charge };

        var now = await _read.Invoice(InvoiceOf(call), cancellation);
        if (now.Value is null) return await PaidButUnread(call, paid, now.Result, cancellation);
        var answer = AnswerWith(call, paid, now.Value);
        return (now.Value.Status, now.Value.Payment) switch
        {
            ("paid", _) or (_, { Status: "processing" or "succeeded" }) => answer,
            (_, { Status: "requires_action" } payment) => answer with { Outcome = StripeOutcome.RequiresAction, Id = payment.Charge, Code = payment.Code },
            (_, { Failed: true } payment) => answer with { Outcome = StripeOutcome.Declined, Id = payment.Charge, Code = payment.Code },
            _ => answer with { Outcome = StripeOutcome.Unknown, Message = $"Stripe took the request to pay, and yet the invoice is {now.Value.Status} with its payment {now.Value.Payment?.Status ?? "missing"}." },
        };
    }

    private async Task<StripeAnswer> PaidButUnread(StripeCall call, StripeResult paid, StripeResult read, CancellationToken cancellation)
    {
        var answered = await _read.WithLines(paid, payment: null, writes: true, cancellation);
        if (answered.Value is { Status: "paid" }) return AnswerWith(call, paid, answered.Value);
        return Answer(call, StripeOutcome.Unknown) with { Message = $"Stripe took the request to pay, but what came of it could not be read. {read.Message}", RetryAfter = read.RetryAfter };
    }

    private async Task<StripeAnswer> Change(StripeCall call, StripePath path, StripeParameters parameters, CancellationToken cancellation, string? key = null)
    {
        var result = await client.Post(path, parameters, key ?? Key(call), cancellation);
        if (!result.IsDone) return Answer(call, result);

        var changed = await _read.WithLines(result, payment: null, writes: true, cancellation);
        if (changed.Value is not null) return AnswerWith(call, result, changed.Value);
        // Unreadable as an invoice: unknown. Readable but for lines that are left out of it: done.
        return changed.Result.Outcome == StripeOutcome.Unknown ? Answer(call, changed.Result) : AnswerWithId(call, result);
    }

    private static StripeAnswer AnswerWithId(StripeCall call, StripeResult result)
    {
        if (!result.IsDone) return Answer(call, result);
        try
        {
            return Answer(call, result) with { Id = result.Body.Id() };
        }
        catch (UnreadableObjectException unreadable)
        {
            return Answer(call, result.Unreadable(writes: true, unreadable.Message));
        }
    }

    private static StripeAnswer AnswerWith(StripeCall call, StripeResult result, StripeInvoice? invoice) =>
        invoice is null ? Answer(call, result) : Answer(call, result) with { Id = invoice.Id, Invoices = [invoice] };

    private static StripeAnswer Answer(StripeCall call, StripeResult result) =>
        Answer(call, result.Outcome) with { Code = result.DeclineCode ?? result.Code, Message = result.Message, RetryAfter = result.RetryAfter, StripeAt = result.At };

    private static StripeAnswer Answer(StripeCall call, StripeOutcome outcome) => new(call.N, outcome, null, null, null, null, [], null);

    // The merchant's own text: what cannot be an id is refused as Stripe would refuse it, and never gets into a path.
    private static StripeAnswer? NoPaymentMethod(StripeCall call) => StripePath.IsId(Needed(call.PaymentMethod, call, "payment method"))
        ? null
        : Answer(call, StripeOutcome.Refused) with { Code = "resource_missing", Message = "The payment method is no id of Stripe's: one has letters, digits and underscores. It was not sent." };

    private static string InvoiceOf(StripeCall call) => Needed(call.Invoice, call, "invoice");

    private static string CustomerOf(StripeCall call) => Needed(call.Customer, call, "customer");

    private static string Key(StripeCall call) => Needed(call.Key, call, "key");

    private static string Needed(string? value, StripeCall call, string what) => value ?? throw Lacks(call, what);

    private static ArgumentException Lacks(StripeCall call, string what) => new($"A call of kind {call.Kind} needs a value it does not have: {what}.", nameof(call));
}
