using System.Buffers;
using Billing.Deduplication;
using FsCheck.Fluent;

namespace Billing.Tests.Deduplication;

public sealed class RememberedIdsTests
{
    private const int Today = 20_000;
    private static readonly SipKey Key = new(3, 4);

    // A long run remembers twenty times as many ids.
    private static readonly int Scale = Generated.LongRun ? 20 : 1;

    [Fact]
    public void AnIdNeverRemembered_IsNotFound() => Assert.False(new RememberedIds().TryFind(1, Today, out _));

    [Fact]
    public void AnId_IsRememberedUpToTheDayBeforeItExpires()
    {
        var ids = new RememberedIds();
        ids.Remember(1, 7, Today + 1);

        Assert.True(ids.TryFind(1, Today, out var fingerprint, out var expiryDay));
        Assert.Equal((7u, Today + 1), (fingerprint, expiryDay));
        Assert.False(ids.TryFind(1, Today + 1, out fingerprint));
        Assert.Equal(0u, fingerprint);
    }

    [Fact]
    public void AnExpiredId_CanBeRememberedAnew()
    {
        var ids = new RememberedIds();
        ids.Remember(1, 7, Today);
        Assert.False(ids.TryFind(1, Today, out _));

        ids.Remember(1, 8, Today + 36);

        Assert.True(ids.TryFind(1, Today, out var fingerprint));
        Assert.Equal(8u, fingerprint);
        Assert.Equal(1, ids.Count);
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(Today), InlineData(65_535)]
    public void AClockThatStepsBackOverMidnight_StillFindsWhatExpiredThen(int today)
    {
        var ids = new RememberedIds();
        ids.Remember(Hash(0), 0, today);
        ids.TryFind(Hash(0), today, out _);
        for (var i = 1; i < 5_000; i++)
            ids.Remember(Hash(i), 0, ushort.MaxValue);

        Assert.True(ids.TryFind(Hash(0), today - 1, out _));
    }

    [Theory]
    [InlineData(0), InlineData(-1), InlineData(65_536)]
    public void AnExpiryDayThatDoesNotFit_IsAnArgumentError(int day)
    {
        var ids = new RememberedIds();

        Assert.Throws<ArgumentOutOfRangeException>(() => ids.Remember(1, 1, day));
        Assert.Equal(0, ids.Count);
    }

    [Fact]
    public void HashesThatShareAHalf_AreDifferentIds()
    {
        UInt128[] hashes = [0, 1, UInt128.One << 64, (UInt128.One << 64) + 1, UInt128.MaxValue, UInt128.MaxValue - 1];
        var ids = new RememberedIds();
        for (var i = 0; i < hashes.Length; i++)
            ids.Remember(hashes[i], (uint)i, Today + 1);

        for (var i = 0; i < hashes.Length; i++)
        {
            Assert.True(ids.TryFind(hashes[i], Today, out var fingerprint));
            Assert.Equal((uint)i, fingerprint);
        }
    }

    // Goal: a memory of ids is a dictionary that forgets. Method: the same days of work on both, from few ids so that
    // they meet again, on hashes that spread and on hashes that clump.
    [Fact]
    public void AnyWork_AnswersAsADictionaryDoes()
    {
        var step = Gen.Choose(0, 400).SelectMany(id => Gen.Choose(1, 6), (id, days) => (Id: id, Days: days));
        var days = Gen.Choose(0, 1).SelectMany(_ => step.ListOf(60).ListOf(12));
        var work = days.SelectMany(d => Gen.Choose(0, 3), (d, spread) => (Days: d, Spread: spread));

        Prop.ForAll(Arb.From(work), w =>
        {
            var ids = new RememberedIds();
            var model = new Dictionary<UInt128, (uint Fingerprint, int ExpiryDay)>();
            var today = Today;
            var number = 0u;
            foreach (var steps in w.Days)
            {
                today++;
                foreach (var (id, days) in steps)
                {
                    var hash = w.Spread switch { 0 => Hash(id), 1 => (UInt128)id, 2 => (UInt128)id << 64, _ => UInt128.MaxValue - ((UInt128)id << 64) };
                    number++;
                    var known = model.TryGetValue(hash, out var entry) && entry.ExpiryDay > today;
                    Assert.Equal(known, ids.TryFind(hash, today, out var fingerprint));
                    Assert.Equal(known ? entry.Fingerprint : 0, fingerprint);
                    if (!known || number % 7 == 0)
                    {
                        ids.Remember(hash, number, today + days);
                        model[hash] = (number, today + days);
                    }
                }

                Assert.Equal(Snapshot(model, today), Snapshot(ids, today));
            }
        }).Holds();
    }

