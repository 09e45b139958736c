using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using Billing.Accounts;
using Billing.Deduplication;
using Billing.Journal;
using Billing.Plans;
using Billing.Usage;
using Orleans;

namespace Billing.History;

/// <summary>Reads the journal for the rules of this room: the order of steps and nothing else.</summary>
internal sealed class AccountHistoryGrain(IJournal journal, IBillingClock clock, ICatalogs catalogs) : Grain, IAccountHistoryGrain
{
    private static readonly ConditionalWeakTable<ICatalogs, Tuple<BackTestQuestion, BackTestCatalogs>> Newest = [];

    /// <inheritdoc/>
    public async Task<LineEventPage> ListLineEvents(int number, int line, int skip, int take)
    {
        var id = this.GetPrimaryKeyString();
        var (history, held) = await ReadAll(id);
        if (held is not null) return new(held, [], null);
        if (history.Entries.Count == 0) return new(NoAccount(id), [], null);
        var (refusal, events) = LineEvents.Of(NewState(id), history.Entries, number, line);
        return refusal is not null
            ? new(refusal, [], null)
            : new(null, [.. events.Skip(skip).Take(take)], events.Count - take > skip ? skip + take : null);
    }

    /// <inheritdoc/>
    public async Task<EventAnswer> GetEvent(string source, string eventId)
    {
        var id = this.GetPrimaryKeyString();
        var (history, held) = await ReadAll(id);
        if (held is not null) return new(held, null);
        if (history.Entries.Count == 0) return new(NoAccount(id), null);
        var trace = new EventTrace(NewState(id), EventKey.Hash(journal.HashKey, Encoding.UTF8.GetBytes(source), Encoding.UTF8.GetBytes(eventId)));
        foreach (var entry in history.Entries) trace.Take(entry.Span);
        string? body = null;
        try
        {
            if (trace.Body is var (sequence, index)) body = BodyOf(await journal.ReadBodies(id, sequence, CancellationToken.None), index);
        }
        catch (JournalDamagedException damaged)
        {
            return new(new(RefusalKind.Damaged, damaged.Message), null);
        }

        return trace.View(clock.Now, body) is { } view
            ? new(null, view)
            : new(new(RefusalKind.NotFound, $"The account {id} has seen no event with the source {source} and the id {eventId}.", "event_id"), null);
    }

    /// <inheritdoc/>
    public async Task<AccountBackTest> BackTest(BackTestQuestion question)
    {
        var id = this.GetPrimaryKeyString();
        var (history, held) = await ReadAll(id);
        if (held is not null) return History.BackTest.Failed(id, held.Detail);
        try
        {
            var rules = RulesOf(question);
            var test = new BackTest(new(id, journal.HashKey, rules), rules, question.From, question.To);
            foreach (var entry in history.Entries) test.Take(entry.Span);
            return test.Result(clock.Now);
        }
        catch (Exception failed) when (failed is InvalidDataException or UnknownCatalogException)
        {
            return History.BackTest.Failed(id, failed.Message);
        }
    }

    // All accounts of one question share what is made of it.
    private BackTestCatalogs RulesOf(BackTestQuestion question)
    {
        if (Newest.TryGetValue(catalogs, out var newest) && newest.Item1 == (question with { From = null, To = null })) return newest.Item2;
        var rules = BackTestCatalogs.Of(question, catalogs);
        Newest.AddOrUpdate(catalogs, new(question with { From = null, To = null }, rules));
        return rules;
    }

    private async Task<(JournalTail History, Refusal? Held)> ReadAll(string id)
    {
        try
        {
            return (await journal.ReadAll(id, CancellationToken.None), null);
        }
        catch (JournalDamagedException damaged)
        {
            return (JournalTail.Of([]), new(RefusalKind.Held, $"The account {id} is held: {damaged.Message} Until then nothing of it is counted, billed or shown, so that nothing is counted wrongly."));
        }
    }

    private static Refusal NoAccount(string id) => new(RefusalKind.NotFound, $"There is no account {id}.", "id");

    private static string? BodyOf(ReadOnlyMemory<byte> bodies, int index)
    {
        var rest = bodies.Span;
        for (; !rest.IsEmpty; index--)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
            if (index == 0) return Encoding.UTF8.GetString(rest.Slice(4, length));
            rest = rest[(4 + length)..];
        }

        return null;
    }

    private AccountState NewState(string id) => new(id, journal.HashKey, catalogs, forgets: false);
}
