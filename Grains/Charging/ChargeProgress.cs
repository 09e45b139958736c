using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Rating;

namespace Billing.Charging;

/// <summary>How a charge goes on when a call of it has ended. What the invoice at Stripe shows decides, whoever read it and why.</summary>
internal static class ChargeProgress
{
    private static readonly TimeSpan SettlesWithin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ProcessingReadEvery = TimeSpan.FromDays(1);
    private static readonly TimeSpan ProcessingMax = TimeSpan.FromDays(14);

    public static void Take(AccountState account, CallUnderWay call, StripeAnswer answer, DateTimeOffset now, FactWriter facts)
    {
        var charge = account.Charging.Find(call.Intent!)!;
        switch (answer.Outcome)
        {
            case StripeOutcome.Done:
                TakeDone(account, charge, call.Kind, answer, now, facts);
                break;

            case StripeOutcome.Declined when call.Kind == StripeCallKind.PayInvoice:
                ChargingDecider.Decline(account, charge, answer.Code ?? "card_declined", answer.Message, answer.Id, now, facts);
                break;

            case StripeOutcome.RequiresAction when call.Kind == StripeCallKind.PayInvoice:
                ChargingDecider.Decline(account, charge, Dunning.RequiresAction, answer.Message, answer.Id, now, facts);
                break;

            case StripeOutcome.NotDone or StripeOutcome.Unknown when charge.Step == ChargeStep.LookUp:
                var asked = charge.Question!;
                Emit(account, facts, new AccountFact.ChargeUnknown(charge.Intent, asked.LookUps + 1, Later(LookUps.NextAt(asked.Since, now), now + (answer.RetryAfter ?? default)), asked.Why, now));
                break;

            case StripeOutcome.NotDone:
            case StripeOutcome.Unknown when call.Key is null:
                Emit(account, facts, new AccountFact.ChargeStepPut(
                    charge.Intent, charge.Step, charge.Try, now + LookUps.WaitAfterNotDone(answer.RetryAfter, charge.NotDone), now, null, charge.MissingLines, charge.ExtraDraft));
                break;

            case StripeOutcome.Unknown:
                Emit(account, facts, new AccountFact.ChargeUnknown(charge.Intent, 0, LookUps.NextAt(now, now), answer.Message ?? "Stripe did not say what was done.", now));
                break;

            case StripeOutcome.Refused when charge.Step == ChargeStep.LookUp:
                Park(account, charge, ParkReason.Refused, $"Stripe refused to show the customer's invoices: {answer.Code} {answer.Message}", now, facts);
                break;

            default:
                Emit(account, facts, new AccountFact.ChargeUnknown(charge.Intent, 0, now, $"Stripe refused: {answer.Code} {answer.Message}", now, Refused: true));
                break;
        }
    }

    private static void TakeDone(AccountState account, Charge charge, StripeCallKind kind, StripeAnswer answer, DateTimeOffset now, FactWriter facts)
    {
        switch (kind)
        {
            case StripeCallKind.CreateInvoice:
                Put(account, charge, ChargeStep.Lines, now, facts, answer.Id);
                break;
            case StripeCallKind.ReadInvoice or StripeCallKind.FinalizeInvoice or StripeCallKind.PayInvoice when answer.Invoices is [var seen]:
                Observe(account, charge, seen, now, facts);
                break;
            case StripeCallKind.FindInvoices:
                TakeFound(account, charge, answer.Invoices, now, facts);
                break;
            default:
                Put(account, charge, ChargeStep.Read, now, facts);
                break;
        }
    }

    /// <summary>What a look-up found of the intent.</summary>
    private static void TakeFound(AccountState account, Charge charge, ImmutableArray<StripeInvoice> found, DateTimeOffset now, FactWriter facts)
    {
        if (found.IsEmpty)
        {
            if (charge.StripeInvoice is { } gone) Park(account, charge, ParkReason.Mismatch, $"The invoice {gone} is not among the customer's invoices at Stripe.", now, facts);
            else if (IsProvenNotDone(account, charge, now, facts)) Put(account, charge, ChargeStep.Draft, now, facts);
            return;
        }

        var kept = found.FirstOrDefault(f => f.Id == charge.StripeInvoice) ?? found.FirstOrDefault(f => f.Status != "draft") ?? found[0];
        var extra = found.Where(f => f.Id != kept.Id && f.Status != "void").ToList();
        if (extra.Find(e => e.Status != "draft") is { } second)
            Park(account, charge, ParkReason.Mismatch, $"Stripe has two invoices of this intent: {kept.Id} ({kept.Status}) and {second.Id} ({second.Status}).", now, facts);
        else if (extra is [_, ..] && charge.Question is { Refused: true, Why: var why })
            Park(account, charge, ParkReason.Refused, why, now, facts);
        else if (extra is [var draft, ..])
            Emit(account, facts, new AccountFact.ChargeStepPut(charge.Intent, ChargeStep.DeleteDraft, 1, now, now, kept.Id, null, draft.Id));
        else Observe(account, charge, kept, now, facts);
    }

