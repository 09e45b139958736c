using System.Text;
using Billing.Metering;
using FsCheck.Fluent;

namespace Billing.Tests.Metering;

public sealed class TimelinesTests
{
    // Goal: placing, taking out, putting back and forgetting keep the order, however long a key's list grows. Method: a sorted list beside it.
    [Fact]
    public void WhateverIsDone_EventsStandInOrder() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), numbers =>
        {
            var timelines = new Timelines(new());
            var held = new SortedDictionary<(long Time, string Id), int>(Comparer<(long Time, string Id)>.Create(
                (a, b) => a.Time != b.Time ? a.Time.CompareTo(b.Time) : string.CompareOrdinal(a.Id, b.Id)));
            var horizon = 0L;

            // Each number stands for a run of events, so that a short list of numbers makes a long list of events.
            foreach (var (n, index) in numbers.Select((n, index) => (n, index)))
            {
                for (var i = 0; i < 40; i++)
                {
                    var time = TimeSpan.TicksPerDay + ((n / 8 % 1000) + (i * (n % 7))) * (TimeSpan.TicksPerDay / 100);
                    if (time < horizon) continue;
                    var id = $"{index:d4}-{i}";
                    held.Add((time, id), timelines.Insert(1, new(time, "s"u8, Encoding.UTF8.GetBytes(id))));
                }

                var place = held.Keys.ElementAtOrDefault(n / 5 % int.Max(1, held.Count));
                if (place.Id is null) continue;
                timelines.Detach(1, held[place]);
                if (n % 3 == 0)
                {
                    timelines.Free(held[place]);
                    held.Remove(place);
                }
                else
                {
                    timelines.Attach(1, held[place]);
                }

                if (n % 5 != 0) continue;
                horizon = long.Max(horizon, place.Time);
                timelines.Forget(horizon, keepsLast: false, node => Assert.True(held.Remove(held.First(h => h.Value == node).Key)));
                Assert.DoesNotContain(held.Keys, h => h.Time < horizon);
            }

            var shown = new List<int>();
            timelines.ForEach(ordered: true, (_, node) => shown.Add(node));
            Assert.Equal(held.Values, shown);
            Assert.Equal(held.Count, timelines.Count);
            foreach (var (place, node) in held.Take(50)) Assert.Equal(node, timelines.Find(1, new(place.Time, "s"u8, Encoding.UTF8.GetBytes(place.Id))));
        }).Holds(60);

    // Goal: the short cuts through a long list never lead to events that left it. Method: look everywhere, so that short cuts are
    // made; take out every other event and let another key use its number; look everywhere again.
    [Fact]
    public void EventsTakenOutOfALongList_AreNoShortCutToOthers()
    {
        const int Events = 2_000;
        var timelines = new Timelines(new());
        var nodes = Enumerable.Range(0, Events).Select(i => timelines.Insert(1, new(i * 10, [], []))).ToArray();
        for (var i = 0; i < Events; i++) Assert.Equal(nodes[i], timelines.LastNotAfter(1, new((i * 10) + 5, [], [])));

        for (var i = 1; i < Events; i += 2)
        {
            timelines.Detach(1, nodes[i]);
            timelines.Free(nodes[i]);
        }

        for (var i = 0; i < Events / 2; i++) timelines.Insert(2, new(((i * 7_919) % Events) * 10, [], []));
        for (var i = 0; i < Events; i++) Assert.Equal(nodes[i - (i % 2)], timelines.LastNotAfter(1, new((i * 10) + 5, [], [])));
    }

    [Fact]
    public void AnEvent_IsFoundByItsExactPlaceOnly()
    {
        var timelines = new Timelines(new());
        var a = timelines.Insert(1, new(10, "s"u8, "a"u8));
        var b = timelines.Insert(1, new(10, "s"u8, "b"u8));
        timelines.Insert(1, new(20, "s"u8, "a"u8));

        Assert.Equal((a, b), (timelines.Find(1, new(10, "s"u8, "a"u8)), timelines.Find(1, new(10, "s"u8, "b"u8))));
        Assert.Equal(-1, timelines.Find(1, new(10, "s"u8, "c"u8)));
        Assert.Equal(-1, timelines.Find(1, new(10, "r"u8, "a"u8)));
        Assert.Equal(-1, timelines.Find(1, new(15, "s"u8, "a"u8)));
        Assert.Equal(-1, timelines.Find(1, new(5, "s"u8, "a"u8)));
        Assert.Equal(-1, timelines.Find(2, new(10, "s"u8, "a"u8)));
        Assert.Equal((-1, -1), (timelines.LastOf(2), timelines.FirstAfter(2, new(0, [], []))));
        Assert.True(timelines.Compare(a, b) < 0 && timelines.Compare(b, a) > 0 && timelines.Compare(a, a) == 0);
    }

    [Fact]
    public void Keys_AreShownInAscendingOrderWhenAsked()
    {
        var timelines = new Timelines(new());
        foreach (var key in new[] { 3, 1, 2 }) timelines.Insert((UInt128)key, new(10, "s"u8, "a"u8));
        var shown = new List<UInt128>();

        timelines.ForEach(ordered: true, (key, _) => shown.Add(key));

        Assert.Equal([1, 2, 3], shown);
    }

    [Fact]
    public void TheLastOfAKey_IsKeptWhenAsked_HoweverOld()
    {
        var timelines = new Timelines(new());
        timelines.Insert(1, new(TimeSpan.TicksPerDay, "s"u8, "a"u8));
        var last = timelines.Insert(1, new(2 * TimeSpan.TicksPerDay, "s"u8, "b"u8));

        timelines.Forget(100 * TimeSpan.TicksPerDay, keepsLast: true, static _ => { });

        Assert.Equal((1, last), (timelines.Count, timelines.LastOf(1)));
    }
}
