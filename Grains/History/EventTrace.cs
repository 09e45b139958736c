using System.Text;
using Billing.Accounts;
using Billing.Invoices;
using Billing.Metering;
using Billing.Usage;

namespace Billing.History;

/// <summary>All that the journal knows of one event.</summary>
/// <param name="state">An empty state of the account that forgets nothing.</param>
/// <param name="keyHash">The hash of the event's source and id.</param>
internal sealed class EventTrace(AccountState state, UInt128 keyHash)
{
    private readonly List<MeterChange> _changes = [];
    private readonly List<RefusedEvent> _refused = [];
    private readonly List<(int Meter, HashedReading Reading)> _read = [];
    private readonly Dictionary<string, EventCount> _billed = [];
    private readonly List<InvoiceLineName> _lines = [];
    private EventName? _name;
    private byte[] _source = [];
    private byte[] _id = [];
    private string? _type;
    private DateTimeOffset _receivedAt;
    private UsageReceipt? _receipt;

    /// <summary>Where the body of the accepted event is: the number of its entry, and how many accepted events are before it in the entry.</summary>
    public (long Sequence, int Index)? Body { get; private set; }

    /// <summary>Folds in an entry.</summary>
    public void Take(ReadOnlySpan<byte> entry)
    {
        state.Sequence++;
        var accepted = 0;
        var reader = new FactReader(entry);
        while (reader.TryRead(out var kind, out var content))
        {
            _changes.Clear();
            if (kind == FactKind.Json && FactReader.ReadJson(content) is AccountFact.InvoiceFinalized finalized) Take(finalized.Invoice);
            state.ApplyFact(kind, content, reader.ReceivedAt, _changes);
            if (kind == FactKind.UsageRefused) Take(FactReader.ReadUsageRefused(content), reader.ReceivedAt);
            if (kind != FactKind.UsageRecorded) continue;
            var fact = FactReader.ReadUsageRecorded(content);
            if (fact.KeyHash == keyHash && _type is null) Take(fact, reader.ReceivedAt, accepted);
            accepted++;
        }
    }

    /// <summary>What was found; null when the name was never seen.</summary>
    /// <param name="clock">The billing clock.</param>
    /// <param name="body">The event as it came, if it was kept.</param>
    public EventView? View(DateTimeOffset clock, string? body)
    {
        if (_receipt is not { } receipt) return null;
        return new(
            Encoding.UTF8.GetString(_source),
            Encoding.UTF8.GetString(_id),
            _type,
            _name?.Time,
            _receivedAt,
            receipt.Outcome,
            receipt.Reason,
            receipt.Meters,
            receipt.BilledOn,
            [.. _read.Select(r => Count(r.Meter, r.Reading, clock))],
            [.. _lines],
            body,
            [.. _refused]);
    }

    private void Take(in UsageRecordedFact fact, DateTimeOffset receivedAt, int index)
    {
        (_source, _id, _type) = (fact.Source.ToArray(), fact.Id.ToArray(), Encoding.UTF8.GetString(fact.Type));
        _name = new(Encoding.UTF8.GetString(_source), Encoding.UTF8.GetString(_id), new(fact.TimeTicks, TimeSpan.Zero));
        _receivedAt = receivedAt;
        Body = (state.Sequence, index);
        _receipt = UsageDecider.ReceiptOf(state, UsageOutcome.Accepted, _changes, fact.Readings, fact.TimeTicks, receivedAt.UtcTicks);
        var readings = new ReadingsReader(fact.Readings);
        while (readings.TryRead(out var meter, out var reading))
            if (meter != ReadingsWriter.NoSubscription && !reading.Cancels) _read.Add((meter, state.Hashed(state.Meters[meter], reading)));
    }

    private void Take(in UsageRefusedFact fact, DateTimeOffset receivedAt)
    {
        if (fact.KeyHash != keyHash) return;
        var reason = Encoding.UTF8.GetString(fact.Reason);
        _refused.Add(new(fact.Outcome, reason, receivedAt, Encoding.UTF8.GetString(fact.Body)));
        if (_type is not null) return;
        (_source, _id) = (fact.Source.ToArray(), fact.Id.ToArray());
        _name = fact.TimeTicks > 0 ? new("", "", new(fact.TimeTicks, TimeSpan.Zero)) : null;
        _receivedAt = receivedAt;
        _receipt = new(fact.Outcome, reason, [], null);
    }

    private EventCount Count(int meter, HashedReading reading, DateTimeOffset clock)
    {
        var counted = state.Meters[meter];
        var period = state.Calendar.PeriodOf(_name!.Time.UtcTicks);
        (Quantity Share, EventStanding Standing) now = default;
        counted.AsBilledAt(clock, () => now = counted.ShareOf(reading, new(_name.Time.UtcTicks, _source, _id), period, clock));
        return new(counted.Meter.Id, period, now.Standing, now.Share);
    }

    // An event stands behind the first line that bears its period after its receipt, and behind later ones only if its share has changed.
    private void Take(InvoiceView invoice)
    {
        foreach (var (meter, reading) in _read)
        {
            var share = Count(meter, reading, invoice.FinalizedAt!.Value);
            foreach (var line in invoice.Lines.Where(l => l.Meter == share.Meter && l.Period == share.Period))
            {
                if (_billed.GetValueOrDefault(share.Meter) != share) _lines.Add(new(invoice.Number!.Value, line.N));
                _billed[share.Meter] = share;
            }
        }
    }
}
