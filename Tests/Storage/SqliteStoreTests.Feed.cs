using System.Text;
using Billing.Journal;
using Billing.Silo.Storage;

namespace Billing.Tests.Storage;

/// <summary>The feed of the embedded store: what becomes of it when what is noted for it, or a commit, is damaged.</summary>
public sealed partial class SqliteStoreTests
{
    private protected override async Task DamageEntries(string text)
    {
        await Close();
        foreach (var (commit, frames) in Commits())
        {
            if (frames.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) is not (>= 0 and var at)) continue;
            frames[at] ^= 1;
            SetFrames(commit, frames);
        }

        await Reopen();
    }

    private protected override Task LosePlacesInFeed(string account) => ChangeStored($"DELETE FROM feed WHERE instr(places, CAST('{account}' AS BLOB)) > 0");

    private protected override Task ToTheReleaseWithoutAFeed() => ChangeStored("DROP TABLE feed; PRAGMA user_version = 5");

    [Fact]
    public async Task PlacesNotedForTheFeedDamaged_AreReadFromTheCommitAndNotedAnew()
    {
        await Task.WhenAll(Append("a", 1, "1 of a"), Append("b", 1, "1 of b"));
        await Append("a", 2, "2 of a");
        var whole = await Follow(10);
        await ChangeStored("UPDATE feed SET places = zeroblob(length(places)) WHERE commit_id = (SELECT min(commit_id) FROM feed)");

        Assert.Equal(Places(whole), Places(await Follow(1)));
        Assert.Contains("Nothing is lost", Assert.Single(await Damage()), StringComparison.Ordinal);
        Assert.Empty(await Damage());
        Assert.Equal(Places(whole), Places(await Follow(1)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CommitThatIsGone_IsToldEntryByEntryWhereItsPlacesAreNoted(bool areNoted)
    {
        await Append("a", 1, "1 of a");
        await Append("b", 1, "1 of b");
        await ChangeStored($"DELETE FROM commits WHERE id = 1; UPDATE feed SET places = {(areNoted ? "places" : "x''")}");

        if (!areNoted)
        {
            Assert.Contains("commit 1: it is missing", (await Assert.ThrowsAsync<JournalDamagedException>(() => Follow(10))).Message, StringComparison.Ordinal);
            return;
        }

        Assert.Equal([("a", true), ("b", false)], (await Follow(10)).Select(e => (e.Place.Account, e.Damage is not null)));
    }

    private async Task<IReadOnlyList<string>> Damage()
    {
        var findings = new CheckFindings();
        await Store.Check(findings, default);
        return findings.Damage;
    }
}
