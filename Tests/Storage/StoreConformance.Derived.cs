using Billing.Silo.Storage;

namespace Billing.Tests.Storage;

/// <summary>What is derived from the accounts, damaged: due times and rows for lists. It is found, and made anew from what the account says.</summary>
public abstract partial class StoreConformance
{
    /// <summary>What becomes of a due time.</summary>
    public enum DueDamage
    {
        Later,
        Earlier,
        Gone,
        CheckSum,
    }

    /// <summary>Changes a byte of all events that wait.</summary>
    private protected abstract Task DamageWaitingEvents();

    /// <summary>Changes what is stored, with {0} before the names of tables.</summary>
    private protected abstract Task ChangeStored(string sql);

    /// <summary>Damages the due time of an account.</summary>
    private protected abstract Task DamageDue(string account, DueDamage damage);

    /// <summary>Makes the store one of the release that had no check sums here.</summary>
    private protected abstract Task ToTheReleaseBefore();

    [Theory]
    [InlineData(DueDamage.Later, 1)]
    [InlineData(DueDamage.Earlier, 1)]
    [InlineData(DueDamage.Gone, 1)]
    [InlineData(DueDamage.CheckSum, 1)]
    [InlineData(DueDamage.Later, null)]
    public async Task DueTimeThatIsDamaged_MakesItsAccountDueAtOnceUntilItSaysWhenItIs(DueDamage damage, int? hours)
    {
        DateTimeOffset? next = hours is { } count ? Noon.AddHours(count) : null;
        await TwoThatAreDue();

        await DamageDue("a", damage);
        await Store.Check(default);

        Assert.Equal(["a"], await DueTimes.DueAt(DateTimeOffset.UnixEpoch, 10));
        Assert.True(await DueTimes.Next() <= DateTimeOffset.UnixEpoch);
        Assert.False(await DueTimes.MendDue("b", Noon));
        Assert.True(await DueTimes.MendDue("a", next));
        Assert.False(await DueTimes.MendDue("a", Noon));
        for (var time = 0; time < 2; time++)
        {
            Assert.Empty(await DueTimes.DueAt(DateTimeOffset.UnixEpoch, 10));
            Assert.Equal(next ?? Noon.AddHours(2), await DueTimes.Next());
            Assert.Empty(await Store.Check(default));
            await Reopen();
        }
    }

    // What the account had said before is older than that.
    [Fact]
    public async Task EntryOfAnAccountWhoseDueTimeIsDamaged_BringsItsOwn()
    {
        await TwoThatAreDue();
        await DamageDue("a", DueDamage.Later);
        await Store.Check(default);
        Assert.Equal(["a"], await DueTimes.DueAt(DateTimeOffset.UnixEpoch, 10));

        await Journal.Append(Entry("a", 2, "") with { DueAt = Noon.AddHours(3) });

        Assert.False(await DueTimes.MendDue("a", Noon.AddHours(1)));
        Assert.Equal(["b", "a"], await DueTimes.DueAt(Noon.AddHours(3), 10));
        await Reopen();
        Assert.Equal(["b", "a"], await DueTimes.DueAt(Noon.AddHours(3), 10));
    }

    [Fact]
    public async Task AccountThatIsNeverDue_IsNotAsked()
    {
        await Append("a", 1, "1");
        await Journal.Append(Entry("b", 1, "") with { DueAt = Noon });
        await Journal.Append(Entry("b", 2, ""));

        await Reopen();

        Assert.Null(await DueTimes.Next());
        Assert.Empty(await Store.Check(default));
    }

    [Theory]
    [InlineData("summary = replace(summary, 'Engines', 'Angines')")]
    [InlineData("summary = substr(summary, 1, 20)")]
    [InlineData("summary = 'null'")]
    [InlineData("status = 4")]
    [InlineData("search = replace(search, 'engines', 'angines')")]
    [InlineData("crc32c = CASE crc32c WHEN 7 THEN 8 ELSE 7 END")]
    public async Task RowForListsThatIsDamaged_IsToldFromTheOthersAndMadeAnew(string damage)
    {
        await TwoThatAreDue();
        await ChangeStored($"UPDATE {{0}}accounts SET {damage} WHERE account = 'a'");

        var listed = await Directory.List(new(null, null, null), null, 10);

        Assert.Equal([("a", null), ("b", "Builders")], listed.Select(a => (a.Id, a.Summary?.Name)));
        await Directory.List(new(null, null, "desk"), null, 10);
        var findings = new CheckFindings();
        await Store.Check(findings, default);
        Assert.Equal(["a"], findings.Unlisted);
        Assert.Contains("row for lists of account a is damaged", Assert.Single(findings.Damage), StringComparison.Ordinal);

        await Directory.MendSummary("b", null);
        await Directory.MendSummary("a", Summary("a", "Engines", plans: "desk"));

        await Reopen();
        Assert.Equal(["Engines", "Builders"], (await Directory.List(new(null, null, "desk"), null, 10)).Select(a => a.Summary?.Name));
        Assert.Equal("a", Assert.Single(await Directory.List(new("engines", null, null), null, 10)).Id);
        Assert.Empty(await Store.Check(default));
    }

