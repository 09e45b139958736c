using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using Billing.Charging;
using Billing.Deduplication;
using Billing.Invoices;
using Billing.Journal;
using Billing.Lifecycle;
using Billing.Metering;
using Billing.Plans;
using Billing.Usage;

namespace Billing.Accounts;

/// <summary>The part of a snapshot that is JSON: all but remembered ids and the events that meters hold, which are binary.</summary>
internal sealed record AccountSnapshot(
    AccountFact.AccountOpened? Profile,
    AccountStatus Status,
    ImmutableArray<BillingSpan> Spans,
    BillingPeriod? BegunPeriod,
    int ForgottenDay,
    ImmutableArray<Subscription> Subscriptions,
    ImmutableArray<MeterSnapshot> Meters,
    ImmutableArray<InvoiceView> Invoices,
    ImmutableArray<InvoiceDraft> Drafts,
    ImmutableSortedDictionary<string, UsageOutcome> DeadLetters,
    AccountFact.AccountCancelled? Cancelled = null,
    AccountFact.CancellationScheduled? Cancellation = null,
    DateTimeOffset? ClosedAt = null,
    DateTimeOffset LastEntryAt = default,
    ImmutableArray<SealedIds> Sealed = default,
    ChargingState? Charging = null,
    AccountFact.AccountSuspended? Suspension = null,
    AccountFact.AccountReactivated? Reactivation = null,
    AccountFact.SettingsChanged? Settings = null,
    ImmutableSortedDictionary<string, ScheduledPlan>? Additions = null,
    ImmutableSortedSet<string>? Told = null,
    DateTimeOffset? LooksAgainAt = null,
    DateTimeOffset? RenewsSince = null);

/// <summary>A segment of ids that a snapshot relies on.</summary>
/// <param name="ForgetDay">The day on which its ids are forgotten.</param>
/// <param name="Count">How many ids it has.</param>
internal sealed record SealedIds(int ForgetDay, int Count);

/// <summary>The usage of one meter in a snapshot.</summary>
internal sealed record MeterSnapshot(string Meter, string CatalogVersion, ImmutableArray<PeriodSnapshot> Periods);

/// <summary>The usage of one period in a snapshot.</summary>
internal sealed record PeriodSnapshot(
    BillingPeriod Period,
    Quantity Quantity,
    long EventCount,
    string? BilledPlan,
    string? BilledCatalogVersion,
    long BilledAmount,
    Quantity BilledQuantity,
    long BilledEventCount);

/// <summary>Writes and reads snapshots.</summary>
internal sealed partial class AccountState
{
    private const byte SnapshotVersion = 7;

    /// <summary>Copies the ids whose day is over into segments; the journal keeps them beside the snapshot that comes with them.</summary>
    /// <remarks>Nothing is sealed before <see cref="Sealed"/> says that it is durable. Of a day that is over no id comes any more, because an account's time does not go back.</remarks>
    public IReadOnlyList<IdSegment> IdsToSeal() => Catalog is null
        ? []
        : [.. RememberedIds.Segments(_sealed.Count == 0 ? 0 : _sealed[^1].ForgetDay, SealableDay).Select(s => new IdSegment(s.ExpiryDay, s.Ids))];

    /// <summary>To be told when a snapshot and its segments are durable: later snapshots leave those ids out.</summary>
    public void Sealed(IReadOnlyList<IdSegment> segments, int today)
    {
        foreach (var segment in segments) _sealed.Add(new(segment.ForgetDay, segment.Ids.Length / RememberedIds.SealedEntryBytes));
        _sealed.RemoveAll(s => s.ForgetDay <= today && s != _sealed[^1]);
    }

    /// <summary>Writes the state as it stands, whole.</summary>
    /// <param name="writer">Takes the bytes.</param>
    /// <param name="today">Ids that are forgotten on this UTC day, counted from 1970-01-01, are left out.</param>
    /// <param name="canonical">Whether equal states give equal bytes, so that their hash compares states; costs a sort.</param>
    public void WriteSnapshot(IBufferWriter<byte> writer, int today, bool canonical) => Write(writer, today, canonical, []);

    /// <summary>Writes the state as it stands, without the ids that are sealed or are being sealed with it.</summary>
    public void WriteSnapshotBeside(IReadOnlyList<IdSegment> sealing, IBufferWriter<byte> writer, int today)
    {
        var manifest = _sealed.Where(s => s.ForgetDay > today).Concat(sealing.Select(s => new SealedIds(s.ForgetDay, s.Ids.Length / RememberedIds.SealedEntryBytes))).ToImmutableArray();
        Write(writer, manifest.IsEmpty ? today : int.Max(today, manifest[^1].ForgetDay), canonical: false, manifest);
    }

    private void Write(IBufferWriter<byte> writer, int idsAfterDay, bool canonical, ImmutableArray<SealedIds> manifest)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(
            new(
                Profile,
                Status,
                Calendar.Spans,
                BegunPeriod,
                _forgottenDay,
                [.. _subscriptions],
                [.. _meters.Select(Snapshot)],
                [.. _invoices],
                [.. _drafts],
                _deadLetters.ToImmutableSortedDictionary(d => d.Key.ToString("x32"), d => d.Value, StringComparer.Ordinal),
                Cancelled,
                Cancellation,
                ClosedAt,
                LastEntryAt,
                manifest,
                Charging,
                Suspension,
                Reactivation,
                _settings,
                Additions,
                _told,
                _looksAgainAt,
                RenewsSince),
            AccountJson.Default.AccountSnapshot);

