using System.Collections.Immutable;
using System.Globalization;
using Billing.Tests.Model;
using FsCheck;
using FsCheck.Fluent;

namespace Billing.Tests.Plans;

/// <summary>A plan as one catalogue version sells it; its text is its JSON.</summary>
/// <param name="Product">What it is a plan of.</param>
/// <param name="Id">Its id.</param>
/// <param name="Version">The catalogue version.</param>
/// <param name="Rank">Its place in the ladder.</param>
/// <param name="Yearly">Whether it is paid by the year; else by the month.</param>
/// <param name="Price">The base price of a month, or of a year, in cents.</param>
/// <param name="TrialDays">0 for no trial.</param>
internal sealed record FeePlan(string Product, string Id, string Version, int Rank, bool Yearly, int Price, int TrialDays)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{ "id": "{{Id}}", "rank": {{Rank}}, "interval": "{{(Yearly ? "year" : "month")}}", "base_price": "{{Price / 100}}.{{Price % 100:00}}"{{(TrialDays == 0 ? "" : $", \"trial\": \"P{TrialDays}D\"")}} }""");
}

/// <summary>What a person does with an account.</summary>
internal enum FeeActKind
{
    MoveNow,
    MoveAtPeriodEnd,
    Undo,
    Suspend,
    Resume,
    Cancel,
    UndoCancellation,
}

/// <summary>Something that a person does, and when.</summary>
/// <param name="Kind">What.</param>
/// <param name="Plans">
/// The plans that products are moved to or added on; none for those that they are on, or at once for the next plan up. For an undoing, one of the
/// product whose change is undone.
/// </param>
/// <param name="Version">The catalogue version of the plans; null for that of each subscription.</param>
/// <param name="Boundaries">How many ends of trial or periods are waited for before.</param>
/// <param name="Wait">How long is waited after that; below zero for an instant before the last of those ends.</param>
internal sealed record FeeAct(FeeActKind Kind, ImmutableArray<string> Plans, string? Version, int Boundaries, TimeSpan Wait)
{
    public override string ToString() => $"{Kind} {string.Join(" + ", Plans)} {Version} after {Boundaries} ends and {Wait}";
}

/// <summary>
/// Catalogue versions that sell the products <c>desk</c> and <c>bot</c>, each by the month and by the year, at prices and sometimes with ranks and
/// intervals of their own; none sells usage; an account on them, and what people do with it.
/// </summary>
/// <param name="Plans">What all versions sell.</param>
/// <param name="Grace">The grace of all versions, as their JSON has it.</param>
/// <param name="Begins">When the account is opened.</param>
/// <param name="First">The plans it is opened on.</param>
/// <param name="FirstVersion">Their catalogue version.</param>
/// <param name="Wakes">Whether it is woken at each due instant; else by what people do alone.</param>
/// <param name="Acts">What people do, in order.</param>
internal sealed record FeeCase(
    ImmutableArray<FeePlan> Plans, string Grace, DateTimeOffset Begins, ImmutableArray<string> First, string FirstVersion, bool Wakes, ImmutableArray<FeeAct> Acts)
{
    private const int DaysLived = 1_000;

    private static readonly ImmutableArray<string> Desk = ["desk-1", "desk-2", "desk-3", "desk-y1", "desk-y2", "desk-y3"];
    private static readonly ImmutableArray<string> Bot = ["bot-1", "bot-2", "bot-y1", "bot-y2"];

    public static Arbitrary<FeeCase> Any { get; } = Arb.From(Gen.Choose(0, int.MaxValue - 1).Select(seed => Of(new(seed))), Smaller);

    /// <summary>When nobody does anything any more.</summary>
    public DateTimeOffset Ends => Begins.AddDays(DaysLived);

    public string[] Catalogs => [.. Plans.GroupBy(p => p.Version).Select(version => $$"""
        { "version": "{{version.Key}}", "currency": "USD", "grace": "{{Grace}}", 
          "meters": [ { "id": "desk.sent", "product": "desk", "event": "sent", "aggregate": "count" }, { "id": "bot.sent", "product": "bot", "event": "sent", "aggregate": "count" } ],
          "products": [ {{string.Join(", ", version.GroupBy(p => p.Product).Select(product => $$"""{ "id": "{{product.Key}}", "plans": [ {{string.Join(", ", product)}} ] }"""))}} ] }
        """)];

    public FeePlan Plan(string id, string version) => Plans.Single(p => p.Id == id && p.Version == version);

    public override string ToString() =>
        $"\n  {string.Join("\n  ", Plans.Where(p => First.Contains(p.Id) || Acts.Any(a => a.Plans.Contains(p.Id))).Select(p => $"{p.Version} {p}"))}\n  grace {Grace}, opened {Begins:O} on {string.Join(" + ", First)} of {FirstVersion}{(Wakes ? ", wakes" : "")}\n  {string.Join("\n  ", Acts)}\n";

    private static FeeCase Of(Draw draw)
    {
        var versions = draw.Of<string[]>(["v1"], ["v1", "v2"], ["v1", "v2"], ["v1", "v2", "v3"]);
        var hasTrials = draw.Chance(25);
        var plans = versions.SelectMany(version => new[] { Desk, Bot }.SelectMany(product => Sold(draw, product, version, hasTrials))).ToImmutableArray();
        var first = draw.Chance(30) ? draw.Of("desk-y1", "desk-y2") : Plan(draw, Desk);
        var moves = draw.Chance(30) ? [new FeeAct(FeeActKind.MoveAtPeriodEnd, [], draw.Of(versions), 0, TimeSpan.FromDays(draw.From(0, 20)))] : ImmutableArray<FeeAct>.Empty;
        return new(
            plans,
            draw.Chance(80) ? "PT72H" : draw.Of("PT0S", "P20D", "P45D"),
            new DateTimeOffset(draw.Of(2024, 2025, 2026, 2027), draw.From(1, 12), 1, 0, 0, 0, TimeSpan.Zero).AddDays(draw.Of(0, 14, 27, 28, 29, 30)).AddSeconds(draw.Of(0, 43_200, draw.From(0, 86_399))),
            draw.Chance(50) ? [first, Plan(draw, Bot)] : [first],
            draw.Of(versions),
            draw.Chance(30),
            [.. moves, .. Enumerable.Range(0, draw.From(1, 14)).SelectMany(_ => Done(draw, versions))]);
    }

    // Mostly dearer with the rank, and a year for the price of ten months or so; sometimes in any order.
    private static IEnumerable<FeePlan> Sold(Draw draw, ImmutableArray<string> product, string version, bool hasTrials)
    {
        var isOdd = draw.Chance(20);
        var ranks = Enumerable.Range(1, product.Length).ToArray();
        if (isOdd) ranks = Generated.Shuffled(ranks, draw.From(0, 1_000));
        return product.Select((id, i) =>
        {
            var yearly = id.Contains('y', StringComparison.Ordinal) != (isOdd && draw.Chance(15));
            var price = isOdd ? draw.From(1_000, 400_000) : (i + 1) * draw.From(1_000, 3_000) * (yearly ? 10 : 1);
            return new FeePlan(id[..id.IndexOf('-', StringComparison.Ordinal)], id, version, ranks[i], yearly, price, hasTrials && draw.Chance(60) ? draw.Of(7, 14, 45) : 0);
        });
    }

    // Most cancellations and some changes are taken back, and many suspensions are over after a while, so that lives go on.
    private static IEnumerable<FeeAct> Done(Draw draw, string[] versions)
    {
        var kind = draw.Of(
            FeeActKind.MoveNow, FeeActKind.MoveNow, FeeActKind.MoveNow, FeeActKind.MoveAtPeriodEnd, FeeActKind.MoveAtPeriodEnd, FeeActKind.MoveAtPeriodEnd,
            FeeActKind.Undo, FeeActKind.Suspend, FeeActKind.Suspend, FeeActKind.Resume, FeeActKind.Resume, FeeActKind.Resume,
            FeeActKind.Cancel);
        ImmutableArray<string> plans = kind switch
        {
            FeeActKind.MoveAtPeriodEnd when draw.Chance(25) => [],
            FeeActKind.MoveNow when draw.Chance(50) => [],
            FeeActKind.MoveNow or FeeActKind.MoveAtPeriodEnd => draw.Chance(20) ? [Plan(draw, Bot), Plan(draw, Desk)] : [Plan(draw, draw.Chance(70) ? Desk : Bot)],
            FeeActKind.Undo => [Plan(draw, draw.Chance(70) ? Desk : Bot)],
            _ => [],
        };
        var version = kind == FeeActKind.MoveAtPeriodEnd && (plans.IsEmpty || draw.Chance(50)) ? draw.Of(versions) : null;
        var (boundaries, wait) = draw.From(0, 9) switch
        {
            0 => (0, TimeSpan.Zero),
            1 => (1, TimeSpan.FromSeconds(draw.Of(-1, 0, 1))),
            2 => (1, TimeSpan.FromHours(draw.Of(-71, 1, 71, 72, 73))),
            3 => (draw.Of(2, 11, 12, 13), TimeSpan.FromSeconds(draw.From(-86_400, 86_400))),
            4 => (0, TimeSpan.FromSeconds(draw.From(0, 200 * 86_400))),
            _ => (0, TimeSpan.FromMilliseconds(draw.From(0, 20 * 86_400) * 1_000L + draw.Of(0, 500))),
        };
        yield return new(kind, plans, version, boundaries, wait);
        if (kind == FeeActKind.Cancel && draw.Chance(80)) yield return new(FeeActKind.UndoCancellation, [], null, 0, TimeSpan.FromHours(draw.From(0, 300)));
        if (kind == FeeActKind.MoveAtPeriodEnd && !plans.IsEmpty && draw.Chance(25)) yield return new(FeeActKind.Undo, [plans[0]], null, 0, TimeSpan.FromHours(draw.From(0, 300)));
        if (kind == FeeActKind.Suspend && draw.Chance(50)) yield return new(FeeActKind.Resume, [], null, 1, TimeSpan.FromHours(draw.From(-10, 1_000)));
    }

    private static string Plan(Draw draw, ImmutableArray<string> product) => product[draw.From(0, product.Length - 1)];

    private static IEnumerable<FeeCase> Smaller(FeeCase large)
    {
        foreach (var act in large.Acts) yield return large with { Acts = large.Acts.Remove(act) };
        for (var i = 0; i < large.Acts.Length; i++)
        {
            var act = large.Acts[i];
            if (act.Plans.Length > 1)
                foreach (var plan in act.Plans) yield return large with { Acts = large.Acts.SetItem(i, act with { Plans = [plan] }) };
            if (act.Boundaries > 1) yield return large with { Acts = large.Acts.SetItem(i, act with { Boundaries = 1 }) };
            if (act.Boundaries > 0) yield return large with { Acts = large.Acts.SetItem(i, act with { Boundaries = 0 }) };
            if (act.Wait > TimeSpan.FromDays(1)) yield return large with { Acts = large.Acts.SetItem(i, act with { Wait = TimeSpan.FromDays(act.Wait.Days / 2) }) };
            else if (act.Wait != TimeSpan.Zero) yield return large with { Acts = large.Acts.SetItem(i, act with { Wait = TimeSpan.Zero }) };
        }

        if (large.First.Length > 1)
            foreach (var plan in large.First) yield return large with { First = [plan] };
        if (large.Plans.Any(p => p.TrialDays > 0)) yield return large with { Plans = [.. large.Plans.Select(p => p with { TrialDays = 0 })] };
        if (large.Wakes) yield return large with { Wakes = false };
        if (large.Grace != "PT72H") yield return large with { Grace = "PT72H" };
        if (large.Begins.TimeOfDay != TimeSpan.Zero) yield return large with { Begins = new(large.Begins.Date, TimeSpan.Zero) };
    }
}
