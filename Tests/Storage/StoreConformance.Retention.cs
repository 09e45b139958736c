using Billing.Silo.Storage;

namespace Billing.Tests.Storage;

/// <summary>What every adapter of the store must do with what it keeps for a time only.</summary>
public abstract partial class StoreConformance
{
    [Fact]
    public async Task SealedIds_ComeBackWithTheSnapshotInTheOrderOfTheirDays()
    {
        await Append("a", 1, "1");
        await Append("b", 1, "1");
        await Journal.SaveSnapshot(new("a", 1, "one"u8.ToArray(), [new(20_100, "late"u8.ToArray()), new(20_099, "early"u8.ToArray())]));
        await Journal.SaveSnapshot(new("b", 1, "other"u8.ToArray(), [new(20_099, "of b"u8.ToArray())]));
        await Append("a", 2, "2");
        await Journal.SaveSnapshot(new("a", 2, "two"u8.ToArray(), [new(20_101, "last"u8.ToArray())]));

        await Reopen();

        Assert.Equal([(20_099, "early"), (20_100, "late"), (20_101, "last")], await Segments("a"));
        Assert.Equal([(20_099, "of b")], await Segments("b"));
        Assert.Empty((await Journal.ReadAll("a", default)).Segments);
    }

    [Fact]
    public async Task OlderSnapshot_DoesNotReplaceNewerSegments()
    {
        for (var i = 1; i <= 2; i++) await Append("a", i, $"{i}");
        await Journal.SaveSnapshot(new("a", 2, "new"u8.ToArray(), [new(20_099, "new"u8.ToArray())]));

        await Journal.SaveSnapshot(new("a", 1, "old"u8.ToArray(), [new(20_099, "old"u8.ToArray()), new(20_100, "old"u8.ToArray())]));

        Assert.Equal([(20_099, "new")], await Segments("a"));
    }

    [Fact]
    public async Task SegmentsOfForgottenDays_AreDroppedAndOthersStay()
    {
        const int Accounts = 450;
        for (var i = 0; i < Accounts; i++)
        {
            await Append($"account {i}", 1, "1");
            await Journal.SaveSnapshot(new($"account {i}", 1, "state"u8.ToArray(), [new(20_099, "x"u8.ToArray()), new(20_100, "y"u8.ToArray())]));
        }

        var dropped = await Store.Drop(20_099, DateTimeOffset.MinValue, default);

        Assert.Equal(Accounts, dropped.Segments);
        Assert.Equal(0, (await Store.Drop(20_099, DateTimeOffset.MinValue, default)).Segments);
        await Reopen();
        for (var i = 0; i < Accounts; i += 100) Assert.Equal([(20_100, "y")], await Segments($"account {i}"));
    }

    [Fact]
    public async Task BodiesOfOldEntries_AreDroppedAndTheEntriesStay()
    {
        await Journal.Append(Entry("a", 1, "1") with { At = Noon.AddDays(-2), Bodies = "oldest"u8.ToArray() });
        await Journal.Append(Entry("a", 2, "2") with { At = Noon.AddDays(-1), Bodies = "old"u8.ToArray() });
        await Journal.Append(Entry("a", 3, "3") with { At = Noon, Bodies = "young"u8.ToArray() });

        var dropped = await Store.Drop(0, Noon, default);

        Assert.Equal(2, dropped.Bodies);
        await Reopen();
        Assert.Equal(0, (await Journal.ReadBodies("a", 1, default)).Length);
        Assert.Equal(0, (await Journal.ReadBodies("a", 2, default)).Length);
        Assert.Equal("young", Text(await Journal.ReadBodies("a", 3, default)));
        Assert.Equal(["1", "2", "3"], await Facts("a"));
    }

    [Fact]
    public async Task StoreThatIsWell_ChecksAsWell()
    {
        for (var i = 1; i <= 3; i++) await Journal.Append(Entry("a", i, $"{i}") with { Bodies = "body"u8.ToArray() });
        await Append("b", 1, "1");
        await Journal.SaveSnapshot(new("a", 2, "state"u8.ToArray(), [new(20_099, "ids"u8.ToArray())]));

        Assert.Empty(await Store.Check(default));
    }

    private async Task<IEnumerable<(int Day, string Ids)>> Segments(string account) =>
        (await Journal.Read(account, default)).Segments.Select(s => (s.ForgetDay, Text(s.Ids)));
}
