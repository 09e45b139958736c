using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Tests.Accounts;
using Billing.Tests.Model;
using FsCheck;
using FsCheck.Fluent;

namespace Billing.Tests.Plans;

/// <summary>What a person does with an account's plan.</summary>
internal enum PlanActKind
{
    MoveNow,
    MoveAtPeriodEnd,
    Undo,
    OptOut,
    OptIn,
}

/// <summary>Something that a person does, and when.</summary>
/// <param name="Kind">What.</param>
/// <param name="Plan">The plan, counted from the lowest; beyond the last it is counted on from the first.</param>
/// <param name="Clock">Where the billing clock stands then.</param>
internal sealed record PlanAct(PlanActKind Kind, int Plan, DateTimeOffset Clock)
{
    public override string ToString() => $"{ModelEvent.Ago(Clock)}: {Kind} {Plan}";
}

/// <summary>A ladder, the plan an account begins with, the usage that comes to it, and what people do in between.</summary>
internal sealed record PlanCase(ModelLadder Ladder, int First, ModelCase Usage, ImmutableArray<PlanAct> Acts)
{
    /// <summary>Usage alone moves plans.</summary>
    public static Arbitrary<PlanCase> ByUsage { get; } = Cases(acts: 0);

    /// <summary>People move plans too.</summary>
    public static Arbitrary<PlanCase> ByHand { get; } = Cases(acts: 8);

    public ModelPlan Begins => Ladder.Plans[First];

    public override string ToString() => $"\n  from {Begins.Id} on {Ladder}{Usage}  {string.Join("\n  ", Acts)}\n";

    private static Arbitrary<PlanCase> Cases(int acts) => Arb.From(
        Gen.Sized(size => Gen.Choose(0, int.MaxValue - 1).Select(seed =>
        {
            var draw = new Draw(seed);
            var meters = ModelCatalog.Any(draw);
            var ladder = ModelLadders.Any(draw, meters, "USD", "USD", "JPY", "KWD");
            var usage = ModelCase.SpreadCase(draw, draw.From(1, 4 + (size / 3)), meters);
            var done = Enumerable.Range(0, acts == 0 ? 0 : draw.From(1, acts)).Select(_ => new PlanAct(
                draw.Of(PlanActKind.MoveNow, PlanActKind.MoveNow, PlanActKind.MoveAtPeriodEnd, PlanActKind.OptOut, PlanActKind.OptIn), draw.From(0, 4), When(draw)));
            var regretted = done.ToList().SelectMany(a => a.Kind == PlanActKind.MoveAtPeriodEnd && draw.Chance(40) ? [a, new(PlanActKind.Undo, 0, a.Clock.AddHours(draw.From(1, 240)))] : (IEnumerable<PlanAct>)[a]).ToList();
            return new PlanCase(ladder, draw.From(0, ladder.Plans.Length - 1), usage, [.. regretted.OrderBy(a => a.Clock)]);
        })),
        Smaller);

    // Often in the grace, or on a whole second near a period's ends.
    private static DateTimeOffset When(Draw draw) =>
        draw.Chance(40) ? ModelRun.Period(draw.From(1, 4)).Start.AddSeconds(draw.Of(-1, 0, 1, 3600, 86_400 * 2, 86_400 * 3)) : AccountRun.Anchor.AddSeconds(draw.From(0, 130 * 86_400));

