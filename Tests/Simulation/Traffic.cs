using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Billing.Accounts;
using Billing.Deduplication;
using Billing.Plans;
using Billing.Silo.Ingest;
using Billing.Tests.Model;
using Billing.Usage;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Simulation;

/// <summary>An event as it is sent, and what the senders were told of it.</summary>
internal sealed class SentEvent
{
    public SentEvent(string account, ModelEvent model, bool broken, SipKey hashKey)
    {
        (Account, Model, Broken) = (account, model, broken);
        var time = model.Time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture);
        Json = $$"""{"specversion":"1.0","id":{{JsonSerializer.Serialize(model.Id)}},"source":"{{model.Source}}",{{(broken ? "" : $"\"type\":\"{model.Type}\",")}}"subject":"{{account}}","time":"{{time}}","data":{{model.Json}}}""";
        var read = default(CloudEvent);
        new CloudEventReader(hashKey).Read(Encoding.UTF8.GetBytes(Json), ref read);
        Content = (EventKey.Hash(hashKey, Encoding.UTF8.GetBytes(model.Source), Encoding.UTF8.GetBytes(model.Id)), read.Fingerprint);
    }

    public string Account { get; }

    public ModelEvent Model { get; }

    /// <summary>It lacks what every event needs.</summary>
    public bool Broken { get; }

    public string Json { get; }

    /// <summary>What tells it from every other event of its account.</summary>
    public (UInt128 Key, uint Fingerprint) Content { get; }

    /// <summary>Whether an answer of 2xx was for it, with or without a receipt.</summary>
    public bool Acknowledged { get; set; }

    /// <summary>The outcomes in answers of 2xx, in the order in which they came.</summary>
    public List<UsageOutcome> Answers { get; } = [];

    public override string ToString() => $"{Account}: {Model}";
}

/// <summary>Events that are sent together.</summary>
internal sealed record SentBody(long At, ImmutableArray<SentEvent> Events, EventFormat Format, bool KeepBodies, bool WantReceipts)
{
    private byte[]? _bytes;

    /// <summary>The body, a copy for each who sends it.</summary>
    public byte[] Bytes => [.. _bytes ??= Encoding.UTF8.GetBytes(Format switch
    {
        EventFormat.Lines => string.Join('\n', Events.Select(e => e.Json)),
        EventFormat.Batch => $"[{string.Join(',', Events.Select(e => e.Json))}]",
        _ => Events[0].Json,
    })];

    public override string ToString() => string.Join(", ", Events);
}

/// <summary>An account of a run: when it is opened and on which plan, when it is cancelled and not cancelled after all, and what else is asked of it.</summary>
internal sealed record SentAccount(string Id, string Plan, long OpenAt, long? CancelAt, long? UndoAt, ImmutableArray<SentChange> Changes);

/// <summary>A command that changes plans, or whether usage may change them.</summary>
/// <param name="At">When it is sent first.</param>
/// <param name="Id">Names the command.</param>
/// <param name="Plan">The plan that is asked for; null for none.</param>
/// <param name="When">From when on; null takes a change back that is to come.</param>
/// <param name="Automatic">Whether usage may change plans; null leaves that as it is.</param>
internal sealed record SentChange(long At, string Id, string? Plan, PlanChangeTime? When, bool? Automatic)
{
    /// <summary>Whether an answer said that the change of plan is made or is to come.</summary>
    public bool Acknowledged { get; set; }
}

/// <summary>All that is sent in a run: a ladder of plans, accounts, their commands, and events that come late, again, out of order and with other content.</summary>
internal sealed class Traffic
{
    private static readonly TimeSpan FarOut = TimeSpan.FromDays(60);

