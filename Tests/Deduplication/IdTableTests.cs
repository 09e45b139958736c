using Billing.Deduplication;

namespace Billing.Tests.Deduplication;

public sealed class IdTableTests
{
    private const int Today = 20_000;

    // Made for 80 ids: room for 80 + 80 / 8 + 4.
    private const int MadeFor = 80;
    private const int Room = 94;

    [Fact]
    public void ATable_TakesAnEighthMoreIdsThanItIsMadeForAndThenIsFull()
    {
        var table = new IdTable(0, MadeFor);
        for (var i = 0; i < Room; i++)
            Assert.Equal(PutOutcome.Added, table.Put(Entry(i), 0));

        Assert.Equal(PutOutcome.Full, table.Put(Entry(Room), 0));
        Assert.Equal(Ids(0..Room), Ids(table));
        Assert.Equal(Room, table.Count);
        Assert.False(table.TryFind(Entry(Room).High, 0, out _, out _));
    }

    [Fact]
    public void AnEmptyTable_IsFull()
    {
        Assert.Equal(PutOutcome.Full, IdTable.Empty.Put(Entry(0), Today));
        Assert.Empty(Ids(IdTable.Empty));
        Assert.False(IdTable.Empty.TryFind(1, 1, out _, out _));
        Assert.Equal((0, 0), (IdTable.Empty.Count, IdTable.Empty.Slots));
    }

    [Fact]
    public void TheSameId_TakesItsOwnPlaceEvenInAFullTable()
    {
        var table = Filled(Room, expired: 0);

        Assert.Equal(PutOutcome.Replaced, table.Put(Entry(7) with { Fingerprint = 70, ExpiryDay = Today + 9 }, 0));

        Assert.True(table.TryFind(Entry(7).High, Entry(7).Low, out var fingerprint, out var expiryDay));
        Assert.Equal((70u, Today + 9, Room), (fingerprint, expiryDay, table.Count));
        Assert.Equal([.. Ids(0..7), 70, .. Ids(8..Room)], Ids(table));
    }

    // Ids in one home stand side by side, so that the expired one is at hand.
    [Theory]
    [InlineData(Today, true)]
    [InlineData(Today - 1, false)]
    public void AnExpiredIdAtHand_GivesUpItsPlace(int droppableDay, bool givenUp)
    {
        var table = new IdTable(0, MadeFor);
        foreach (var low in new ulong[] { 10, 20, 30 })
            table.Put(new(1, low, 0, (ushort)(low == 20 ? Today : Today + 1)), 0);

        Assert.Equal(givenUp ? PutOutcome.Replaced : PutOutcome.Added, table.Put(new(1, 15, 0, Today + 1), droppableDay));

        Assert.Equal(givenUp ? [10, 15, 30] : [10, 15, 20, 30], Entries(table).Select(e => e.Low));
        Assert.Equal(Entries(table).Count, table.Count);
    }

    [Fact]
    public void AnIdThatCannotBePushedToAFreeSlot_FindsTheTableFull()
    {
        // All at the last home: the slots behind it are few, and the order allows no wrapping around.
        var table = new IdTable(0, MadeFor);
        var added = Enumerable.Range(0, Room).TakeWhile(i => table.Put(new(ulong.MaxValue, (ulong)i, 0, Today), 0) == PutOutcome.Added).Count();

        Assert.InRange(added, 4, Room - 1);
        Assert.Equal(added, table.Count);
        Assert.Equal(Enumerable.Range(0, added).Select(i => (ulong)i), Entries(table).Select(e => e.Low));
    }