    [Fact]
    public void GrowthOverManyTables_LosesNothing()
    {
        var count = 20_000 * Scale;
        var ids = Filled(count);

        Assert.Equal(count, ids.Count);
        for (var i = 0; i < count; i++)
        {
            Assert.True(ids.TryFind(Hash(i), Today, out var fingerprint));
            Assert.Equal((uint)i, fingerprint);
        }

        Assert.False(ids.TryFind(Hash(count), Today, out _));
    }

    [Fact]
    public void TheSameIdsInAnotherOrder_GiveTheSameSnapshot()
    {
        var backwards = new RememberedIds();
        for (var i = 19_999; i >= 0; i--)
            backwards.Remember(Hash(i), (uint)i, Today + 36);

        Assert.Equal(Snapshot(Filled(20_000), Today), Snapshot(backwards, Today));
    }

    [Theory]
    [InlineData(0), InlineData(1), InlineData(50), InlineData(2_800), InlineData(2_801), InlineData(20_000)]
    public void ASnapshotLoaded_IsTheSameMemory(int count)
    {
        var snapshot = Snapshot(Filled(count), Today);

        var loaded = RememberedIds.Load(snapshot);

        Assert.Equal(count * RememberedIds.EntryBytes, snapshot.Length);
        Assert.Equal(count, loaded.Count);
        Assert.Equal(snapshot, Snapshot(loaded, Today));
        for (var i = 0; i < count; i++)
            Assert.True(loaded.TryFind(Hash(i), Today, out _));
        for (var i = count; i < count + 5_000; i++)
            loaded.Remember(Hash(i), (uint)i, Today + 36);
        Assert.Equal(Snapshot(Filled(count + 5_000), Today), Snapshot(loaded, Today));
    }

    [Fact]
    public void ASnapshotThatWasChanged_IsRefused()
    {
        var snapshot = Snapshot(Filled(10), Today);
        var swapped = snapshot[22..44].Concat(snapshot[..22]).Concat(snapshot[44..]).ToArray();
        var doubled = snapshot[..22].Concat(snapshot).ToArray();
        var dayless = snapshot[..20].Concat(new byte[2]).ToArray();

        Assert.Throws<FormatException>(() => RememberedIds.Load(snapshot.AsSpan(1)));
        Assert.Throws<FormatException>(() => RememberedIds.Load(swapped));
        Assert.Throws<FormatException>(() => RememberedIds.Load(doubled));
        Assert.Throws<FormatException>(() => RememberedIds.Load(dayless));
    }

    // The bound is a promise of the benchmark table: 28 bytes an id at any size from 10,000 on. Method: grow through two
    // doublings of the directory; a long run goes on to a million.
    [Fact]
    public void AtAnySizeFromTenThousandOn_AnIdTakesAtMost28Bytes()
    {
        var ids = new RememberedIds();
        for (var i = 0; i < 50_000 * Scale; i++)
        {
            ids.Remember(Hash(i), 0, Today + 36);
            if (i >= 10_000 && (i % 512 == 0 || i < 20_000))
                Assert.True(ids.MemoryBytes <= 28L * ids.Count, $"{ids.MemoryBytes / (decimal)ids.Count:F2} bytes an id at {ids.Count} ids");
        }
    }

    [Theory]
    [InlineData(0, 100), InlineData(1, 450), InlineData(50, 2_000)]
    public void ASmallAccount_TakesLittle(int count, int bytesMax)
    {
        Assert.InRange(Filled(count).MemoryBytes, 1, bytesMax);
        Assert.InRange(RememberedIds.Load(Snapshot(Filled(count), Today)).MemoryBytes, 1, bytesMax);
    }

