using Billing.Journal;
using Billing.Tests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Billing.Tests.Accounts;

/// <summary>An account seals the ids of days that are over; whatever becomes of the segments, no event is counted twice.</summary>
public sealed class SealingTests : IAsyncLifetime
{
    // Facts of so many events are longer than the least that makes a snapshot due.
    private const int EventsADay = 900;
    private const int Days = 4;

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _events = [];
    private TestPlatform _platform = null!;

    public async Task InitializeAsync()
    {
        _platform = await TestPlatform.Open(_folder);
        await _platform.Api.Open("shop", "desk-basic");
        for (var day = 0; day < Days; day++)
        {
            var now = await _platform.Api.Now();
            for (var part = 0; part < 3; part++)
            {
                var events = Enumerable.Range(0, EventsADay / 3).Select(i => ApiCaller.Event("shop", $"{day}.{part}.{i}", now)).ToList();
                Assert.Equal(events.Count, (await _platform.Api.Events(ApiCaller.Lines, events)).Count("accepted"));
                _events.AddRange(events);
            }

            await _platform.Api.MoveClock("P1D");
        }
    }

    public async Task DisposeAsync()
    {
        await _platform.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task DaysThatAreOver_AreSealedOnceWithTheirIds()
    {
        await Reopen();

        var tail = await _platform.Services.GetRequiredService<IJournal>().Read("shop", default);

        // The day of the last entry can still get ids, and the last days may be in entries only.
        Assert.InRange(tail.Segments.Count, 2, Days - 1);
        Assert.All(tail.Segments, s => Assert.Equal(EventsADay * 20, s.Ids.Length));
        Assert.Equal(tail.Segments.Select(s => s.ForgetDay).Order().Distinct(), tail.Segments.Select(s => s.ForgetDay));
        Assert.True(tail.Snapshot!.Value.Length < 2 * EventsADay * 22, $"The snapshot has {tail.Snapshot.Value.Length} bytes.");
        await NothingCountsTwice();
    }

    [Theory]
    [InlineData("DELETE FROM segments")]
    [InlineData("DELETE FROM segments WHERE forget_day = (SELECT min(forget_day) FROM segments)")]
    [InlineData("UPDATE segments SET ids = substr(ids, 1, 20), crc = 0")]
    [InlineData("UPDATE segments SET ids = CAST(x'00' || substr(ids, 2) AS BLOB)")]
    [InlineData("DELETE FROM snapshots")]
    public async Task WhateverBecomesOfTheSegments_TheJournalMakesThemAnew(string damage)
    {
        await Reopen(() =>
        {
            using var index = new SqliteConnection($"Data Source={_folder.File("data")}/index.db;Pooling=False");
            index.Open();
            using var command = index.CreateCommand();
            command.CommandText = damage;
            Assert.NotEqual(0, command.ExecuteNonQuery());
        });

        await NothingCountsTwice();
    }

    private async Task NothingCountsTwice()
    {
        var again = await _platform.Api.Events(ApiCaller.Lines, _events);
        Assert.Equal(EventsADay * Days, again.Count("duplicate"));
        var usage = await _platform.Api.Get("/v1/accounts/shop/usage?meter=desk.tickets");
        Assert.Equal($"{EventsADay * Days}", usage.Json.GetProperty("items")[0].GetProperty("quantity").GetString());
    }

    private async Task Reopen(Action? between = null)
    {
        await _platform.DisposeAsync();
        between?.Invoke();
        _platform = await TestPlatform.Open(_folder);
    }
}
