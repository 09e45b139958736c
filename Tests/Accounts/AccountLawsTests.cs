using System.Globalization;
using Billing.Usage;
using FsCheck.Fluent;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Accounts;

/// <summary>Laws of an account: what holds whatever comes, in whatever order.</summary>
public sealed class AccountLawsTests
{
    // A day into the grace of the first period; everything from 3 days before the anchor on is inside the window.
    private static readonly DateTimeOffset Receipt = FirstEnd.AddDays(1);

    // Goal: usage and invoices are a function of the set of events. Method: shuffle, repeat, cut into batches, wake in between.
    [Fact]
    public void AnyOrderRepetitionAndBatching_GivesTheSameUsageAndInvoices() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), Generated.Number(10_000), (numbers, seed) =>
        {
            var events = Events(numbers);
            var once = Opened().At(Receipt);
            foreach (var sent in events) Assert.Equal(UsageOutcome.Accepted, once.SendOne(sent).Outcome);

            var often = Opened().At(Receipt);
            var deliveries = Generated.Shuffled(events.Concat(events.Where((_, i) => (i + seed) % 3 == 0)), seed);
            var outcomes = Batches(deliveries, seed).SelectMany(batch => often.Send(batch)).Select(r => r.Outcome).ToList();

            Assert.Equal(events.Length, outcomes.Count(o => o == UsageOutcome.Accepted));
            Assert.Equal(deliveries.Length - events.Length, outcomes.Count(o => o == UsageOutcome.Duplicate));
            foreach (var account in new[] { once, often })
            {
                Assert.Equal(NaiveTickets(events, Anchor, FirstEnd), account.Usage(Tickets, Anchor) ?? "0");
                Assert.Equal(NaiveTickets(events, FirstEnd, DateTimeOffset.MaxValue), account.Usage(Tickets, FirstEnd) ?? "0");
                Assert.Equal(NaiveBytes(events, Anchor, FirstEnd), account.Usage(Bytes, Anchor) ?? "0");
                Assert.Equal(NaiveBytes(events, FirstEnd, DateTimeOffset.MaxValue), account.Usage(Bytes, FirstEnd) ?? "0");
            }

            Assert.Equal(once.At(FirstEnd.AddDays(70)).InvoicesJson, often.At(FirstEnd.AddDays(70)).InvoicesJson);
        }).Holds(200);

    // Goal: the sum billed for a period does not depend on when its events came. Method: each event before or after finalising.
    [Fact]
    public void WhenEventsCome_DoesNotChangeWhatIsBilledInSum() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), Generated.Number(10_000), (numbers, seed) =>
        {
            var events = Events(numbers).Where(e => e.Time < FirstEnd && e.Time > FirstEnd.AddDays(-25)).ToArray();
            var (early, late) = (Opened().At(Receipt), Opened().At(Receipt));
            early.Send(events);
            foreach (var (sent, index) in Generated.Shuffled(events, seed).Select((sent, index) => (sent, index)))
            {
                late.At(Receipt.AddDays(8.0 * index / events.Length));
                Assert.Equal(UsageOutcome.Accepted, late.SendOne(sent).Outcome);
            }

            Assert.Equal(Billed(early.At(FirstEnd.AddDays(70))), Billed(late.At(FirstEnd.AddDays(70))));
        }).Holds(200);

    // Goal: the journal is the account. Method: read it again, whole and from a snapshot at any entry; go on with that state.
    [Fact]
    public void TheStateReadFromTheJournal_IsTheLiveState() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), Generated.Number(10_000), (numbers, seed) =>
        {
            var account = seed % 2 == 0 ? Opened() : Opened("desk-trial");
            var clock = Anchor;
            foreach (var batch in Batches(Events(numbers), seed))
            {
                clock = clock.AddHours(7 * (1 + (batch[0].Id.Length % 5)) * 3);
                var moved = batch.Select((e, i) => e with { Time = clock.AddHours(-11 * i), Id = i == 1 ? "same" : e.Id }).ToArray();
                account.At(clock).Send(moved);
                account.Send([.. moved, Event.Message("ahead", clock.AddDays(1))]);
                if (seed % 3 == 0) Act(account, batch.Length);
            }

            var snapshotAfter = seed % (account.Entries.Count + 1);
            var live = account.Snapshot();
            Assert.Equal(live, AccountRun.Canonical(account.ReadAgain(), account.Now));
            Assert.Equal(live, AccountRun.Canonical(account.ReadAgain(snapshotAfter), account.Now));

            var before = account.State;
            account.Reactivate(snapshotAfter);
            Assert.Equal((before.Sequence, before.NextRuleAt), (account.State.Sequence, account.State.NextRuleAt));
        }).Holds(200);

    [Fact]
    public void AnAccountReadAgain_AnswersAsBefore() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), Generated.Number(10_000), (numbers, seed) =>
        {
            var events = Events(numbers);
            var (live, again) = (Opened().At(Receipt), Opened().At(Receipt));
            var half = events.Length / 2;
            live.Send(events[..half]);
            again.Send(events[..half]);
            again.Reactivate(seed % (again.Entries.Count + 1));

            var expected = live.Send(events);
            var actual = again.Send(events);

            Assert.Equal(expected.Select(r => (r.Outcome, r.Reason, r.BilledOn)), actual.Select(r => (r.Outcome, r.Reason, r.BilledOn)));
            Assert.Equal(expected.SelectMany(r => r.Meters), actual.SelectMany(r => r.Meters));
            Assert.Equal(live.Snapshot(), again.Snapshot());
        }).Holds();

    private static void Act(AccountRun account, int choice)
    {
        if (choice == 1) account.Cancel();
        else if (choice == 2) account.UndoCancellation();
        else if (choice == 3) account.Add("free", "free-1");
    }

    // Three tickets, 40 instants around two boundaries (the anchor and the first period's end), three channels, two sources.
    private static Event[] Events(int[] numbers) =>
    [
        .. numbers.Select((n, index) =>
        {
            var slot = n / 3 % 40;
            var time = slot < 6 ? Anchor.AddHours(12 * (slot - 3)) : slot < 20 ? Anchor.AddDays(slot) : FirstEnd.AddHours(6 * (slot - 36));
            return Event.Message(
                string.Create(CultureInfo.InvariantCulture, $"{n / 120 % 10}-{index}"),
                time > Receipt ? Receipt : time,
                (n % 3).ToString(CultureInfo.InvariantCulture),
                n / 1200 % 2_000_000,
                (n / 1200 % 3) switch { 0 => "chat", 1 => "email", _ => "fax" }) with { Source = n % 2 == 0 ? "mail" : "Mail" };
        }),
    ];

    private static IEnumerable<Event[]> Batches(Event[] events, int seed)
    {
        var random = new Random(seed);
        for (var at = 0; at < events.Length;)
        {
            var next = int.Min(events.Length, at + random.Next(1, 7));
            yield return events[at..next];
            at = next;
        }
    }

    private static string NaiveTickets(Event[] events, DateTimeOffset from, DateTimeOffset to)
    {
        var count = 0;
        foreach (var ticket in events.Where(e => e.Time >= Anchor).GroupBy(e => Part(e, "ticket")))
        {
            var sorted = ticket.OrderBy(e => e.Time).ThenBy(e => e.Source, StringComparer.Ordinal).ThenBy(e => e.Id, StringComparer.Ordinal).ToList();
            for (var i = 0; i < sorted.Count; i++)
            {
                var starts = i == 0 || sorted[i].Time - sorted[i - 1].Time > TimeSpan.FromDays(Part(sorted[i - 1], "channel") == "chat" ? 3 : 10);
                if (starts && sorted[i].Time >= from && sorted[i].Time < to) count++;
            }
        }

        return count.ToString(CultureInfo.InvariantCulture);
    }

    private static string NaiveBytes(Event[] events, DateTimeOffset from, DateTimeOffset to) =>
        events.Where(e => e.Time >= Anchor && e.Time >= from && e.Time < to).Sum(e => long.Parse(Part(e, "bytes"), CultureInfo.InvariantCulture))
            .ToString(CultureInfo.InvariantCulture);

    private static string Part(Event sent, string name)
    {
        using var json = System.Text.Json.JsonDocument.Parse(sent.Data);
        return json.RootElement.GetProperty(name).ToString();
    }

    private static List<(string?, DateTimeOffset, long)> Billed(AccountRun account) =>
    [
        .. account.Invoices.SelectMany(i => i.Lines)
            .GroupBy(l => (l.Meter, l.Period.Start))
            .Select(g => (g.Key.Meter, g.Key.Start, g.Sum(l => l.Amount)))
            .OrderBy(g => g.Start).ThenBy(g => g.Meter, StringComparer.Ordinal),
    ];
}
