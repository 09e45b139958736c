using System.Globalization;
using Billing.Journal;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Sqlite;
using Billing.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Billing.Tests.Scheduling;

/// <summary>A platform that was down while periods ended.</summary>
public class MissedPeriodTests
{
    private static readonly DateTimeOffset After = new(2026, 4, 10, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task PeriodsThatEndedWhileThePlatformWasDown_AreCaughtUpAtStartWithoutAnyCall()
    {
        using var folder = new TemporaryFolder();
        await using (var before = await TestPlatform.Open(folder))
        {
            await before.Api.Open("one", "desk-basic");
            await before.Api.Open("two", "desk-basic");
            await before.Api.Events(ApiCaller.Lines, Enumerable.Range(0, 3).Select(i => ApiCaller.Event("one", $"e{i}", DateTimeOffset.Parse(TestPlatform.Start))));
            // The first invoices are charged: what a stop leaves half done has to be looked up, which waits for a clock that stands here.
            await before.Api.MoveClock("PT1S");
        }

        await SetClock(folder, After);

        await using var platform = await TestPlatform.Open(folder);
        var due = platform.Services.GetRequiredService<IDueTimes>();
        var journal = platform.Services.GetRequiredService<IJournal>();
        await Eventually.True(
            async () => await due.Next() == new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.Zero),
            async () => $"every account has done what was due; the next is at {await due.Next():O}. Last entries: {await Last("one")} {await Last("two")}");

        Assert.Equal(1, (await journal.ReadAll("two", default)).Entries.Count(e => System.Text.Encoding.UTF8.GetString(e.Span).Contains("invoice_drafted", StringComparison.Ordinal)));
        var invoices = (await platform.Api.Get("/v1/accounts/one/invoices")).Json.GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"], invoices.Select(i => i.GetProperty("period").GetProperty("start").GetString()));

        // 10.00 each; January's third ticket, 0.50, is on February's.
        Assert.Equal([1_000, 1_050, 1_000, 1_000], invoices.Select(i => i.GetProperty("total").GetInt64()));
        Assert.Equal("2026-04-04T00:00:00Z", invoices[3].GetProperty("finalized_at").GetString());
        Assert.Equal(new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.Zero), await due.Next());

        async Task<string> Last(string account) =>
            string.Join(' ', (await journal.ReadAll(account, default)).Entries.TakeLast(3).Select(e => System.Text.Encoding.UTF8.GetString(e.Span)));
    }

    private static async Task SetClock(TemporaryFolder folder, DateTimeOffset instant)
    {
        var store = await SqliteStore.Open(folder.File("data"));
        await ((ISettings)store).Set("billing_clock", string.Create(CultureInfo.InvariantCulture, $"stands at {instant.UtcTicks}"));
        await store.DisposeAsync();
    }
}
