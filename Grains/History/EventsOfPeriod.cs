using System.Text;
using System.Text.Json;
using Billing.Accounts;
using Billing.Metering;
using Billing.Usage;

namespace Billing.History;

/// <summary>What an event added to the usage of its period at an instant, and how it stood.</summary>
internal readonly record struct EventShare(Quantity Share, EventStanding Standing);

/// <summary>Gathers the events of one meter and billing period while an account is folded together.</summary>
/// <param name="state">The account; it must forget nothing.</param>
/// <param name="meter">The meter.</param>
/// <param name="period">The billing period.</param>
internal sealed class EventsOfPeriod(AccountState state, string meter, BillingPeriod period)
{
    private readonly List<Accepted> _accepted = [];
    private readonly List<(LineEvent Event, UInt128 Letter)> _refused = [];
    private readonly Dictionary<UInt128, List<EventName>> _cancellers = [];
    private readonly HashSet<UInt128> _names = [];

    /// <summary>Takes a fact that the account has folded in.</summary>
    public void Take(FactKind kind, ReadOnlySpan<byte> content, DateTimeOffset receivedAt)
    {
        switch (kind)
        {
            case FactKind.UsageRecorded:
                Take(FactReader.ReadUsageRecorded(content), receivedAt);
                break;
            case FactKind.UsageRefused:
                Take(FactReader.ReadUsageRefused(content), receivedAt);
                break;
            case FactKind.Json when FactReader.ReadJson(content) is AccountFact.DeadLetterClosed closed:
                _refused.RemoveAll(r => r.Letter == closed.Letter);
                break;
        }
    }

    /// <summary>What was refused so far belongs to a line before.</summary>
    public void LeaveOutRefused() => _refused.Clear();

    /// <summary>What each event gathered so far adds to the period as it is billed at an instant.</summary>
    public IReadOnlyList<EventShare> SharesAt(DateTimeOffset clock)
    {
        var shares = new List<EventShare>(_accepted.Count);
        if (_accepted.Count == 0) return shares;
        var counted = state.MeterOf(meter);
        counted.AsBilledAt(clock, () =>
        {
            foreach (var accepted in _accepted)
            {
                var (share, standing) = counted.ShareOf(accepted.Reading, accepted.Place, period, clock);
                shares.Add(new(share, standing));
            }
        });
        return shares;
    }

    /// <summary>The events that make the difference between two instants, and what was refused between them.</summary>
    /// <param name="before">The shares at the first instant; empty when the period was not billed before.</param>
    /// <param name="after">The shares at the second.</param>
    public IReadOnlyList<LineEvent> Difference(IReadOnlyList<EventShare> before, IReadOnlyList<EventShare> after)
    {
        var accepted = from index in Enumerable.Range(0, after.Count)
                       let was = index < before.Count ? before[index] : (EventShare?)null
                       where was is null || was != after[index]
                       let held = _accepted[index]
                                              select new LineEvent(
                           held.Name.Source, held.Name.Id, held.Name.Time, held.ReceivedAt, UsageOutcome.Accepted, after[index].Standing,
                           after[index].Share - (was?.Share ?? Quantity.Zero), after[index].Standing == EventStanding.Cancelled ? CancellerOf(held) : null, null);
        return
        [
            .. accepted.OrderBy(e => e.Time).ThenBy(e => e.Source, StringComparer.Ordinal).ThenBy(e => e.Id, StringComparer.Ordinal),
            .. _refused.Select(r => r.Event),
        ];
    }

    private void Take(in UsageRecordedFact fact, DateTimeOffset receivedAt)
    {
        var readings = new ReadingsReader(fact.Readings);
        while (readings.TryRead(out var index, out var reading))
        {
            if (index == ReadingsWriter.NoSubscription) continue;
            var counted = state.Meters[index];
            if (counted.Meter.Id != meter) continue;
            var name = new EventName(
                Encoding.UTF8.GetString(fact.Source), Encoding.UTF8.GetString(fact.Id), new(fact.TimeTicks, TimeSpan.Zero));
            if (reading.Cancels)
            {
                var key = state.HashOf(reading.CancelKey);
                if (!_cancellers.TryGetValue(key, out var cancellers)) _cancellers[key] = cancellers = [];
                cancellers.Add(name);
                _names.Add(fact.KeyHash);
            }
            else if (period.Contains(name.Time))
            {
                _names.Add(fact.KeyHash);
                _accepted.Add(new(name, receivedAt, state.Hashed(counted, reading), fact.Source.ToArray(), fact.Id.ToArray()));
            }
        }
    }

    private void Take(in UsageRefusedFact fact, DateTimeOffset receivedAt)
    {
        var time = fact.TimeTicks > 0 ? new DateTimeOffset(fact.TimeTicks, TimeSpan.Zero) : (DateTimeOffset?)null;
        var reason = Encoding.UTF8.GetString(fact.Reason);
        var concerns = fact.Outcome == UsageOutcome.Conflict ? _names.Contains(fact.KeyHash) : period.Contains(time ?? receivedAt) && CanBeOfMeter(fact, reason);
        if (!concerns) return;
        _refused.Add((
            new(
                Encoding.UTF8.GetString(fact.Source), Encoding.UTF8.GetString(fact.Id), time, receivedAt, fact.Outcome, null, null, null, reason),
            fact.Letter));
    }

    private EventName? CancellerOf(Accepted held)
    {
        var within = state.MeterOf(meter).Meter.CancelledBy!.Within;
        return _cancellers.GetValueOrDefault(held.Reading.CancelKey, [])
            .Where(c => c.Time > held.Name.Time && c.Time <= held.Name.Time + within)
            .MinBy(c => c.Time);
    }

    // A body that cannot be read could have been of any type. An event that lacks what a meter needs names that meter.
    private bool CanBeOfMeter(in UsageRefusedFact fact, string reason)
    {
        var counted = state.MeterOf(meter).Meter;
        if (fact.Outcome == UsageOutcome.Rejected && !UsageDecider.ConcernsMeter(reason, meter)) return false;
        return TypeOf(fact.Body) is not { } type || type == counted.Event || type == counted.CancelledBy?.Event;
    }

    private static string? TypeOf(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isType = reader.ValueTextEquals("type"u8);
                reader.Read();
                if (isType) return reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                reader.Skip();
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return null;
        }

        return null;
    }

    private sealed class Accepted(EventName name, DateTimeOffset receivedAt, HashedReading reading, byte[] source, byte[] id)
    {
        public EventName Name { get; } = name;

        public DateTimeOffset ReceivedAt { get; } = receivedAt;

        public HashedReading Reading { get; } = reading;

        public EventPlace Place => new(Name.Time.UtcTicks, source, id);
    }
}