    [Fact]
    public async Task RowForListsThatIsGone_IsFoundAndMadeAnewWhereTheAccountHasSomethingToDo()
    {
        await TwoThatAreDue();
        await ChangeStored("DELETE FROM {0}accounts WHERE account = 'a'");

        var findings = new CheckFindings();
        await Store.Check(findings, default);

        Assert.Equal(["a"], findings.Unlisted);
        await Directory.MendSummary("a", Summary("a", "Engines"));
        Assert.Equal(["a", "b"], (await Directory.List(new(null, null, null), null, 10)).Select(a => a.Id));
        Assert.Empty(await Store.Check(default));
    }

    [Fact]
    public async Task RowForListsUnderAnIdThatIsNone_IsToldAndLetGo()
    {
        await TwoThatAreDue();
        await ChangeStored("UPDATE {0}accounts SET account = 'x' WHERE account = 'a'");

        var listed = await Directory.List(new(null, null, null), null, 10);
        var findings = new CheckFindings();
        await Store.Check(findings, default);
        await Directory.MendSummary("x", null);

        Assert.Equal([("b", true), ("x", false)], listed.Select(a => (a.Id, a.Summary is not null)));
        Assert.Equal(["a", "x"], findings.Unlisted);
        Assert.Equal(["b"], (await Directory.List(new(null, null, null), null, 10)).Select(a => a.Id));
    }

    [Fact]
    public async Task DamagedEventsThatWaitAndEventsOfStripe_AreFoundByTheCheck()
    {
        await Waiting.Add(Events("a", "bytes"));
        await Told.Add(Paid("evt_a"));
        Assert.Empty(await Store.Check(default));

        await DamageWaitingEvents();
        await ChangeStored("UPDATE {0}stripe_events SET account = 'other'");

        var found = await Store.Check(default);
        Assert.Equal(2, found.Count);
        Assert.Contains(found, f => f.Contains("Events that wait for account a are damaged", StringComparison.Ordinal));
        Assert.Contains(found, f => f.Contains("Stripe's event evt_a", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CheckOfEverything_SaysHowMuchItRead()
    {
        await TwoThatAreDue();
        var before = await Read();
        await Waiting.Add(Events("a", "bytes"));
        await Told.Add(Paid("evt_a"));

        Assert.True(before >= 4, $"{before} rows");
        Assert.Equal(before + 2, await Read());

        async Task<long> Read()
        {
            var findings = new CheckFindings();
            await Store.Check(findings, default);
            return findings.Read;
        }
    }

    [Theory]
    [InlineData(DueDamage.Later)]
    [InlineData(DueDamage.Gone)]
    public async Task StoreOfTheReleaseWithoutTheseCheckSums_IsReadAndGetsThem(DueDamage damage)
    {
        await TwoThatAreDue();
        await Told.Add(Paid("evt_a"));

        await ToTheReleaseBefore();
        await Reopen();

        Assert.Equal(["a"], await DueTimes.DueAt(Noon.AddHours(1), 10));
        Assert.Equal(["Engines", "Builders"], (await Directory.List(new(null, null, "desk"), null, 10)).Select(a => a.Summary?.Name));
        Assert.Equal([Paid("evt_a")], await Told.Pending("", 10));
        Assert.Empty(await Store.Check(default));

        await DamageDue("a", damage);
        await ChangeStored("UPDATE {0}accounts SET summary = replace(summary, 'Builders', 'Guilders') WHERE account = 'b'");
        var findings = new CheckFindings();
        await Store.Check(findings, default);
        Assert.Equal(["b"], findings.Unlisted);
        Assert.Equal(["a"], await DueTimes.DueAt(DateTimeOffset.UnixEpoch, 10));
    }

    private async Task TwoThatAreDue()
    {
        await Journal.Append(Entry("a", 1, "") with { DueAt = Noon.AddHours(1), Summary = Summary("a", "Engines", plans: "desk") });
        await Journal.Append(Entry("b", 1, "") with { DueAt = Noon.AddHours(2), Summary = Summary("b", "Builders", plans: ["desk", "voice"]) });
    }
}
