using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Http;

namespace Billing.Plans;

/// <summary>A move of accounts from one catalogue version to the plans of the same ids of another. Pure.</summary>
/// <param name="From">The version that is left.</param>
/// <param name="To">The version that is moved to.</param>
/// <param name="Plans">Moves only subscriptions on these plans; null for all.</param>
public sealed record CatalogMove(Catalog From, Catalog To, ImmutableHashSet<string>? Plans)
{
    /// <summary>Why a reason is refused; null when it can be taken, or is left out.</summary>
    public static Refusal? ReasonRefused(string? reason) => AccountDecider.ReasonRefused(reason, needed: false);

    /// <summary>Whether an account can be concerned, as far as its row for lists tells.</summary>
    public bool MayConcern(AccountSummary account) =>
        account.Status is not (AccountStatus.Cancelled or AccountStatus.Pending) && (Plans is not { } plans || account.Plans.Any(plans.Contains));

    /// <summary>What an account has to be asked for.</summary>
    public CatalogMoveStep StepOf(AccountView account)
    {
        var changes = ImmutableArray.CreateBuilder<PlanChange>();
        var products = ImmutableArray.CreateBuilder<ProductMove>();
        var done = new List<string>();
        foreach (var subscription in account.Subscriptions.Where(s => Plans is not { } plans || plans.Contains(s.Plan)))
        {
            var scheduled = subscription.ScheduledChange is { Kind: ScheduledChangeKind.Plan } change ? change : null;
            if (subscription.CatalogVersion == To.Version) done.Add($"{subscription.Product} is on the catalogue {To.Version} already.");
            else if (subscription.CatalogVersion != From.Version) continue;
            else if (scheduled?.CatalogVersion == To.Version) done.Add($"{subscription.Product} moves to the catalogue {To.Version} at {UtcJsonConverter.ToText(scheduled.At)} already.");
            else if (scheduled is not null && scheduled.CatalogVersion != From.Version)
                return CatalogMoveStep.Wrong($"A change of {subscription.Product} to {scheduled.Plan} of the catalogue {scheduled.CatalogVersion} is scheduled, and would be lost. Nothing was changed; undo it first.");
            else Add(subscription.Product, scheduled?.Plan ?? subscription.Plan);
        }

        return new(changes.ToImmutable(), products.ToImmutable(), string.Join(" ", done), null);

        void Add(string product, string plan)
        {
            changes.Add(new(product, plan));
            if (From.FindPlan(plan) is { } before && To.FindPlan(plan) is { } after)
                products.Add(new(product, plan, Text(before.Interval), before.BasePriceMinor, Text(after.Interval), after.BasePriceMinor));
        }
    }

    private static string Text(PlanInterval interval) => interval == PlanInterval.Year ? "year" : "month";
}

/// <summary>What an account has to be asked for, to move it.</summary>
/// <param name="Changes">The plans it is to come on; empty for none.</param>
/// <param name="Products">Those of them that both versions have, with their base prices.</param>
/// <param name="Done">Which subscriptions are on the version, or move to it, already: sentences; empty when none.</param>
/// <param name="Problem">Why it cannot be moved; null when it may be asked.</param>
public sealed record CatalogMoveStep(ImmutableArray<PlanChange> Changes, ImmutableArray<ProductMove> Products, string Done, string? Problem)
{
    /// <summary>Whether the account has to do with the move.</summary>
    public bool IsConcerned => Problem is not null || !Changes.IsEmpty || Done.Length > 0;

    internal static CatalogMoveStep Wrong(string problem) => new([], [], "", problem);
}