    private static IEnumerable<PlanCase> Smaller(PlanCase large)
    {
        foreach (var act in large.Acts) yield return large with { Acts = large.Acts.Remove(act) };
        for (var i = large.Ladder.Plans.Length - 1; i >= 0; i--)
        {
            if (i == large.First) continue;
            yield return large with { Ladder = large.Ladder with { Plans = large.Ladder.Plans.RemoveAt(i) }, First = large.First - (i < large.First ? 1 : 0) };
        }

        foreach (var usage in ModelCase.Smaller(large.Usage))
        {
            // A plan prices and includes what is counted only.
            var meters = usage.Meters.Select(m => m.Id).ToHashSet();
            var plans = large.Ladder.Plans.Select(p => p with
            {
                Included = p.Included.RemoveRange(p.Included.Keys.Where(k => !meters.Contains(k))),
                Prices = p.Prices.RemoveRange(p.Prices.Keys.Where(k => !meters.Contains(k))),
            });
            yield return large with { Usage = usage, Ladder = large.Ladder with { Plans = [.. plans] } };
        }

        if (large.Ladder.Currency != "USD") yield return large with { Ladder = large.Ladder with { Currency = "USD" } };
        if (large.Ladder.Downgrade is not null) yield return large with { Ladder = large.Ladder with { Downgrade = null } };
        if (large.Ladder.Cooldown != TimeSpan.Zero) yield return large with { Ladder = large.Ladder with { Cooldown = TimeSpan.Zero } };
        foreach (var plan in large.Ladder.Plans)
            foreach (var meter in plan.Included.Keys) yield return large with { Ladder = large.Ladder with { Plans = large.Ladder.Plans.Replace(plan, plan with { Included = plan.Included.Remove(meter) }) } };
    }
}

/// <summary>A case on an account, with the oracle of plans at its side.</summary>
internal sealed class PlanRun
{
    /// <summary>When nothing is left to be billed.</summary>
    public static readonly DateTimeOffset Rest = ModelRun.Period(8).Start;

    private readonly PlanCase _tried;
    private readonly bool _wakes;

    private PlanRun(PlanCase tried, bool wakes)
    {
        (_tried, _wakes) = (tried, wakes);
        Account = AccountRun.On(AccountRun.Anchor, ModelCatalog.Json([.. tried.Usage.Meters], tried.Ladder));
        Assert.Null(Account.Open(tried.Begins.Id));
    }

    public AccountRun Account { get; }

    /// <summary>Lives a case to its end.</summary>
    /// <param name="tried">The case.</param>
    /// <param name="wakes">Whether the account is woken at each due instant; else by what comes alone.</param>
    public static PlanRun Lived(PlanCase tried, bool wakes = false)
    {
        var run = new PlanRun(tried, wakes);
        var acts = tried.Acts.ToList();
        foreach (var batch in tried.Usage.Deliveries.GroupBy(d => d.Clock))
        {
            foreach (var act in acts.Where(a => a.Clock <= batch.Key)) run.Do(act);
            acts.RemoveAll(a => a.Clock <= batch.Key);
            run.To(batch.Key).Send([.. batch.Select(d => d.Event.Sent)]);
        }

        foreach (var act in acts) run.Do(act);
        run.To(Rest).At(Rest);
        return run;
    }

    /// <summary>The oracle, when it has read the whole journal.</summary>
    public NaivePlans Oracle()
    {
        var events = _tried.Usage.Deliveries.Select(d => d.Event).DistinctBy(e => Content(e.Sent)).ToDictionary(e => Content(e.Sent));
        var oracle = new NaivePlans(_tried.Ladder, _tried.Usage.Meters);
        foreach (var entry in Account.Entries) oracle.Read(entry.Span, (key, fingerprint) => events[(key, fingerprint)]);
        oracle.AtRest(Account.Now);
        return oracle;

        static (UInt128, uint) Content(AccountRun.Event sent) => sent.ToRecord() is var record ? (record.KeyHash, record.Fingerprint) : default;
    }

    private AccountRun To(DateTimeOffset clock)
    {
        while (_wakes && Account.State.NextRuleAt is { } due && due <= clock) Account.At(due);
        return Account.Unawakened(clock);
    }

    private void Do(PlanAct act)
    {
        var plan = _tried.Ladder.Plans[act.Plan % _tried.Ladder.Plans.Length].Id;
        var account = To(act.Clock);
        _ = act.Kind switch
        {
            PlanActKind.MoveNow => account.Move(plan),
            PlanActKind.MoveAtPeriodEnd => account.Move(plan, PlanChangeTime.PeriodEnd),
            PlanActKind.Undo => account.UndoPlanChange(ModelCatalog.Desk),
            _ => account.Set(new(act.Kind == PlanActKind.OptIn, "They asked for it.", false, null)),
        };
    }
}
