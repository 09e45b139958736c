using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Billing.Deduplication;
using Billing.Invoices;
using Billing.Metering;
using Billing.Plans;
using Billing.Usage;

namespace Billing.Accounts;

/// <summary>
/// Decides what becomes of usage events. Pure: told the time of receipt, it writes facts and folds them into the state at
/// once, so that the second of two equal events in a batch meets the first. Reused from turn to turn; not thread-safe.
/// </summary>
/// <remarks>The order of checks is that of the billing rules: readable, account, window, id, meter values.</remarks>
internal sealed class UsageDecider
{
    private const int SaltedBytes = 16 + 16 + 1;

    private readonly ReadingsWriter _readings = new();
    private readonly List<MeterChange> _changes = [];
    private readonly List<MeterBinding> _counted = [];
    private readonly byte[] _key = new byte[CompiledMeter.KeyBufferBytes];
    private ValueSlot[] _slots = new ValueSlot[16];

    /// <summary>Decides one event.</summary>
    /// <param name="account">The account, caught up to <paramref name="now"/>.</param>
    /// <param name="record">The event.</param>
    /// <param name="now">The billing clock at its receipt.</param>
    /// <param name="facts">Takes the facts.</param>
    /// <param name="receipts">Takes a receipt; null when nobody asks.</param>
    public UsageOutcome Decide(
        AccountState account, in UsageRecord record, DateTimeOffset now, FactWriter facts, ImmutableArray<UsageReceipt>.Builder? receipts)
    {
        if (!record.Unreadable.IsEmpty)
            return Refuse(account, record, UsageOutcome.Rejected, Encoding.UTF8.GetString(record.Unreadable), facts, receipts);
        if (account.Catalog is not { } catalog)
        {
            return Refuse(
                account, record, UsageOutcome.Quarantined,
                $"There is no account {account.Id}. The event is kept in the dead letters: make the account, then send it again or release it.", facts, receipts);
        }

        if (OutsideWindow(record.TimeTicks, now.UtcTicks, catalog) is { } reason)
            return Refuse(account, record, UsageOutcome.Quarantined, reason, facts, receipts);

        if (account.RememberedIds.TryFind(record.KeyHash, AccountState.EpochDayOf(now.UtcTicks), out var fingerprint, out var forgetDay))
        {
            if (fingerprint == record.Fingerprint) return Duplicate(account, record, account.ReceivedDayOf(forgetDay), receipts);
            return Refuse(
                account, record, UsageOutcome.Conflict,
                "Another event with this source and id but other content was accepted before. Both are kept; this one is not counted.", facts, receipts);
        }

        _readings.Reset();
        _counted.Clear();
        var read = ReadMeters(account, record);
        if (read.Missing is { } missing) return Refuse(account, record, UsageOutcome.Rejected, missing, facts, receipts);

        if (account.DeadLetters.Count > 0 && LetterOf(account, record, UsageOutcome.Quarantined) is var letter && account.DeadLetters.ContainsKey(letter))
            AccountDecider.Emit(account, facts, new AccountFact.DeadLetterClosed(letter, now));

        var fact = new UsageRecordedFact
        {
            KeyHash = record.KeyHash,
            Fingerprint = record.Fingerprint,
            TimeTicks = record.TimeTicks,
            Source = record.Source,
            Id = record.Id,
            Type = record.Type,
            Readings = _readings.Written,
        };
        account.BeginEntry(facts);
        facts.Write(fact);
        _changes.Clear();
        account.Apply(fact, now, receipts is null ? null : _changes);
        receipts?.Add(Receipt(account, UsageOutcome.Accepted, read.NoSubscription, receivedDay: null));
        return UsageOutcome.Accepted;
    }

    private UsageOutcome Duplicate(AccountState account, in UsageRecord record, int receivedDay, ImmutableArray<UsageReceipt>.Builder? receipts)
    {
        if (receipts is null) return UsageOutcome.Duplicate;
        _readings.Reset();
        _counted.Clear();
        var read = ReadMeters(account, record);
        _changes.Clear();
        var place = new EventPlace(record.TimeTicks, record.Source, record.Id);
        var readings = new ReadingsReader(_readings.Written);
        while (account.Calendar.TryPeriodOf(record.TimeTicks, out var period) && readings.TryRead(out var meter, out var reading))
            _changes.Add(account.Meters[meter].FirstChange(reading, account.KeyHashOf(reading), place, period));
        receipts.Add(Receipt(account, UsageOutcome.Duplicate, read.NoSubscription, receivedDay));
        return UsageOutcome.Duplicate;
    }

