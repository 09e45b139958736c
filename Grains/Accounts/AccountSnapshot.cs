using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using Billing.Deduplication;
using Billing.Invoices;
using Billing.Metering;
using Billing.Usage;

namespace Billing.Accounts;

/// <summary>The part of a snapshot that is JSON: all but remembered ids and session timelines, which are binary.</summary>
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
    ImmutableSortedDictionary<string, UsageOutcome> DeadLetters);

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
    private const byte SnapshotVersion = 1;

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
                _deadLetters.ToImmutableSortedDictionary(d => d.Key.ToString("x32"), d => d.Value, StringComparer.Ordinal)),
            AccountJson.Default.AccountSnapshot);

        writer.Write([SnapshotVersion]);
        PutInt(writer, json.Length);
        writer.Write(json);
        foreach (var meter in _meters.OfType<SessionMeterState>())
        {
            PutInt(writer, meter.Timelines.Count);
            meter.Timelines.ForEach(canonical, (key, at, gap, starts, own, other, otherPeriod) =>
            {
                var span = writer.GetSpan(64 + at.Source.Length + at.Id.Length);
                BinaryPrimitives.WriteUInt128LittleEndian(span, key);
                BinaryPrimitives.WriteInt64LittleEndian(span[16..], at.TimeTicks);
                BinaryPrimitives.WriteInt32LittleEndian(span[24..], gap);
                span[28] = starts ? (byte)1 : (byte)0;
                span[29] = unchecked((byte)own);
                span[30] = unchecked((byte)other);
                BinaryPrimitives.WriteInt64LittleEndian(span[31..], otherPeriod.Start.UtcTicks);
                BinaryPrimitives.WriteUInt16LittleEndian(span[39..], (ushort)at.Source.Length);
                BinaryPrimitives.WriteUInt16LittleEndian(span[41..], (ushort)at.Id.Length);
                at.Source.CopyTo(span[43..]);
                at.Id.CopyTo(span[(43 + at.Source.Length)..]);
                writer.Advance(43 + at.Source.Length + at.Id.Length);
            });
        }

        RememberedIds.CopyTo(writer, today);
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
        if (saved.Anchor is { } anchor) Calendar.Begin(anchor);
        _subscriptions.AddRange(saved.Subscriptions);
        foreach (var invoice in saved.Invoices) Add(invoice);
        _drafts.AddRange(saved.Drafts);
        foreach (var (letter, outcome) in saved.DeadLetters)
            _deadLetters.Add(UInt128.Parse(letter, System.Globalization.NumberStyles.HexNumber), outcome);
        foreach (var meter in saved.Meters) _meters.Add(Restore(meter));
        foreach (var meter in _meters.OfType<SessionMeterState>()) RestoreTimelines(meter.Timelines, ref rest);
        RememberedIds = RememberedIds.Load(rest);
        if (Profile is null) return;
        Catalog = CatalogOf(Profile.CatalogVersion).Catalog;
        Bind();
    }

    private MeterSnapshot Snapshot(MeterState meter) => new(
        meter.Meter.Id,
        _subscriptions.Find(s => s.Product == meter.Meter.Product)!.CatalogVersion,
        [.. meter.Periods.Select(p => new PeriodSnapshot(
            p.Period, p.Quantity, p.EventCount, p.BilledPlan, p.BilledCatalogVersion, p.BilledAmount, p.BilledQuantity, p.BilledEventCount))]);

    private MeterState Restore(MeterSnapshot saved)
    {
        var meter = MeterState.For(CatalogOf(saved.CatalogVersion).Catalog.Meters.First(m => m.Id == saved.Meter), _eventIds);
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

    private void RestoreTimelines(SessionTimelines timelines, ref ReadOnlySpan<byte> rest)
    {
        var count = BinaryPrimitives.ReadInt32LittleEndian(rest);
        rest = rest[4..];
        for (var i = 0; i < count; i++)
        {
            var sourceLength = BinaryPrimitives.ReadUInt16LittleEndian(rest[39..]);
            var idLength = BinaryPrimitives.ReadUInt16LittleEndian(rest[41..]);
            var other = unchecked((sbyte)rest[30]);
            var otherStart = BinaryPrimitives.ReadInt64LittleEndian(rest[31..]);
            BillingPeriod otherPeriod = default;
            if (other != 0) Calendar.TryPeriodOf(otherStart, out otherPeriod);
            timelines.Restore(
                BinaryPrimitives.ReadUInt128LittleEndian(rest),
                new(BinaryPrimitives.ReadInt64LittleEndian(rest[16..]), rest.Slice(43, sourceLength), rest.Slice(43 + sourceLength, idLength)),
                BinaryPrimitives.ReadInt32LittleEndian(rest[24..]),
                rest[28] == 1,
                unchecked((sbyte)rest[29]),
                other,
                otherPeriod);
            rest = rest[(43 + sourceLength + idLength)..];
        }
    }

    private static void PutInt(IBufferWriter<byte> writer, int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(writer.GetSpan(4), value);
        writer.Advance(4);
    }
}