    public Traffic(Draw draw, World world, SipKey hashKey)
    {
        Meters = ModelCatalog.Any(draw);
        Ladder = ModelLadders.Any(draw, Meters, "USD");
        var (catalog, problem) = CatalogReader.Read(Encoding.UTF8.GetBytes(ModelCatalog.Json(Meters, Ladder)));
        Assert.Null(problem);
        Catalogs = new(new(catalog!));

        var start = Anchor.UtcTicks;
        Accounts =
        [
            .. Enumerable.Range(0, draw.From(1, 3)).Select(i => new SentAccount(
                $"shop-{i.ToString(CultureInfo.InvariantCulture)}",
                draw.Of([.. Ladder.Plans]).Id,
                start + (draw.Chance(75) ? 0 : draw.Of(TimeSpan.TicksPerSecond, TimeSpan.TicksPerHour, 3 * TimeSpan.TicksPerDay)),
                draw.Chance(35) ? start + world.From(TimeSpan.TicksPerDay, 95 * TimeSpan.TicksPerDay) : null,
                draw.Chance(50) ? start + world.From(TimeSpan.TicksPerDay, 125 * TimeSpan.TicksPerDay) : null,
                [.. ChangesOf(draw, Ladder, start)])),
        ];

        var deliveries = new List<(long At, SentEvent Event)>();
        foreach (var account in Accounts.Select(a => a.Id).Append("nobody"))
        {
            var large = draw.Chance(45);
            var events = ModelEvents.Any(draw, account == "nobody" ? draw.From(0, 2) : draw.From(4, 24), Meters);
            foreach (var model in events) deliveries.AddRange(Sent(draw, account, model, large, hashKey));
        }

        Bodies = [.. BodiesOf(draw, deliveries)];
        Events = [.. deliveries.Select(d => d.Event).Distinct<SentEvent>(ReferenceEqualityComparer.Instance)];
    }

    public ModelMeter[] Meters { get; }

    public ModelLadder Ladder { get; }

    public ImmutableArray<SentAccount> Accounts { get; }

    public ImmutableArray<SentBody> Bodies { get; }

    public ImmutableArray<SentEvent> Events { get; }

    /// <summary>When the last of it is sent for the first time.</summary>
    public long LastAt => Bodies.Select(b => b.At).Concat(Accounts.SelectMany(a => a.Changes.Select(c => c.At).Append(long.Max(a.OpenAt, long.Max(a.CancelAt ?? 0, a.UndoAt ?? 0))))).Max();

    public SimulatedCatalogs Catalogs { get; }

    private static IEnumerable<SentChange> ChangesOf(Draw draw, ModelLadder ladder, long start)
    {
        for (var i = draw.Chance(50) ? draw.From(1, 6) : 0; i > 0; i--)
        {
            var (at, id) = (start + (draw.From(86_400, 125 * 86_400) * TimeSpan.TicksPerSecond), $"change {i.ToString(CultureInfo.InvariantCulture)}");
            SentChange change = draw.From(0, 9) switch
            {
                < 4 => new(at, id, draw.Of([.. ladder.Plans]).Id, PlanChangeTime.Now, null),
                < 7 => new(at, id, draw.Of([.. ladder.Plans]).Id, PlanChangeTime.PeriodEnd, null),
                _ => new(at, id, null, null, draw.Chance(60)),
            };
            yield return change;
            if (change.When == PlanChangeTime.PeriodEnd && draw.Chance(40)) yield return new(at + (draw.From(1, 240) * TimeSpan.TicksPerHour), $"no {id}", null, null, null);
        }
    }

    private static IEnumerable<(long At, SentEvent Event)> Sent(Draw draw, string account, ModelEvent model, bool large, SipKey hashKey)
    {
        // What is refused is kept with its body: a few large ones make the account due for a snapshot.
        if (large && draw.Chance(25)) model = model with { Data = model.Data.Add("pad", $"\"{new string('x', draw.From(8_000, 70_000))}\""), Time = model.Time - FarOut };
        var sent = new SentEvent(account, model, broken: draw.Chance(2), hashKey);
        var first = ModelEvents.Arrival(draw, model.Time).UtcTicks;
        yield return (first, sent);
        for (var again = draw.Chance(25) ? draw.From(1, 3) : 0; again > 0; again--)
            yield return (draw.Chance(30) ? first : first + (draw.From(0, 36 * 24) * TimeSpan.TicksPerHour), sent);
        if (draw.Chance(5))
            yield return (ModelEvents.Arrival(draw, model.Time).UtcTicks, new(account, model with { Data = model.Data.SetItem("v", "77") }, false, hashKey));
    }

    private static IEnumerable<SentBody> BodiesOf(Draw draw, List<(long At, SentEvent Event)> deliveries)
    {
        var body = new List<SentEvent>();
        var at = 0L;
        foreach (var delivery in deliveries.OrderBy(d => d.At))
        {
            if (body.Count > 0 && (delivery.At - at > TimeSpan.TicksPerDay || draw.Chance(40))) yield return Take();
            body.Add(delivery.Event);
            at = delivery.At;
        }

        if (body.Count > 0) yield return Take();

        SentBody Take()
        {
            var events = body.ToImmutableArray();
            body.Clear();
            var format = events.Length == 1 && draw.Chance(50) ? EventFormat.Single : draw.Of(EventFormat.Lines, EventFormat.Batch);
            return new(at, events, format, draw.Chance(30), draw.Chance(85));
        }
    }
}
