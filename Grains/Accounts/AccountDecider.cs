using System.Collections.Immutable;
using Billing.Charging;
using Billing.Invoicing;
using Billing.Lifecycle;
using Billing.Plans;

namespace Billing.Accounts;

/// <summary>
/// The rules of an account, but for usage events. Pure: told the time, it writes facts and folds them into the state at once,
/// so that the next decision of the same turn meets them.
/// </summary>
internal static class AccountDecider
{
    private const int MaxNameLength = 200;
    private const int MaxPaymentMethodLength = 255;
    private const int MaxReasonLength = 500;

    /// <summary>Decides all that is due at or before <paramref name="now"/>, each at its own instant, in order.</summary>
    public static void CatchUp(AccountState account, DateTimeOffset now, FactWriter facts)
    {
        if (account.HasUsageToLookAt) UsageReactions.Decide(account, account.LastEntryAt, facts);
        while (account.NextRuleAt is { } due && due <= now)
        {
            if (ChargingDecider.DueAt(account) == due) ChargingDecider.Advance(account, due, facts);
            else if (FinalAt(account, due) is { } draft) Finalize(account, draft, due, facts);
            else if (account.LooksAgainAt == due) account.LookAtUsageNow();
            else if (RenewalDecider.DueAt(account) == due) RenewalDecider.Tell(account, due, facts);
            else LifecycleDecider.Advance(account, due, facts);

            // A draft that is due comes first: an upgrade of the same instant is not on it.
            if (account.HasUsageToLookAt && FinalAt(account, due) is null) UsageReactions.Decide(account, due, facts);
        }
    }

    /// <summary>Decides whether the account can be made, and if so makes it.</summary>
    /// <returns>Why not, or null when it was made or had been made by the same command.</returns>
    public static Refusal? Open(AccountState account, OpenAccount command, ICatalogs catalogs, DateTimeOffset now, FactWriter facts)
    {
        if (account.Profile is { } known)
        {
            return known.CommandId is not null && known.CommandId == command.CommandId
                ? null
                : new(RefusalKind.Conflict, $"The account {account.Id} exists. Nothing was changed.", "id");
        }

        if (command.Name is not { Length: > 0 and <= MaxNameLength } || command.Name.Any(char.IsControl))
            return new(RefusalKind.Invalid, $"A name has 1 to {MaxNameLength} characters, none of them a control character. Nothing was stored.", "name");
        if (command.Email is not { Length: > 2 and <= 320 } || !command.Email.Contains('@'))
            return new(RefusalKind.Invalid, "An e-mail address has an @ and at most 320 characters. Nothing was stored.", "email");
        if (command.Country is { } country && !IsCountry(country))
            return new(RefusalKind.Invalid, "A country is a code of two capital letters such as US (ISO 3166-1). Nothing was stored.", "country");
        if (command.PaymentMethod is { Length: 0 or > MaxPaymentMethodLength })
            return new(RefusalKind.Invalid, $"A payment method has 1 to {MaxPaymentMethodLength} characters; leave it out when there is none. Nothing was stored.", "payment_method");
        if (catalogs.Find(command.CatalogVersion)?.Catalog is not { } catalog)
            return new(RefusalKind.Invalid, $"No catalogue version {command.CatalogVersion} is published. Nothing was stored.", "catalog_version");
        if (command.Currency is { } currency && currency != catalog.Currency)
            return new(RefusalKind.Invalid, $"The catalogue {catalog.Version} is priced in {catalog.Currency}, not in {currency}. Nothing was stored.", "currency");

        var (plans, refusal) = ChoosePlans(command.Plans, catalog);
        if (refusal is not null) return refusal;

        var at = WholeSecond(now);
        DateTimeOffset? trialEnd = plans.Max(p => p.Trial) is { Ticks: > 0 } trial ? at + trial : null;
        var status = plans.IsEmpty ? AccountStatus.Pending
            : trialEnd is not null ? AccountStatus.Trialing
            : command.PaymentMethod is not null ? AccountStatus.Active
            : AccountStatus.Pending;
        Emit(account, facts, new AccountFact.AccountOpened(
            command.Name,
            command.Email,
            command.Country,
            catalog.Currency,
            catalog.Version,
            command.PaymentMethod,
            command.AutomaticPlanChanges,
            status,
            command.CommandId,
            at,
            plans.Select(p => p.Id).ToImmutableArray(),
            trialEnd));
        if (status == AccountStatus.Pending) return null;

        foreach (var plan in plans) Emit(account, facts, new AccountFact.SubscriptionStarted(plan.Product, plan.Id, catalog.Version, at));
        if (status == AccountStatus.Active) Emit(account, facts, new AccountFact.InvoiceFinalized(InvoiceBuilder.First(account, at)));
        return null;
    }

