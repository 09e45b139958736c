using Billing.Silo.Scheduling;
using Billing.Silo.Storage;

namespace Billing.Tests.Scheduling;

/// <summary>The billing clock: where it stands or runs, and that it never goes back.</summary>
public class BillingClockTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 31, 0, 0, 0, TimeSpan.Zero);

    private readonly Kept _settings = new();
    private readonly MachineTime _machine = new() { Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero) };

    [Fact]
    public async Task NewStoreWithAStart_StandsThere()
    {
        var clock = await Load(Start);

        _machine.Now = _machine.Now.AddDays(1);

        Assert.True(clock.StandsStill);
        Assert.Equal(Start, clock.Now);
    }

    [Fact]
    public async Task NewStoreWithoutAStart_RunsWithTheMachine()
    {
        var clock = await Load(null);

        _machine.Now = _machine.Now.AddHours(1);

        Assert.False(clock.StandsStill);
        Assert.Equal(_machine.Now, clock.Now);
    }

    [Theory]
    [InlineData("billing_clock", "")]
    [InlineData("billing_clock", "stands at noon")]
    [InlineData("billing_clock", "stands at 1")]
    [InlineData("billing_clock", "sits at 639000000000000000")]
    [InlineData("billing_clock", "ahead by 9223372036854775807")]
    [InlineData("billing_clock_seen", "63900000000x")]
    public async Task StoredClockThatCannotBeRead_IsRefusedWithASentence(string setting, string stored)
    {
        await _settings.Set("billing_clock", "ahead by 0");
        await _settings.Set(setting, stored);

        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => Load(null));

        Assert.Contains($"\"{setting}\" is \"{stored}\"", refused.Message, StringComparison.Ordinal);
    }

    // Whatever the change makes of it: another time is as wrong as none.
    [Theory]
    [InlineData("billing_clock", true)]
    [InlineData("billing_clock", false)]
    [InlineData("billing_clock_seen", false)]
    public async Task AnyBitOfTheStoredClockFlipped_IsRefused(string setting, bool standing)
    {
        var clock = await Load(standing ? Start : null);
        await clock.MoveTo(clock.Now.AddDays(1));
        await clock.NoteHighest();
        var stored = (await _settings.Get(setting))!;
        for (var at = 0; at < stored.Length; at++)
        {
            for (var bit = 0; bit < 7; bit++)
            {
                await _settings.Set(setting, $"{stored[..at]}{(char)(stored[at] ^ (1 << bit))}{stored[(at + 1)..]}");

                await Assert.ThrowsAsync<InvalidDataException>(() => Load(null));
            }
        }

        await _settings.Set(setting, stored);
        Assert.Equal(standing, (await Load(null)).StandsStill);
    }

    [Theory]
    [InlineData("stands at 639000000000000000")]
    [InlineData("ahead by 36000000000")]
    public async Task ClockOfAStoreWithoutCheckSums_IsReadAndGetsOne(string stored)
    {
        await _settings.Set("billing_clock", stored);
        await _settings.Set("billing_clock_seen", "638000000000000000");
        var before = (await Load(null)).Now;

        Assert.Equal(before, (await Load(null)).Now);

        foreach (var (setting, digit) in new[] { ("billing_clock", '3'), ("billing_clock_seen", '8') })
        {
            var now = (await _settings.Get(setting))!;
            Assert.Contains(" #", now, StringComparison.Ordinal);
            await _settings.Set(setting, now.Replace(digit, '4'));
            await Assert.ThrowsAsync<InvalidDataException>(() => Load(null));
            await _settings.Set(setting, now);
        }
    }

    [Fact]
    public async Task DamagedNoteOfARunningClock_IsWrittenAnewWhileItRuns()
    {
        var clock = await Load(null);
        await clock.NoteHighest();
        await _settings.Set("billing_clock_seen", "damaged");

        await clock.NoteHighest();

        Assert.Equal(clock.Now, (await Load(null)).Now);
    }

    [Fact]
    public async Task EventsAheadOfTheClock_DriveTheStoreOnceASecondAtMost()
    {
        var clock = await Load(Start);
        var other = await Load(Start);
        var reads = _settings.Reads;
        for (var i = 0; i < 100; i++) await clock.RefreshForEvent();
        Assert.Equal(reads + 1, _settings.Reads);

        await other.MoveTo(Start.AddDays(1));
        _machine.Now = _machine.Now.AddSeconds(1);
        await clock.RefreshForEvent();
        Assert.Equal(Start.AddDays(1), clock.Now);

        // A look that found the clock moved is no reason to wait with the next.
        await other.MoveTo(Start.AddDays(2));
        await clock.RefreshForEvent();
        Assert.Equal(Start.AddDays(2), clock.Now);
    }

    [Fact]
    public async Task StandingClockMoved_StandsThereAfterARestart_WhateverTheSettingSays()
    {
        await (await Load(Start)).MoveTo(Start.AddMonths(1));

        var again = await Load(Start.AddYears(1));

        Assert.True(again.StandsStill);
        Assert.Equal(Start.AddMonths(1), again.Now);
    }

    [Fact]
    public async Task RunningClockMoved_RunsOnFromThereAlsoAfterARestart()
    {
        var clock = await Load(null);
        var target = _machine.Now.AddDays(10);
        await clock.MoveTo(target);
        Assert.Equal(target, clock.Now);
        _machine.Now = _machine.Now.AddMinutes(1);
        Assert.Equal(target.AddMinutes(1), clock.Now);

        var again = await Load(null);

        Assert.False(again.StandsStill);
        Assert.Equal(target.AddMinutes(1), again.Now);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task MoveToAnEarlierInstant_ChangesNothing(bool standing)
    {
        var clock = await Load(standing ? Start : null);
        var before = clock.Now;
        var writes = _settings.Writes;

        await clock.MoveTo(before.AddTicks(-1));
        await clock.MoveTo(before);

        Assert.Equal(before, clock.Now);
        Assert.Equal(writes, _settings.Writes);
    }

    // F23: the machine's clock is set back by ten minutes.
    [Fact]
    public async Task MachineClockSetBack_HoldsTheRunningClockUntilItIsCaughtUp()
    {
        var clock = await Load(null);
        var before = clock.Now;

        _machine.Now = before.AddMinutes(-10);
        Assert.Equal(before, clock.Now);
        _machine.Now = before.AddMinutes(-1);
        Assert.Equal(before, clock.Now);
        _machine.Now = before.AddMinutes(1);
        Assert.Equal(before.AddMinutes(1), clock.Now);
    }

    // F23: the machine's clock is set back by an hour while the platform is down.
    [Fact]
    public async Task MachineClockSetBackOverARestart_HoldsTheRunningClockWhereItWasNoted()
    {
        var clock = await Load(null);
        var noted = clock.Now;
        await clock.NoteHighest();

        _machine.Now = noted.AddHours(-1);
        var again = await Load(null);

        Assert.Equal(noted, again.Now);
        _machine.Now = noted.AddMinutes(1);
        Assert.Equal(noted.AddMinutes(1), again.Now);
    }

    [Fact]
    public async Task StandingClock_NotesNothing()
    {
        var clock = await Load(Start);
        var writes = _settings.Writes;

        await clock.NoteHighest();

        Assert.Equal(writes, _settings.Writes);
    }

    [Fact]
    public async Task MachineClockSetBack_MoveStillGoesForward()
    {
        var clock = await Load(null);
        var before = clock.Now;
        _machine.Now = before.AddHours(-1);

        await clock.MoveTo(before.AddDays(1));

        Assert.Equal(before.AddDays(1), clock.Now);
    }

    [Fact]
    public async Task MoveThatIsNotStored_DoesNotShow()
    {
        var clock = await Load(Start);
        _settings.Fails = true;

        await Assert.ThrowsAsync<IOException>(() => clock.MoveTo(Start.AddDays(1)));

        Assert.Equal(Start, clock.Now);
    }

    private Task<BillingClock> Load(DateTimeOffset? start) => BillingClock.Load(_settings, _machine, start);

    private sealed class MachineTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;

        public override long GetTimestamp() => Now.UtcTicks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    }

    private sealed class Kept : ISettings
    {
        private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

        public int Writes { get; private set; }

        public int Reads { get; private set; }

        public bool Fails { get; set; }

        public Task<string?> Get(string name)
        {
            Reads++;
            return Task.FromResult(_values.GetValueOrDefault(name));
        }

        public Task Set(string name, string value)
        {
            if (Fails) return Task.FromException(new IOException("The disk fails."));
            _values[name] = value;
            Writes++;
            return Task.CompletedTask;
        }

        public async Task<bool> Replace(string name, string? before, string value)
        {
            if (_values.GetValueOrDefault(name) != before) return false;
            await Set(name, value);
            return true;
        }
    }
}
