using Billing.Tests.Accounts;
using FsCheck.Fluent;

namespace Billing.Tests.Model;

/// <summary>The state of an account whatever meters it has: the journal is the account, and the order of arrival leaves no trace in it.</summary>
public sealed class StateModelTests
{
    // Goal: the journal is the account. Method: read it again, whole and from a snapshot after any entry.
    [Fact]
    public void TheStateReadFromTheJournal_IsTheLiveState() =>
        Prop.ForAll(ModelCase.Spread, Generated.Number(10_000), (tried, seed) =>
        {
            var account = ModelRun.Delivered(tried).Account;
            var live = account.Snapshot();

            Assert.Equal(live, AccountRun.Canonical(account.ReadAgain(), account.Now));
            Assert.Equal(live, AccountRun.Canonical(account.ReadAgain(seed % (account.Entries.Count + 1)), account.Now));
        }).Holds(200);

    // Goal: an activation may end at any time. Method: go on from a snapshot in the middle; answers, usage and state must not differ.
    [Fact]
    public void AnAccountReadAgainInTheMiddle_GoesOnAsBefore() =>
        Prop.ForAll(ModelCase.Spread, Generated.Number(10_000), (tried, seed) =>
        {
            var batches = 0;
            var live = ModelRun.Delivered(tried);
            var again = ModelRun.Delivered(tried, run =>
            {
                if ((++batches + seed) % 3 == 0) run.Account.Reactivate(seed % (run.Account.Entries.Count + 1));
            });

            again.AgreesFromNowOn();
            Assert.Equal(Told(live), Told(again));
            Assert.Equal(live.Account.Snapshot(), again.Account.Snapshot());
            Assert.Equal(live.Account.State.NextDueAt, again.Account.State.NextDueAt);
        }).Holds(200);

    // Goal: what is remembered does not depend on the order of arrival, but for the answers themselves. Method: two orders in one instant;
    // where every event was answered alike in both, the states must be the same to the byte.
    [Fact]
    public void TwoOrdersThatAreAnsweredAlike_LeaveTheSameState()
    {
        var compared = 0;
        Prop.ForAll(ModelCase.InOneInstant, Generated.Number(10_000), (tried, seed) =>
        {
            var (first, second) = (ModelRun.Delivered(tried), ModelRun.Delivered(InAnotherOrder(tried, seed)));
            if (!first.Accepted.ToHashSet().SetEquals(second.Accepted) || !Told(first).Order(StringComparer.Ordinal).SequenceEqual(Told(second).Order(StringComparer.Ordinal))) return;

            compared++;
            Assert.Equal(first.Account.Snapshot(), second.Account.Snapshot());
        }).Holds(300);
        Assert.True(compared > 30, $"Only {compared} cases could be compared.");
    }

    // Goal: what came first decides nothing later on. Method: two orders in one instant, then the same events after it, each against the oracle.
    [Fact]
    public void TwoOrders_CountWhatComesLaterAlike() =>
        Prop.ForAll(ModelCase.InOneInstant, ModelCase.Spread, (early, late) =>
        {
            var accounts = new[] { early, InAnotherOrder(early, 1) }.Select(order => ModelRun.Delivered(order)).ToArray();
            foreach (var run in accounts)
            {
                foreach (var batch in late.Deliveries.Where(d => d.Clock >= run.Account.Now).GroupBy(d => d.Clock))
                    run.Deliver(batch.Key, [.. batch.Select(d => d.Event with { Id = d.Event.Id + "-late" })]);
                run.AgreesFromNowOn();
            }
        }).Holds(150);

    private static ModelCase InAnotherOrder(ModelCase tried, int seed) =>
        tried with { Deliveries = [.. Generated.Shuffled(tried.Deliveries, seed)] };

    private static IEnumerable<string> Told(ModelRun run) =>
        run.Receipts.Select(r => $"{r.Event} {r.Receipt.Outcome} {r.Receipt.Reason} {string.Join(", ", r.Receipt.Meters)} {r.Receipt.BilledOn}");
}