    /// <summary>
    /// The second that an instant lies in. Subscriptions begin in whole seconds: an event of the same second, by a sender that drops the
    /// fraction, is not before the beginning.
    /// </summary>
    public static DateTimeOffset WholeSecond(DateTimeOffset instant) => instant.AddTicks(-(instant.UtcTicks % TimeSpan.TicksPerSecond));

    /// <summary>Why a reason in words cannot be taken; null when it can.</summary>
    public static Refusal? ReasonRefused(string? reason, bool needed)
    {
        if (reason is null && !needed) return null;
        return string.IsNullOrWhiteSpace(reason) || reason.Length > MaxReasonLength || reason.Any(char.IsControl)
            ? new(RefusalKind.Invalid, $"A reason is a text of 1 to {MaxReasonLength} characters, none of them a control character. Nothing was changed.", "reason")
            : null;
    }

    /// <summary>A copy of the account, caught up to a later instant; nothing of it is kept.</summary>
    public static AccountState Foresee(AccountState account, DateTimeOffset at)
    {
        var (copy, facts) = Unkept(account, at);
        CatchUp(copy, at, facts);
        return copy;
    }

    /// <summary>A copy to decide on, with a writer for its facts; nobody keeps either.</summary>
    public static (AccountState Copy, FactWriter Facts) Unkept(AccountState account, DateTimeOffset at)
    {
        var facts = new FactWriter();
        facts.Begin(at);
        return (account.CopyWithoutIds(), facts);
    }

    /// <summary>Writes a fact and folds it in.</summary>
    public static void Emit(AccountState account, FactWriter facts, AccountFact fact)
    {
        account.BeginEntry(facts);
        facts.Write(fact);
        account.Apply(fact);
    }

    private static void Finalize(AccountState account, InvoiceDraft draft, DateTimeOffset due, FactWriter facts)
    {
        SettlingDecider.DecideAgain(account, due, facts);
        SettlingDecider.Decide(account, draft, due, facts);
        var invoice = InvoiceBuilder.Finalize(account, draft, due);
        Emit(account, facts, invoice.Lines.IsEmpty ? new AccountFact.DraftDropped(draft.Period, due) : new AccountFact.InvoiceFinalized(invoice));
    }

    private static InvoiceDraft? FinalAt(AccountState account, DateTimeOffset due) => account.Drafts.FirstOrDefault(d => account.FinalizeAt(d) == due);

    private static bool IsCountry(string text) => text.Length == 2 && text.All(char.IsAsciiLetterUpper);

    private static (ImmutableArray<Plan> Plans, Refusal? Refusal) ChoosePlans(ImmutableArray<string> ids, Catalog catalog)
    {
        var plans = ImmutableArray.CreateBuilder<Plan>();
        for (var i = 0; i < ids.Length; i++)
        {
            var field = $"plans[{i}]";
            if (ids[i] is not { } id)
                return Refused(RefusalKind.Invalid, "A plan is named by a text, not by null. Nothing was stored.");
            if (catalog.FindPlan(id) is not { } plan)
                return Refused(RefusalKind.Invalid, $"The catalogue {catalog.Version} has no plan {ids[i]}. Nothing was stored.");
            if (plans.FirstOrDefault(p => p.Product == plan.Product) is { } other)
                return Refused(RefusalKind.Invalid, $"The plans {other.Id} and {plan.Id} are both of the product {plan.Product}; an account has one of each. Nothing was stored.");
            plans.Add(plan);

            (ImmutableArray<Plan>, Refusal?) Refused(RefusalKind kind, string detail) => ([], new(kind, detail, field));
        }

        return (plans.ToImmutable(), null);
    }
}
