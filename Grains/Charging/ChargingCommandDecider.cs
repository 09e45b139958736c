using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Invoices;
using Billing.Invoicing;
using Billing.Lifecycle;
using Billing.Plans;

namespace Billing.Charging;

/// <summary>Decides what operators do about the charges of an account. Pure.</summary>
internal static class ChargingCommandDecider
{
    private const int MaxPaymentMethodLength = 255;

    public static AccountChangeAnswer ChangePaymentMethod(AccountState account, ChangePaymentMethod command, DateTimeOffset now, FactWriter facts)
    {
        if (command.PaymentMethod is not { Length: > 0 and <= MaxPaymentMethodLength } method || method.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '_'))
            return new(new(RefusalKind.Invalid, $"A payment method is an id at Stripe of 1 to {MaxPaymentMethodLength} letters, digits and _, such as pm_1ABC. Nothing was changed.", "payment_method"), null);
        if (AccountDecider.ReasonRefused(command.Reason, needed: true) is { } refusal) return new(refusal, null);
        if (account.Cancelled is not null && account.Charging.Charges.All(c => c.IsOver))
            return new(new(RefusalKind.Conflict, $"The account {account.Id} is cancelled and owes nothing. Nothing was changed."), null);

        var waiting = account.Charging.Charges.Count(c => c.State == ChargeState.Declined);
        var isRepeated = !command.DryRun && command.CommandId is not null && account.Charging.MethodCommand == command.CommandId;
        if (!isRepeated) AccountDecider.Emit(account, facts, new AccountFact.PaymentMethodGiven(method, command.Reason, now, command.CommandId));
        var begun = Begun(account, AccountDecider.WholeSecond(now));
        var begins = begun.IsEmpty ? "" : " Once it is attached the account is active: its subscriptions begin, and their first base prices are invoiced at once.";
        var retried = waiting == 0 ? "No charge waits for it." : $"Charges that were declined and are tried again with it at once: {waiting}.";
        return new(null, Change(account, $"The payment method {method} is attached to the customer at Stripe, and charged from then on. {retried}{begins}", now) with { Lines = begun, Total = begun.Sum(l => l.Amount) });
    }

    // What an account that has waited for a payment method has to pay when it gets one.
    private static ImmutableArray<InvoiceLine> Begun(AccountState account, DateTimeOffset at)
    {
        if (account is not { Status: AccountStatus.Pending, Profile: { Plans: { IsEmpty: false } plans, CatalogVersion: var version } }) return [];
        var lines = ImmutableArray.CreateBuilder<InvoiceLine>();
        foreach (var plan in plans.Select(p => account.PlanOf(p, version)).OrderBy(p => p.Product, StringComparer.Ordinal))
            lines.Add(BaseFees.Line(account, plan, version, plan.Interval == PlanInterval.Year ? BillingCalendar.YearAt(at, 0) : BillingCalendar.PeriodAt(at, 0)) with { N = lines.Count + 1 });
        return lines.ToImmutable();
    }

    public static AccountChangeAnswer Release(AccountState account, ReleaseCharges command, DateTimeOffset now, FactWriter facts)
    {
        if (!command.DryRun && command.CommandId is not null && account.Charging.ReleaseCommand == command.CommandId)
            return new(null, Change(account, "The parked charges were released, and what went back at Stripe is noted as seen.", now));
        if (AccountDecider.ReasonRefused(command.Reason, needed: true) is { } refusal) return new(refusal, null);
        var parked = account.Charging.Charges.Where(c => c.State == ChargeState.Parked).ToList();
        var unseen = account.Charging.Charges.SelectMany(c => c.Reversals).Where(r => !r.Seen).ToList();
        if (parked.Count == 0 && unseen.Count == 0 && !account.Charging.Held)
            return new(new(RefusalKind.Conflict, $"No charge of the account {account.Id} is parked, and nothing went back at Stripe that nobody has seen. Nothing was changed."), null);

        AccountDecider.Emit(account, facts, new AccountFact.ChargesReleased(command.Reason!, now, command.CommandId));
        var sentences = new List<string>();
        if (parked.Count > 0 || unseen.Count == 0) sentences.Add($"The charges of the invoices {string.Join(", ", parked.Select(c => c.Invoice))} go on. What may have been sent already is looked up at Stripe first.");
        if (unseen.Count > 0) sentences.Add($"Noted as seen, as they are now: {string.Join(", ", unseen.Select(r => $"{r.Id} ({r.Status})"))}.");
        return new(null, Change(account, string.Join(' ', sentences), now) with { Total = parked.Sum(c => c.Amount) });
    }

    private static AccountChange Change(AccountState account, string description, DateTimeOffset at) =>
        new(account.Id, description, at, false, account.Profile!.Currency, 0, [], null);
}
