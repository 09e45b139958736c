using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Billing.Deduplication;
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
    private readonly UsageChanges _rows = new();
    private readonly List<Meter> _untracked = [];
    private readonly byte[] _keys = new byte[2 * EventKeyText.BufferBytes];
    private ValueSlot[] _slots = new ValueSlot[16];

    /// <summary>Decides one event.</summary>
    /// <param name="account">The account, caught up to <paramref name="now"/>.</param>
    /// <param name="record">The event.</param>
    /// <param name="now">The billing clock at its receipt.</param>
    /// <param name="facts">Takes the facts.</param>
    /// <param name="receipts">Takes a receipt; null when nobody asks.</param>
    /// <param name="clock">
    /// The billing clock, for an event that waited since its receipt: the ids of events that are out of the window by now may be forgotten.
    /// </param>
    public UsageOutcome Decide(
        AccountState account,
        in UsageRecord record,
        DateTimeOffset now,
        FactWriter facts,
        ImmutableArray<UsageReceipt>.Builder? receipts,
        DateTimeOffset? clock = null)
    {
        if (!record.Unreadable.IsEmpty)
            return Refuse(account, record, UsageOutcome.Rejected, Encoding.UTF8.GetString(record.Unreadable), facts, receipts);
        if (account.Catalog is not { } catalog)
        {
            return Refuse(
                account, record, UsageOutcome.Quarantined,
                $"There is no account {account.Id}. The event is kept in the dead letters: make the account, then send it again or release it.", facts, receipts);
        }

        if (OutsideWindow(record.TimeTicks, now.UtcTicks, (clock > now ? clock.Value : now).UtcTicks, catalog) is { } reason)
            return Refuse(account, record, UsageOutcome.Quarantined, reason, facts, receipts);

        if (account.RememberedIds.TryFind(record.KeyHash, AccountState.EpochDayOf(now.UtcTicks), out var fingerprint, out var forgetDay))
        {
            if (fingerprint == record.Fingerprint) return Duplicate(account, record, now, account.ReceivedDayOf(forgetDay), receipts);
            return Refuse(
                account, record, UsageOutcome.Conflict,
                "Another event with this source and id but other content was accepted before. Both are kept; this one is not counted.", facts, receipts);
        }

        var missing = ReadMeters(account, record, now);
        if (missing is not null) return Refuse(account, record, UsageOutcome.Rejected, missing, facts, receipts);
        if (_untracked.Count > 0)
        {
            foreach (var meter in _untracked)
                AccountDecider.Emit(account, facts, new AccountFact.MeterTracked(meter.Id, account.Profile!.CatalogVersion, now));
            ReadMeters(account, record, now);
        }

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
        if (account.HasUsageToLookAt) UsageReactions.Decide(account, now, facts);
        receipts?.Add(ReceiptOf(account, UsageOutcome.Accepted, _changes, _readings.Written, record.TimeTicks, now.UtcTicks));
        return UsageOutcome.Accepted;
    }

    private UsageOutcome Duplicate(
        AccountState account, in UsageRecord record, DateTimeOffset now, int receivedDay, ImmutableArray<UsageReceipt>.Builder? receipts)
    {
        if (receipts is null) return UsageOutcome.Duplicate;
        ReadMeters(account, record, now);
        _changes.Clear();
        var place = new EventPlace(record.TimeTicks, record.Source, record.Id);
        var subscribed = account.Calendar.TryPeriodOf(record.TimeTicks, out var period);
        var readings = new ReadingsReader(_readings.Written);
        while (readings.TryRead(out var index, out var reading))
        {
            if (index == ReadingsWriter.NoSubscription) continue;
            var meter = account.Meters[index];
            if (reading.Cancels) meter.FirstCancelled(account.HashOf(reading.CancelKey), record.KeyHash, record.TimeTicks, _rows);
            else if (subscribed) meter.FirstAdded(account.Hashed(meter, reading), place, period, _rows);
            else continue;
            foreach (var row in _rows.Rows) _changes.Add(new(index, row.Period, row.Change));
        }

        receipts.Add(ReceiptOf(account, UsageOutcome.Duplicate, _changes, _readings.Written, record.TimeTicks, AccountState.TicksOfDay(receivedDay)));
        return UsageOutcome.Duplicate;
    }

    /// <summary>Reads what each meter needs from an event.</summary>
    /// <returns>What a meter lacks, as a sentence; null when nothing is lacking.</returns>
    private string? ReadMeters(AccountState account, in UsageRecord record, DateTimeOffset now)
    {
        _readings.Reset();
        _untracked.Clear();
        var (unsubscribed, counted) = (false, false);
        foreach (var binding in account.Bindings)
        {
            var program = binding.Program;
            if (!record.Type.SequenceEqual(program.EventType)) continue;
            if (program.Slots > _slots.Length) _slots = new ValueSlot[program.Slots];
            program.Read(record.Data, _slots);
            foreach (var bound in binding.Meters)
            {
                var match = bound.Meter.Match(record.Data, _slots, _keys, out var reading);
                if (match == MeterMatch.No) continue;
                if (match != MeterMatch.Yes) return Missing(bound.Meter.Definition, match);
                if (!account.Serves(bound.Subscription, record.TimeTicks))
                {
                    unsubscribed = true;
                    continue;
                }

                _readings.Add(bound.Index, reading);
                counted = true;
            }

            foreach (var bound in binding.Cancellers)
            {
                var match = bound.Meter.Match(record.Data, _slots, _keys, out var reading);
                if (match == MeterMatch.No) continue;
                if (match != MeterMatch.Yes) return Missing(bound.Meter.Definition, match);
                if (bound.Subscription is null && !CanCancelLater(record.TimeTicks, now)) continue;
                if (bound.Index >= 0) _readings.Add(bound.Index, reading);
                else _untracked.Add(bound.Meter.Definition);
            }
        }

        if (unsubscribed && !counted) _readings.AddNoSubscription();
        return null;
    }

    // Without a subscription to the product there is nothing to cancel yet. There can be once one begins before the canceller's
    // time: at the earliest in the second that is running now.
    private static bool CanCancelLater(long timeTicks, DateTimeOffset now) => timeTicks > now.UtcTicks - TimeSpan.TicksPerSecond;

    /// <summary>Whether a reason says what another meter lacks.</summary>
    public static bool ConcernsMeter(string reason, string meter) =>
        !reason.StartsWith("The meter ", StringComparison.Ordinal) || reason.StartsWith($"The meter {meter} ", StringComparison.Ordinal);

    private static string Missing(Meter meter, MeterMatch match)
    {
        return match switch
        {
            MeterMatch.BadValue => $"The meter {meter.Id} needs {WantedValue(meter)} at {meter.Value}. The event is not counted; send it again with the value.",
            MeterMatch.BadKey => $"The meter {meter.Id} needs a string or number of at most 1,024 bytes at {meter.CountOnce!.Key}. The event is not counted; send it again with the value.",
            _ => $"The meter {meter.Id} can be cancelled and needs a string or number of at most 1,024 bytes at {meter.CancelledBy!.Key}. The event is not counted; send it again with the value.",
        };

        static string WantedValue(Meter meter) => meter.Aggregate == Aggregate.Unique
            ? "a string or number of at most 1,024 bytes"
            : "a JSON number of zero or more with at most 28 digits";
    }

    private static string? OutsideWindow(long timeTicks, long receivedTicks, long nowTicks, Catalog catalog)
    {
        if (nowTicks - timeTicks > catalog.DedupWindow.Ticks)
            return $"The event's time is more than {catalog.DedupWindow.TotalDaysText()} before the billing clock. It is kept in the dead letters and not counted; it can be released.";
        return timeTicks - receivedTicks > Catalog.FutureTolerance.Ticks
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

    /// <summary>The receipt of an event that was accepted.</summary>
    /// <param name="account">The account, the event folded in.</param>
    /// <param name="outcome">What became of it.</param>
    /// <param name="changes">What it changed when it was accepted.</param>
    /// <param name="readings">What the meters read from it.</param>
    /// <param name="timeTicks">Its time.</param>
    /// <param name="receivedTicks">The billing clock at its first receipt, as far as it is known.</param>
    public static UsageReceipt ReceiptOf(
        AccountState account, UsageOutcome outcome, IReadOnlyList<MeterChange> changes, ReadOnlySpan<byte> readings, long timeTicks, long receivedTicks)
    {
        var noSubscription = false;
        var reader = new ReadingsReader(readings);
        while (reader.TryRead(out var meter, out var reading))
        {
            if (meter == ReadingsWriter.NoSubscription) noSubscription = true;
            else if (!reading.Cancels && account.Meters[meter].PendingUntil(timeTicks) is { } pendingUntil) receivedTicks = long.Max(receivedTicks, pendingUntil.UtcTicks);
        }

        // Clocks differ by minutes: an event can be ahead of an end that is in sight. It counts if the account goes on after all.
        if (!noSubscription && timeTicks >= account.ExpectedEnd?.UtcTicks) return new(outcome, "no_subscription", [], null);

        var meters = ImmutableArray.CreateBuilder<MeterReceipt>(changes.Count);
        BillingPeriod? billed = null;
        foreach (var change in changes)
        {
            meters.Add(new(account.Meters[change.Meter].Meter.Id, change.Change, change.Period));
            if (!account.Calendar.IsTrial(change.Period)) billed ??= change.Period;
        }

        var inTrial = changes.Count > 0 && account.Calendar.IsTrial(changes[0].Period);
        return new(
            outcome,
            noSubscription ? "no_subscription" : inTrial ? "trial" : null,
            meters.ToImmutable(),
            billed is { } period ? WhereBilled(account, period, receivedTicks) : null);
    }

    /// <summary>
    /// The invoice that bears a change of a period's usage: that of the next period, if it becomes final after the change, else as an
    /// adjustment the first period invoice that does, or the closing invoice of an account that ends before.
    /// </summary>
    /// <param name="account">The account.</param>
    /// <param name="period">The period whose usage changed.</param>
    /// <param name="effectiveTicks">When the change counts: the event's receipt, or the last instant at which it is pending.</param>
    private static BilledOn WhereBilled(AccountState account, BillingPeriod period, long effectiveTicks)
    {
        var kind = "usage";
        for (var bearing = Following(period); ; bearing = Following(bearing))
        {
            if ((bearing.Start + account.Catalog!.Grace).UtcTicks > effectiveTicks) return new(kind, bearing);
            kind = "adjustment";
            if (account.EndsAt is { } end && bearing.Start >= end) return new(kind, account.ClosingPeriod(end, effectiveTicks));
        }

        BillingPeriod Following(BillingPeriod before) => account.Calendar.PeriodOf(before.End.UtcTicks);
    }
}
