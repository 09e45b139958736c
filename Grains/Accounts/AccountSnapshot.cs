using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using Billing.Deduplication;
using Billing.Invoices;
using Billing.Metering;
using Billing.Usage;

namespace Billing.Accounts;

/// <summary>The part of a snapshot that is JSON: all but remembered ids and the events that meters hold, which are binary.</summary>
internal sealed record AccountSnapshot(
    AccountFact.AccountOpened? Profile,
    AccountStatus Status,
    DateTimeOffset? Anchor,
    BillingPeriod? BegunPeriod,
    int ForgottenDay,
    ImmutableArray<Subscription> Subscriptions,
    ImmutableArray<MeterSnapshot> Meters,
    ImmutableArray<InvoiceView> Invoices,
    ImmutableArray<InvoiceDraft> Drafts,
    ImmutableSortedDictionary<string, UsageOutcome> DeadLetters,
    AccountFact.AccountCancelled? Cancelled = null,
    AccountFact.CancellationScheduled? Cancellation = null,
    DateTimeOffset? ClosedAt = null);

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
    private const byte SnapshotVersion = 2;

    /// <summary>Writes the state as it stands.</summary>
    /// <param name="writer">Takes the bytes.</param>
    /// <param name="today">Ids that are forgotten on this UTC day, counted from 1970-01-01, are left out.</param>
    /// <param name="canonical">Whether equal states give equal bytes, so that their hash compares states; costs a sort.</param>
    public void WriteSnapshot(IBufferWriter<byte> writer, int today, bool canonical)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(
            new(
                Profile,
                Status,
                Calendar.Anchor,
                BegunPeriod,
                _forgottenDay,
                [.. _subscriptions],
                [.. _meters.Select(Snapshot)],
                [.. _invoices],
                [.. _drafts],
                _deadLetters.ToImmutableSortedDictionary(d => d.Key.ToString("x32"), d => d.Value, StringComparer.Ordinal),
                Cancelled,
                Cancellation,
                ClosedAt),
            AccountJson.Default.AccountSnapshot);

        writer.Write([SnapshotVersion]);
        PutInt(writer, json.Length);
        writer.Write(json);
        var binary = new SnapshotWriter(writer);
        foreach (var meter in _meters) meter.Write(binary, canonical);
        RememberedIds.CopyTo(writer, today);
    }

    /// <summary>The same account without the ids it remembers: good for looking ahead, not for events.</summary>
    public AccountState CopyWithoutIds()
    {
        var snapshot = new ArrayBufferWriter<byte>();
        WriteSnapshot(snapshot, ushort.MaxValue, canonical: false);
        var copy = new AccountState(Id, HashKey, catalogs);
        copy.Restore(snapshot.WrittenSpan, Sequence);
        return copy;
    }

    /// <summary>Whether this release reads the snapshot. If not, the journal still holds everything.</summary>
    public static bool CanRestore(ReadOnlySpan<byte> snapshot) => snapshot[0] == SnapshotVersion;

    /// <summary>Puts a snapshot into an empty state.</summary>
    /// <param name="snapshot">What <see cref="WriteSnapshot"/> wrote.</param>
    /// <param name="sequence">The last journal entry inside it.</param>
    public void Restore(ReadOnlySpan<byte> snapshot, long sequence)
    {
        var jsonLength = BinaryPrimitives.ReadInt32LittleEndian(snapshot[1..]);
        var saved = JsonSerializer.Deserialize(snapshot.Slice(5, jsonLength), AccountJson.Default.AccountSnapshot)!;
        var rest = snapshot[(5 + jsonLength)..];

        Sequence = sequence;
        Profile = saved.Profile;
        Status = saved.Status;
        BegunPeriod = saved.BegunPeriod;
        _forgottenDay = saved.ForgottenDay;
        Cancelled = saved.Cancelled;
        Cancellation = saved.Cancellation;
        ClosedAt = saved.ClosedAt;
        if (saved.Profile is { TrialEndsAt: { } trialEnd } opened) Calendar.BeginTrial(new(opened.At, trialEnd));
        if (saved.Anchor is { } anchor) Calendar.Begin(anchor);
        _subscriptions.AddRange(saved.Subscriptions);
        foreach (var invoice in saved.Invoices) Add(invoice);
        _drafts.AddRange(saved.Drafts);
        foreach (var (letter, outcome) in saved.DeadLetters)
            _deadLetters.Add(UInt128.Parse(letter, System.Globalization.NumberStyles.HexNumber), outcome);
        foreach (var meter in saved.Meters) _meters.Add(Restore(meter));
        var reader = new SnapshotReader(rest);
        foreach (var meter in _meters) meter.Read(ref reader);
        RememberedIds = RememberedIds.Load(reader.Rest);
        if (Profile is null) return;
        Catalog = CatalogOf(Profile.CatalogVersion).Catalog;
        Bind();
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
