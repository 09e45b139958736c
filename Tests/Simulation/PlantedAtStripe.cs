using System.Runtime.CompilerServices;
using System.Text.Json;
using Billing.Charging;
using Billing.Silo.Charging;
using Billing.Silo.Sandbox;
using Billing.Silo.Storage;
using Billing.Silo.Stripe;
using StripeCall = Billing.Charging.StripeCall;

namespace Billing.Tests.Simulation;

/// <summary>Carries out calls wrongly, on purpose, for all silos of a run: a fault as a careless worker between the accounts and Stripe has it.</summary>
internal sealed class PlantedAtStripe(World world, StripeSandbox sandbox, PlantedFault fault)
{
    private const int OfHundredCalls = 30;

    private readonly Dictionary<string, int> _sent = new(StringComparer.Ordinal);
    private readonly Dictionary<StripeCallKind, (string Account, StripeAnswer Answer)> _lastAnswers = [];
    private readonly Dictionary<string, (StripeEvent Event, JsonElement Invoice)> _told = new(StringComparer.Ordinal);

    /// <summary>The same worker, with the fault in it.</summary>
    public ICarryOut In(ICarryOut honest) => new Careless(this, honest);

    /// <summary>A silo has taken an event, with the invoice that it shows.</summary>
    public void Told(StripeEvent told, JsonElement invoice)
    {
        if (fault == PlantedFault.WebhookTrusted) _told[told.Invoice!] = (told, invoice.Clone());
    }

    private async Task<StripeAnswer> CarryOut(ICarryOut honest, StripeCall call, CancellationToken cancellation)
    {
        if (fault == PlantedFault.LineAmountChanged && call.Lines is [var line, ..] && Now())
            call = call with { Lines = call.Lines.SetItem(0, line with { Amount = line.Amount + 1 }) };
        if (fault == PlantedFault.UnknownTakenAsNotDone && call.Key is { } key)
            call = call with { Key = _sent.GetValueOrDefault(key) is > 0 and var before ? $"{key}/again/{before}" : key };

        var answer = await honest.CarryOut(call, cancellation);
        if (fault == PlantedFault.AnswerOfAnotherGiven) return OfAnother(call, answer);
        if (fault == PlantedFault.WebhookTrusted && call.Kind is StripeCallKind.ReadInvoice or StripeCallKind.FindInvoices) return answer with { Invoices = [.. answer.Invoices.Select(AsTold)] };
        return call.Key is null ? answer : (fault, answer.Outcome) switch
        {
            (PlantedFault.NewKeyAfterUnknown, StripeOutcome.Unknown) => await honest.CarryOut(call with { Key = call.Key + "/again" }, cancellation),
            (PlantedFault.KeyPrunedAndReused, StripeOutcome.Unknown) => await SentUnderForgottenKey(honest, call, cancellation),
            (PlantedFault.LinesAddedTwice, StripeOutcome.Done) when call.Kind == StripeCallKind.AddLines && Now() => await honest.CarryOut(call with { Key = call.Key + "/twice" }, cancellation),
            (PlantedFault.UnknownTakenAsDone, StripeOutcome.Unknown) when call.Kind == StripeCallKind.PayInvoice => await SaidToBePaid(honest, call, answer, cancellation),
            (PlantedFault.DeclinedTakenAsDone, StripeOutcome.Declined) when call.Kind == StripeCallKind.PayInvoice => await SaidToBePaid(honest, call, answer, cancellation),
            (PlantedFault.UnknownTakenAsNotDone, StripeOutcome.Unknown) => NotDoneNextKey(call, answer),
            (PlantedFault.NotDoneSaidOfDone, StripeOutcome.Done) when Now() => NotDoneAndForgotten(call, answer),
            (PlantedFault.CarriedOutTwice, StripeOutcome.Done) when Now() => await honest.CarryOut(call with { Key = call.Key + "/twice" }, cancellation),
            _ => answer,
        };
    }

    private bool Now() => world.Chance(OfHundredCalls);

    private async Task<StripeAnswer> SentUnderForgottenKey(ICarryOut honest, StripeCall call, CancellationToken cancellation)
    {
        Forget(call);
        return await honest.CarryOut(call, cancellation);
    }

    private StripeAnswer NotDoneAndForgotten(StripeCall call, StripeAnswer answer)
    {
        Forget(call);
        return answer with { Outcome = StripeOutcome.NotDone, Id = null, Invoices = [] };
    }

    private void Forget(StripeCall call)
    {
        var state = StateOf(sandbox);
        if (state.Has(Kinds.Answer, call.Key!)) state.Remove(Kinds.Answer, call.Key!);
    }

    private StripeAnswer NotDoneNextKey(StripeCall call, StripeAnswer answer)
    {
        var key = call.Key!.Split("/again/")[0];
        _sent[key] = _sent.GetValueOrDefault(key) + 1;
        return answer with { Outcome = StripeOutcome.NotDone };
    }

    // An answer is held to the invoice it shows, so a false one has to show a false invoice.
    private static async Task<StripeAnswer> SaidToBePaid(ICarryOut honest, StripeCall call, StripeAnswer answer, CancellationToken cancellation)
    {
        var read = await honest.CarryOut(call with { Kind = StripeCallKind.ReadInvoice, Key = null }, cancellation);
        return read.Invoices is [var shown]
            ? answer with { Outcome = StripeOutcome.Done, Code = null, Id = shown.Id, Invoices = [shown with { Status = "paid", AmountPaid = shown.Total }] }
            : answer;
    }

    // The invoice as the newest event had it that came since it was last read. An event names no charge.
    private StripeInvoice AsTold(StripeInvoice read)
    {
        if (!_told.Remove(read.Id, out var told)) return read;
        var (status, isDeclined) = (told.Invoice.Text("status"), told.Event.Type == "invoice.payment_failed");
        return read with
        {
            Status = status,
            Total = told.Invoice.Whole("total"),
            AmountDue = told.Invoice.Whole("amount_due"),
            AmountPaid = told.Invoice.Whole("amount_paid"),
            Lines = [.. StripeJson.Items(told.Invoice.Field("lines")!.Value).Select(l => new StripeInvoiceLine(l.Id(), l.MetadataNumber("line"), l.Whole("amount")))],
            Payment = isDeclined ? new(read.Payment?.Intent ?? told.Event.Id, "requires_payment_method", told.Event.Id, null, true, "card_declined") : status == "paid" ? read.Payment : null,
        };
    }

    private StripeAnswer OfAnother(StripeCall call, StripeAnswer answer)
    {
        var last = _lastAnswers.TryGetValue(call.Kind, out var found) ? found : (call.Account, answer);
        _lastAnswers[call.Kind] = (call.Account, answer);
        return last.Item1 != call.Account && Now() ? last.Item2 with { N = call.N } : answer;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_state")]
    private static extern ref SandboxState StateOf(StripeSandbox sandbox);

    private sealed class Careless(PlantedAtStripe planted, ICarryOut honest) : ICarryOut
    {
        public Task<StripeAnswer> CarryOut(StripeCall call, CancellationToken cancellation) => planted.CarryOut(honest, call, cancellation);
    }
}