    /// <summary>What an invoice at Stripe shows, and so what comes next.</summary>
    public static void Observe(AccountState account, Charge charge, StripeInvoice seen, DateTimeOffset now, FactWriter facts)
    {
        var asked = ChargeLines.Of(account.Invoices[charge.Invoice - 1], null);
        var missing = asked.Where(a => seen.Lines.All(l => l.N != a.N)).Select(a => a.N).ToImmutableArray();
        var differing = seen.Lines.Where(l => asked.Count(a => a.N == l.N && a.Amount == l.Amount) != 1 || seen.Lines.Count(o => o.N == l.N) != 1).ToList();
        if (seen.Currency != charge.Currency || seen.Intent != charge.Intent || seen.Customer != account.Charging.Customer)
            Park(account, charge, ParkReason.Mismatch, $"The invoice {seen.Id} at Stripe is in {seen.Currency}, of the customer {seen.Customer}, for the intent {seen.Intent}; this charge is in {charge.Currency}, of {account.Charging.Customer}, for {charge.Intent}.", now, facts);
        else if (differing.Count > 0)
            Park(account, charge, ParkReason.Mismatch, $"The invoice {seen.Id} at Stripe has lines that ours has not, or has twice: {string.Join(", ", differing.Select(l => $"{l.Id} (line {l.N}, {l.Amount})"))}.", now, facts);
        else if (missing.Length > 0)
            TakeMissing(account, charge, seen, missing, now, facts);
        else if (seen.Total != charge.Amount || seen.AmountDue != charge.Amount)
            Park(account, charge, ParkReason.Mismatch, $"The invoice {seen.Id} at Stripe comes to {Text(charge, seen.Total)} and asks for {Text(charge, seen.AmountDue)}; ours asks for {Text(charge, charge.Amount)}. A customer balance at Stripe makes such a difference.", now, facts);
        else TakeWhole(account, charge, seen, now, facts);
    }

    private static void TakeMissing(AccountState account, Charge charge, StripeInvoice seen, ImmutableArray<int> missing, DateTimeOffset now, FactWriter facts)
    {
        if (seen.Status != "draft")
            Park(account, charge, ParkReason.Mismatch, $"The invoice {seen.Id} at Stripe is {seen.Status} and lacks the lines {string.Join(", ", missing)}.", now, facts);
        else if (charge.Question?.Step != ChargeStep.Lines || IsProvenNotDone(account, charge, now, facts))
            Put(account, charge, ChargeStep.Lines, now, facts, seen.Id, missing);
    }

    private static void TakeWhole(AccountState account, Charge charge, StripeInvoice seen, DateTimeOffset now, FactWriter facts)
    {
        switch (seen.Status)
        {
            case "draft" when seen.StartingBalance != 0:
                Park(account, charge, ParkReason.Mismatch, $"The customer has a balance of {Text(charge, seen.StartingBalance)} at Stripe, which finalising the invoice {seen.Id} would take into it. Nothing was finalised; bring the balance to zero there.", now, facts);
                break;
            case "draft":
                if (charge.Question?.Step != ChargeStep.Finalize || IsProvenNotDone(account, charge, now, facts)) Put(account, charge, ChargeStep.Finalize, now, facts, seen.Id);
                break;
            case "open":
                TakeOpen(account, charge, seen, now, facts);
                break;
            case "paid" when seen.AmountPaid == charge.Amount:
                Settle(account, charge, seen, now, facts);
                break;
            default:
                Park(account, charge, ParkReason.Mismatch, $"The invoice {seen.Id} at Stripe is {seen.Status}, {Text(charge, seen.AmountPaid)} of it paid; ours asks for {Text(charge, charge.Amount)}.", now, facts);
                break;
        }
    }