    private (bool NoSubscription, string? Missing) ReadMeters(AccountState account, in UsageRecord record)
    {
        var unsubscribed = false;
        foreach (var binding in account.Bindings)
        {
            var program = binding.Program;
            if (!record.Type.SequenceEqual(program.EventType)) continue;
            if (program.Slots > _slots.Length) _slots = new ValueSlot[program.Slots];
            program.Read(record.Data, _slots);
            foreach (var bound in binding.Meters)
            {
                switch (bound.Meter.Match(record.Data, _slots, _key, out var reading))
                {
                    case MeterMatch.BadValue:
                        return (false, $"The meter {bound.Meter.Definition.Id} needs {WantedValue(bound.Meter.Definition)} at {bound.Meter.Definition.Value}. The event is not counted; send it again with the value.");
                    case MeterMatch.BadKey:
                        return (false, $"The meter {bound.Meter.Definition.Id} needs a string or number of at most 1,024 bytes at {bound.Meter.Definition.CountOnce!.Key}. The event is not counted; send it again with the value.");
                    case MeterMatch.Yes when bound.Subscription is { } subscription && subscription.Covers(record.TimeTicks):
                        _readings.Add(bound.Index, reading);
                        _counted.Add(bound);
                        break;
                    case MeterMatch.Yes:
                        unsubscribed = true;
                        break;
                }
            }
        }

        return (unsubscribed, null);

        static string WantedValue(Meter meter) => meter.Aggregate == Aggregate.Unique
            ? "a string or number of at most 1,024 bytes"
            : "a JSON number of zero or more with at most 28 digits";
    }

    private static string? OutsideWindow(long timeTicks, long nowTicks, Catalog catalog)
    {
        var age = nowTicks - timeTicks;
        if (age > catalog.DedupWindow.Ticks)
            return $"The event's time is more than {catalog.DedupWindow.TotalDaysText()} before the billing clock. It is kept in the dead letters and not counted; it can be released.";
        return -age > Catalog.FutureTolerance.Ticks
            ? "The event's time is more than 5 minutes after the billing clock. It is kept in the dead letters and not counted; send it again when its time has come."
            : null;
    }

    private static UsageOutcome Refuse(
        AccountState account, in UsageRecord record, UsageOutcome outcome, string reason, FactWriter facts, ImmutableArray<UsageReceipt>.Builder? receipts)
    {
        receipts?.Add(new(outcome, reason, [], null));
        var letter = LetterOf(account, record, outcome);
        if (account.DeadLetters.ContainsKey(letter)) return outcome;

        var fact = new UsageRefusedFact
        {
            Outcome = outcome,
            Letter = letter,
            KeyHash = record.KeyHash,
            Fingerprint = record.Fingerprint,
            TimeTicks = record.TimeTicks,
            Source = record.Source,
            Id = record.Id,
            Reason = Encoding.UTF8.GetBytes(reason),
            Body = record.Body,
        };
        account.BeginEntry(facts);
        facts.Write(fact);
        account.Apply(fact);
        return outcome;
    }

    // An event that is sent again in quarantine has one letter, whatever its spelling; other refused events have one per body.
    private static UInt128 LetterOf(AccountState account, in UsageRecord record, UsageOutcome outcome)
    {
        Span<byte> salted = stackalloc byte[SaltedBytes];
        var content = outcome == UsageOutcome.Quarantined ? record.Fingerprint : SipHash128.Hash(account.HashKey, record.Body);
        BinaryPrimitives.WriteUInt128LittleEndian(salted, record.KeyHash);
        BinaryPrimitives.WriteUInt128LittleEndian(salted[16..], content);
        salted[32] = (byte)outcome;
        return SipHash128.Hash(account.HashKey, salted);
    }

    private UsageReceipt Receipt(AccountState account, UsageOutcome outcome, bool noSubscription, int? receivedDay)
    {
        var meters = ImmutableArray.CreateBuilder<MeterReceipt>(_changes.Count);
        for (var i = 0; i < _changes.Count; i++)
        {
            var meter = _counted[i].Meter.Definition.Id;
            meters.Add(new(meter, _changes[i].Own, _changes[i].Period));
            if (!_changes[i].Other.IsZero) meters.Add(new(meter, _changes[i].Other, _changes[i].OtherPeriod));
        }

        return new(
            outcome,
            noSubscription && meters.Count == 0 ? "no_subscription" : null,
            meters.ToImmutable(),
            _changes.Count > 0 ? WhereBilled(account, _changes[0].Period, receivedDay) : null);
    }

    // An event received while its period is open or in grace is usage on the next period's invoice; later it is an adjustment on the
    // first period invoice that is final after its receipt, or will be. Of a duplicate only the day of the first receipt is known.
    private static BilledOn WhereBilled(AccountState account, BillingPeriod period, int? receivedDay)
    {
        var next = Following(account, period);
        var bearing = account.Invoices.FirstOrDefault(i => i.Period.Start == next.Start);
        if (bearing is null || receivedDay <= DayOfFinalizing(bearing)) return new("usage", next);
        var adjusting = receivedDay is null ? null : account.Invoices.FirstOrDefault(i => i.Period.Start > next.Start && receivedDay <= DayOfFinalizing(i));
        return new(
            "adjustment",
            adjusting?.Period ?? (account.Drafts.Count > 0 ? account.Drafts[0].Period : Following(account, account.BegunPeriod!.Value)));
    }

    private static BillingPeriod Following(AccountState account, BillingPeriod period) =>
        account.Calendar.TryPeriodOf(period.End.UtcTicks, out var following) ? following : period;

    private static int DayOfFinalizing(InvoiceView invoice) => AccountState.EpochDayOf(invoice.FinalizedAt!.Value.UtcTicks);
}