        writer.Write([SnapshotVersion]);
        PutInt(writer, json.Length);
        writer.Write(json);
        var binary = new SnapshotWriter(writer);
        foreach (var meter in _meters)
        {
            meter.Daily.Write(binary);
            meter.Write(binary, canonical);
        }

        RememberedIds.CopyTo(writer, idsAfterDay);
    }

    /// <summary>The same account without the ids it remembers: good for looking ahead, not for events.</summary>
    public AccountState CopyWithoutIds()
    {
        var snapshot = new ArrayBufferWriter<byte>();
        WriteSnapshot(snapshot, ushort.MaxValue, canonical: false);
        var copy = new AccountState(Id, HashKey, catalogs);
        copy.Restore(snapshot.WrittenSpan, Sequence, [], ushort.MaxValue);
        return copy;
    }

    /// <summary>Whether this release reads the snapshot. If not, the journal still holds everything.</summary>
    public static bool CanRestore(ReadOnlySpan<byte> snapshot) => snapshot[0] == SnapshotVersion;

    /// <summary>Puts a snapshot into an empty state.</summary>
    /// <param name="snapshot">What <see cref="WriteSnapshot"/> wrote.</param>
    /// <param name="sequence">The last journal entry inside it.</param>
    /// <param name="segments">The ids sealed beside it.</param>
    /// <param name="today">The UTC day, counted from 1970-01-01: segments of it or before may be missing.</param>
    /// <returns>Whether it is in. False: a segment that it relies on is missing or has not the ids it should have; the state is of no use.</returns>
    public bool Restore(ReadOnlySpan<byte> snapshot, long sequence, IReadOnlyList<IdSegment> segments, int today)
    {
        var jsonLength = BinaryPrimitives.ReadInt32LittleEndian(snapshot[1..]);
        var saved = JsonSerializer.Deserialize(snapshot.Slice(5, jsonLength), AccountJson.Default.AccountSnapshot)!;
        var rest = snapshot[(5 + jsonLength)..];

        foreach (var relied in saved.Sealed)
        {
            var ids = segments.FirstOrDefault(s => s.ForgetDay == relied.ForgetDay).Ids;
            if (ids.Length != relied.Count * RememberedIds.SealedEntryBytes && (ids.Length > 0 || relied.ForgetDay > today)) return false;
        }

        _sealed.AddRange(saved.Sealed);
        LastEntryAt = saved.LastEntryAt;
        Sequence = sequence;
        Profile = saved.Profile;
        Status = saved.Status;
        BegunPeriod = saved.BegunPeriod;
        _forgottenDay = saved.ForgottenDay;
        Cancelled = saved.Cancelled;
        Cancellation = saved.Cancellation;
        ClosedAt = saved.ClosedAt;
        if (saved.Profile is { TrialEndsAt: { } trialEnd } opened) Calendar.BeginTrial(new(opened.At, trialEnd));
        Calendar.Restore(saved.Spans);
        Charging = saved.Charging!;
        Suspension = saved.Suspension;
        Reactivation = saved.Reactivation;
        _settings = saved.Settings;
        RenewsSince = saved.RenewsSince;
        _told = (saved.Told ?? NothingTold).WithComparer(StringComparer.Ordinal);
        Additions = (saved.Additions ?? NoAdditions).WithComparers(StringComparer.Ordinal);
        _subscriptions.AddRange(saved.Subscriptions);
        foreach (var invoice in saved.Invoices) Add(invoice);
        _drafts.AddRange(saved.Drafts);
        foreach (var (letter, outcome) in saved.DeadLetters)
            _deadLetters.Add(UInt128.Parse(letter, System.Globalization.NumberStyles.HexNumber), outcome);
        foreach (var meter in saved.Meters) _meters.Add(Restore(meter));
        var reader = new SnapshotReader(rest);
        foreach (var meter in _meters)
        {
            meter.Daily.Read(ref reader);
            meter.Read(ref reader);
        }

        RememberedIds = RememberedIds.Load(reader.Rest, [.. segments.Where(s => s.ForgetDay > today).Select(s => (s.ForgetDay, s.Ids))]);
        if (Profile is null) return true;
        Catalog = CatalogOf(Profile.CatalogVersion).Catalog;
        Bind();
        WatchUsage();
        (_usageToLookAt, _looksAgainAt) = (false, saved.LooksAgainAt);
        return true;
    }

    private static MeterSnapshot Snapshot(MeterState meter) => new(
        meter.Meter.Id,
        meter.CatalogVersion,
        [.. meter.Periods.Select(p => new PeriodSnapshot(
            p.Period, p.Quantity, p.EventCount, p.BilledPlan, p.BilledCatalogVersion, p.BilledAmount, p.BilledQuantity, p.BilledEventCount))]);

    private MeterState Restore(MeterSnapshot saved)
    {
        var meter = new MeterState(CatalogOf(saved.CatalogVersion).Catalog.Meters.First(m => m.Id == saved.Meter), saved.CatalogVersion, _eventIds, Calendar);
        foreach (var period in saved.Periods)
        {
            var usage = meter.In(period.Period);
            usage.Quantity = period.Quantity;
            usage.EventCount = period.EventCount;
            if (period.BilledPlan is { } plan)
                usage.Bill(plan, period.BilledCatalogVersion!, period.BilledAmount, period.BilledQuantity, period.BilledEventCount);
        }

        return meter;
    }

    private static void PutInt(IBufferWriter<byte> writer, int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(writer.GetSpan(4), value);
        writer.Advance(4);
    }
}