    // Goal: a single put costs the same in a large memory as in a small one. Method: what it allocates at most, which is the
    // table it rebuilds and, for a moment, a directory.
    [Fact]
    public void AnyPut_MakesAtMostOneTableAnew()
    {
        const int TableBytesMax = 2 * 4_000 * RememberedIds.EntryBytes;
        var ids = new RememberedIds();
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        for (var i = 0; i < 30_000 * Scale; i++)
        {
            BitConverter.TryWriteBytes(bytes, i);
            var hash = SipHash128.Hash(Key, bytes);
            var before = GC.GetAllocatedBytesForCurrentThread();
            ids.Remember(hash, 0, Today + 36);

            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before <= TableBytesMax, $"Id {i} made more than a table of the usual size.");
        }
    }

    // A writer may give exactly the bytes that were asked for.
    [Theory]
    [InlineData(0), InlineData(1), InlineData(7_000)]
    public void ASnapshot_FitsTheRoomItAsksFor(int count)
    {
        var writer = new ExactWriter();

        Filled(count).CopyTo(writer, Today);

        Assert.Equal(Snapshot(Filled(count), Today), writer.Written);
        Assert.Throws<ArgumentNullException>(() => Filled(count).CopyTo(null!, Today));
    }

    // Goal: memory is bounded by the window. Method: 120 days of the same traffic, each id for 36 days.
    [Fact]
    public void ASteadyStream_TakesNoMoreMemoryThanItsWindow()
    {
        var idsPerDay = 300 * Scale;
        const int Window = 36;
        var ids = new RememberedIds();
        for (var day = 0; day < 120; day++)
        {
            for (var i = 0; i < idsPerDay; i++)
            {
                var hash = Hash((day * idsPerDay) + i);
                Assert.False(ids.TryFind(hash, Today + day, out _));
                ids.Remember(hash, 0, Today + day + Window);
            }
        }

        for (var i = (120 - Window) * idsPerDay; i < 120 * idsPerDay; i++)
            Assert.True(ids.TryFind(Hash(i), Today + 119, out _));
        Assert.InRange(ids.Count, Window * idsPerDay, Window * idsPerDay * 5 / 4);
        Assert.InRange(ids.MemoryBytes, 1, Window * idsPerDay * 34L);
    }

    [Theory]
    [InlineData(0), InlineData(1), InlineData(50), InlineData(2_800), InlineData(20_000)]
    public void TheMemoryTold_IsTheMemoryTaken(int count)
    {
        var snapshot = Snapshot(Filled(count), Today);
        RememberedIds.Load(snapshot);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var ids = RememberedIds.Load(snapshot);
        var taken = GC.GetAllocatedBytesForCurrentThread() - before;

        // More is taken for what the runtime rounds up, and for the array that is given up at the start.
        Assert.InRange(taken - ids.MemoryBytes, 0, 64 + (ids.MemoryBytes / 4096));
    }

    // Goal: forgetting costs no memory traffic. Method: once as many ids expire as come, count what the next window of days allocates.
    [Fact]
    public void ASteadyStream_ForgetsInPlace()
    {
        var idsPerDay = 300 * Scale;
        const int Window = 36;
        var ids = new RememberedIds();
        Remember(0, 2 * Window);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Remember(2 * Window, 3 * Window);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.InRange(allocated, 0, ids.MemoryBytes / 2);

        void Remember(int from, int to)
        {
            Span<byte> bytes = stackalloc byte[sizeof(int)];
            for (var day = from; day < to; day++)
            {
                for (var i = day * idsPerDay; i < (day + 1) * idsPerDay; i++)
                {
                    BitConverter.TryWriteBytes(bytes, i);
                    var hash = SipHash128.Hash(Key, bytes);
                    ids.TryFind(hash, Today + day, out _);
                    ids.Remember(hash, 0, Today + day + Window);
                }
            }
        }
    }

    // A full table has to drop what expired; on no day may it drop what lives.
    [Theory]
    [InlineData(int.MinValue), InlineData(-1), InlineData(0), InlineData(1), InlineData(65_534), InlineData(65_535), InlineData(int.MaxValue)]
    public void OnDaysAtTheEndsOfTime_WhatLivesIsFoundAndWhatExpiredIsNot(int today)
    {
        var ids = new RememberedIds();
        for (var i = 0; i < 5_000; i++)
        {
            Assert.False(ids.TryFind(Hash(i), today, out _));
            ids.Remember(Hash(i), (uint)i, i % 2 == 0 ? 1 : ushort.MaxValue);
        }

        for (var i = 0; i < 5_000; i++)
            Assert.Equal(today < (i % 2 == 0 ? 1 : ushort.MaxValue), ids.TryFind(Hash(i), today, out _));
    }

    [Theory]
    [InlineData(0), InlineData(40), InlineData(64), InlineData(100)]
    public void HashesThatClump_CostNoMoreMemoryThanOthers(int zeros)
    {
        var ids = new RememberedIds();
        for (var i = 0; i < 5_000; i++)
            ids.Remember((UInt128)i << zeros, (uint)i, Today + 36);

        Assert.InRange(ids.MemoryBytes, 1, 28L * ids.Count);
        Assert.Equal(Snapshot(ids, Today), Snapshot(RememberedIds.Load(Snapshot(ids, Today)), Today));
        for (var i = 0; i < 5_000; i++)
        {
            Assert.True(ids.TryFind((UInt128)i << zeros, Today, out var fingerprint));
            Assert.Equal((uint)i, fingerprint);
        }
    }

    [Theory]
    [InlineData(10), InlineData(6_000)]
    public void ASnapshotWithAnyTwoIdsSwapped_IsRefused(int count)
    {
        var snapshot = Snapshot(Filled(count), Today);
        var (first, last) = (snapshot[..22], snapshot[^22..]);

        Assert.Throws<FormatException>(() => RememberedIds.Load([.. last, .. snapshot[22..^22], .. first]));
        for (var at = 0; at < count - 1; at += count / 5)
        {
            var bytes = at * 22;
            byte[] swapped = [.. snapshot[..bytes], .. snapshot[(bytes + 22)..(bytes + 44)], .. snapshot[bytes..(bytes + 22)], .. snapshot[(bytes + 44)..]];
            Assert.Throws<FormatException>(() => RememberedIds.Load(swapped));
        }
    }

    [Fact]
    public void ARefusedSnapshot_SaysWhatWasWrong()
    {
        Assert.Equal(
            "A snapshot of remembered ids is 21 bytes long, which is no multiple of 22. Nothing was loaded.",
            Assert.Throws<FormatException>(() => RememberedIds.Load(new byte[21])).Message);
        Assert.Equal(
            "A snapshot of remembered ids is damaged: its ids are not in ascending order, or one has no expiry day. Nothing was loaded.",
            Assert.Throws<FormatException>(() => RememberedIds.Load(new byte[22])).Message);
    }

    private static RememberedIds Filled(int count)
    {
        var ids = new RememberedIds();
        for (var i = 0; i < count; i++)
            ids.Remember(Hash(i), (uint)i, Today + 36);

        return ids;
    }

    private static byte[] Snapshot(RememberedIds ids, int today)
    {
        var writer = new ArrayBufferWriter<byte>();
        ids.CopyTo(writer, today);
        return writer.WrittenSpan.ToArray();
    }

    private static byte[] Snapshot(Dictionary<UInt128, (uint Fingerprint, int ExpiryDay)> model, int today)
    {
        var bytes = new List<byte>();
        foreach (var (hash, entry) in model.Where(pair => pair.Value.ExpiryDay > today).OrderBy(pair => pair.Key))
        {
            bytes.AddRange(Convert.FromHexString($"{hash:x32}{entry.Fingerprint:x8}{entry.ExpiryDay:x4}"));
        }

        return [.. bytes];
    }

    private sealed class ExactWriter : IBufferWriter<byte>
    {
        private byte[] _asked = [];

        public List<byte> Written { get; } = [];

        public void Advance(int count) => Written.AddRange(_asked.AsSpan(0, count));

        public Span<byte> GetSpan(int sizeHint = 0) => _asked = new byte[sizeHint];

        public Memory<byte> GetMemory(int sizeHint = 0) => _asked = new byte[sizeHint];
    }

    private static UInt128 Hash(int id) => SipHash128.Hash(Key, BitConverter.GetBytes(id));
}