    // Goal: a table that is to be tidied comes out with its live ids and room for more, or not at all. The first bound: a
    // sixteenth of what lives, and four slots, must be left. The second: half a table of live ids is worth a smaller one.
    [Theory]
    [InlineData(94, false)]
    [InlineData(86, false)] // 86 + 5 + 4 > 94
    [InlineData(85, true)] // 85 + 5 + 4 = 94
    [InlineData(60, true)]
    [InlineData(47, true)]
    [InlineData(46, false)]
    [InlineData(0, false)]
    public void ATable_IsTidiedWhenNeitherTooFewNorTooManyIdsGo(int live, bool tidied)
    {
        var table = Filled(Room, expired: Room - live);
        Assert.Equal(live, table.CountLive(.., Today));

        Assert.Equal(tidied, table.TryTidy(live, Today));

        if (!tidied) return;
        Assert.Equal(Ids((Room - live)..Room), Ids(table));
        Assert.Equal(live, table.Count);
        for (var i = 0; i < Room - live; i++)
            Assert.Equal(PutOutcome.Added, table.Put(Entry(i), 0));
        Assert.Equal(Ids(0..Room), Ids(table));
    }

    [Fact]
    public void ATableOfIdsPushedFarToTheRight_IsTidiedToTheirHomes()
    {
        // The first home's ids fill the slots of those after it, which stand far to the right until the first ones go.
        var table = new IdTable(0, MadeFor);
        for (var i = 0; i < 40; i++) table.Put(new(1, (ulong)i, 0, Today), 0);
        for (var i = 1; i <= 50; i++) table.Put(Entry(i), 0);

        Assert.True(table.TryTidy(50, Today));

        Assert.Equal(Ids(1..51), Ids(table));
        Assert.All(Enumerable.Range(1, 50), i => Assert.True(table.TryFind(Entry(i).High, Entry(i).Low, out _, out _)));
    }

    [Fact]
    public void ARebuiltTable_HoldsTheLiveIdsOfItsHalf()
    {
        var table = Filled(Room, expired: 30);
        var middle = table.UpperHalf();

        var (lower, upper) = (table.Rebuilt(1, ..middle, Today), table.Rebuilt(1, middle.., Today));

        Assert.Equal(Ids(30..Room), [.. Ids(lower), .. Ids(upper)]);
        Assert.Equal((1, 1), (lower.Depth, upper.Depth));
        Assert.All(Entries(lower), entry => Assert.True(entry.High < 1UL << 63));
        Assert.All(Entries(upper), entry => Assert.True(entry.High >= 1UL << 63));
        Assert.All(Entries(lower), entry => Assert.True(lower.TryFind(entry.High, entry.Low, out _, out _)));
        Assert.All(Entries(upper), entry => Assert.True(upper.TryFind(entry.High, entry.Low, out _, out _)));
    }

    [Fact]
    public void ATableOfLowerHashesOnly_HasNoUpperHalf()
    {
        var table = new IdTable(3, MadeFor);
        table.Put(new(0b0110UL << 60, 1, 1, Today), 0);
        Assert.Equal(table.Slots, table.UpperHalf());

        table.Put(new(0b0111UL << 60, 1, 1, Today), 0);
        Assert.InRange(table.UpperHalf(), 1, table.Slots - 1);
    }

    // Spread evenly over all hashes, in ascending order; those numbered below `expired` expire today.
    private static IdTable Filled(int count, int expired)
    {
        var table = new IdTable(0, MadeFor);
        for (var i = 0; i < count; i++)
            table.Put(Entry(i) with { ExpiryDay = (ushort)(i < expired ? Today : Today + 1) }, 0);

        return table;
    }

    private static IdEntry Entry(int i) => new((ulong)i * (ulong.MaxValue / (Room + 1)), (ulong)i, (uint)i, Today + 1);

    private static IEnumerable<int> Ids(Range range) => Enumerable.Range(0, Room + 1).Take(range);

    private static IEnumerable<int> Ids(IdTable table) => Entries(table).Select(entry => (int)entry.Fingerprint);

    private static List<IdEntry> Entries(IdTable table)
    {
        var entries = new List<IdEntry>();
        for (var slot = 0; table.TryNext(ref slot, out var entry);)
            entries.Add(entry);

        return entries;
    }
}