    private static void TakeOpen(AccountState account, Charge charge, StripeInvoice seen, DateTimeOffset now, FactWriter facts)
    {
        var payment = seen.Payment;
        if (payment is { Status: "processing" })
        {
            if (now >= (charge.LastSentAt ?? now) + ProcessingMax) Park(account, charge, ParkReason.Undecided, $"The payment {payment.Intent} is being processed for more than 14 days.", now, facts);
            else Put(account, charge, ChargeStep.Read, now + ProcessingReadEvery, facts, seen.Id);
        }
        else if (payment is { Status: "succeeded" })
        {
            Put(account, charge, ChargeStep.Read, now + SettlesWithin, facts, seen.Id);
        }
        else if (payment is { Failed: true } && TellsOfTheNewest(charge, payment))
        {
            ChargingDecider.Decline(account, charge, payment.Code ?? "card_declined", null, payment.Charge, now, facts);
        }
        else if (payment is { Status: "requires_action" } && AsksTheCustomerAnew(charge))
        {
            ChargingDecider.Decline(account, charge, Dunning.RequiresAction, null, payment.Charge, now, facts);
        }
        else if (charge.State == ChargeState.Declined)
        {
            Put(account, charge, ChargeStep.Pay, charge.DunningAt, facts, seen.Id);
        }
        else if (IsAsked(charge))
        {
            if (IsProvenNotDone(account, charge, now, facts)) Put(account, charge, ChargeStep.Pay, now, facts, seen.Id);
        }
        else if (charge.Attempts is [.., { Outcome: StripeOutcome.Done }])
        {
            Emit(account, facts, new AccountFact.ChargeUnknown(charge.Intent, 0, LookUps.NextAt(now, now), "Stripe said that it is paid, and shows the invoice open.", now));
        }
        else
        {
            Put(account, charge, ChargeStep.Pay, now, facts, seen.Id);
        }
    }

    // What failed may be an attempt before: its charge is known, or, where Stripe did not say which one it was, cannot be told from a new one.
    private static bool TellsOfTheNewest(Charge charge, StripePayment payment) =>
        payment.Charge != charge.StripeCharge
        && !(IsAsked(charge) && charge.StripeCharge is null && charge.Attempts[..^1].Any(a => a.Outcome == StripeOutcome.Declined));

    // A payment that waits for the customer may be that of an attempt before, which is declined for it already.
    private static bool AsksTheCustomerAnew(Charge charge) =>
        charge.State != ChargeState.Declined && !(IsAsked(charge) && charge.Attempts[..^1].Any(a => a.Outcome == StripeOutcome.RequiresAction));

    private static bool IsAsked(Charge charge) => charge.Question?.Step == ChargeStep.Pay && !charge.Attempts.IsEmpty;

    private static void Settle(AccountState account, Charge charge, StripeInvoice seen, DateTimeOffset now, FactWriter facts)
    {
        Emit(account, facts, new AccountFact.ChargeSettled(charge.Intent, seen.Id, seen.Payment?.Intent, seen.Payment?.Charge, seen.AmountPaid, now));
        Lifecycle.SuspensionDecider.Paid(account, charge.Invoice, now, facts);
    }

    /// <summary>Whether the look-up shows that the step in question was not done and will not be; if not, the question stays open or is left to a person.</summary>
    private static bool IsProvenNotDone(AccountState account, Charge charge, DateTimeOffset now, FactWriter facts)
    {
        if (charge.Question is not { } question) return true;
        if (question.Refused)
        {
            Park(account, charge, ParkReason.Refused, question.Why, now, facts);
            return false;
        }

        if (LookUps.IsProof(question.SentAt, question.Seen, now)) return true;
        if (now >= question.Since + LookUps.ParkAfter && !(question.Seen?.For < LookUps.ParkAfter)) Park(account, charge, ParkReason.Undecided, $"{question.LookUps} look-ups were answered within a day and did not decide: {question.Why}", now, facts);
        else Emit(account, facts, new AccountFact.ChargeUnknown(charge.Intent, question.LookUps + 1, LookUps.NextUnproven(question.SentAt, question.Since, now), question.Why, now));
        return false;
    }

    // A step always goes out under a key that was not used: the same key again is only for what was answered as not done.
    private static void Put(
        AccountState account, Charge charge, ChargeStep step, DateTimeOffset? nextAt, FactWriter facts, string? stripeInvoice = null, ImmutableArray<int>? missing = null) =>
        Emit(account, facts, new AccountFact.ChargeStepPut(
            charge.Intent, step, step == ChargeStep.Pay ? charge.Attempts.Length + 1 : charge.KeysSent.GetValueOrDefault(step) + 1, nextAt, facts.ReceivedAt, stripeInvoice, missing));

    private static void Park(AccountState account, Charge charge, ParkReason reason, string evidence, DateTimeOffset now, FactWriter facts) =>
        Emit(account, facts, new AccountFact.ChargeParked(charge.Intent, reason, evidence, now));

    private static void Emit(AccountState account, FactWriter facts, AccountFact fact) => AccountDecider.Emit(account, facts, fact);

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private static string Text(Charge charge, long minor) => Currencies.Format(minor, charge.Currency);
}
