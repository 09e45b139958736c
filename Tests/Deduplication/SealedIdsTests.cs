using System.Buffers;
using Billing.Deduplication;
using FsCheck.Fluent;

namespace Billing.Tests.Deduplication;

/// <summary>Ids written in segments of a day and read back beside a snapshot.</summary>
public sealed class SealedIdsTests
{
    private static readonly SipKey Key = new(1, 2);

    // Goal: snapshot and segments together are the memory. Method: any ids, any days, sealed in one or two goes.
    [Fact]
    public void SnapshotAndSegments_AreTheMemory()
    {
        var id = Gen.Choose(0, 3_000).SelectMany(i => Gen.Choose(90, 130), (i, day) => (Id: i, Day: day));
        var work = id.ListOf(400).SelectMany(_ => Gen.Choose(85, 135), (ids, first) => (Ids: ids, First: first)).SelectMany(_ => Gen.Choose(85, 135), (w, second) => (w.Ids, w.First, Second: int.Max(second, w.First)));
        Prop.ForAll(Arb.From(work), w =>
        {
            var ids = new RememberedIds();
            var number = 0u;
            foreach (var (i, day) in w.Ids) ids.Remember(Hash(i), number++, day);
            var segments = ids.Segments(0, w.First).Concat(ids.Segments(w.First, w.Second)).Select(s => (s.ExpiryDay, (ReadOnlyMemory<byte>)s.Ids)).ToList();

            var loaded = RememberedIds.Load(Snapshot(ids, w.Second), segments);

            Assert.Equal(Snapshot(ids, 0), Snapshot(loaded, 0));
            Assert.Equal(ids.Count, loaded.Count);
            Assert.Equal(segments.Select(s => s.ExpiryDay).Order().Distinct(), segments.Select(s => s.ExpiryDay));
        }).Holds();
    }

    [Fact]
    public void AnIdInTwoSegments_HoldsUntilTheLaterDay()
    {
        var (before, after) = (new RememberedIds(), new RememberedIds());
        before.Remember(Hash(1), 10, 100);
        after.Remember(Hash(1), 20, 101);

        var loaded = RememberedIds.Load(
            [], [.. after.Segments(0, 200).Concat(before.Segments(0, 200)).Select(s => (s.ExpiryDay, (ReadOnlyMemory<byte>)s.Ids))]);

        Assert.True(loaded.TryFind(Hash(1), 99, out var fingerprint, out var day));
        Assert.Equal((20u, 101, 1), (fingerprint, day, loaded.Count));
    }

    [Fact]
    public void AMillionIds_AreReadBackWhole()
    {
        const int Days = 36, PerDay = 3_000;
        var ids = new RememberedIds();
        for (var i = 0; i < Days * PerDay; i++) ids.Remember(Hash(i), (uint)i, 100 + (i % Days));

        var loaded = RememberedIds.Load(Snapshot(ids, 134), [.. ids.Segments(0, 134).Select(s => (s.ExpiryDay, (ReadOnlyMemory<byte>)s.Ids))]);

        Assert.Equal(Days * PerDay, loaded.Count);
        for (var i = 0; i < Days * PerDay; i++)
        {
            Assert.True(loaded.TryFind(Hash(i), 99, out var fingerprint, out var day));
            Assert.Equal(((uint)i, 100 + (i % Days)), (fingerprint, day));
        }
    }

    [Theory]
    [InlineData(19, 100, "is 19 bytes long")]
    [InlineData(20, 0, "has no day")]
    [InlineData(20, 65_536, "has no day")]
    public void ASegmentThatIsNone_IsRefusedWithASentence(int length, int day, string sentence)
    {
        var refused = Assert.Throws<FormatException>(() => RememberedIds.Load([], [(day, new byte[length])]));

        Assert.Contains(sentence, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ASegmentOutOfOrder_IsRefused()
    {
        var ids = new RememberedIds();
        for (var i = 0; i < 2; i++) ids.Remember(Hash(i), 0, 100);
        var bytes = ids.Segments(0, 100)[0].Ids;
        byte[] swapped = [.. bytes[20..], .. bytes[..20]], doubled = [.. bytes[..20], .. bytes[..20]];

        Assert.Throws<FormatException>(() => RememberedIds.Load([], [(100, swapped)]));
        Assert.Throws<FormatException>(() => RememberedIds.Load([], [(100, doubled)]));
    }

    [Fact]
    public void DaysOutsideTheRange_AreNotSealed()
    {
        var ids = new RememberedIds();
        for (var day = 100; day < 110; day++) ids.Remember(Hash(day), 0, day);

        Assert.Equal([103, 104, 105], ids.Segments(102, 105).Select(s => s.ExpiryDay));
        Assert.Empty(ids.Segments(105, 105));
        Assert.Empty(ids.Segments(105, 104));
    }

    private static byte[] Snapshot(RememberedIds ids, int today)
    {
        var writer = new ArrayBufferWriter<byte>();
        ids.CopyTo(writer, today);
        return writer.WrittenSpan.ToArray();
    }

    private static UInt128 Hash(int id) => SipHash128.Hash(Key, BitConverter.GetBytes(id));
}
