using Npgsql;

namespace Billing.Silo.Storage.Postgres;

/// <summary>What one commit writes: a head for each account, in the order of the accounts, and their entries.</summary>
internal sealed class CommitRows
{
    private readonly Dictionary<string, Chain> _chains = new(StringComparer.Ordinal);
    private int _entries;
    private int _bodies;
    private int _summaries;

    /// <summary>The accounts, each with the entries that follow each other.</summary>
    public IReadOnlyCollection<Chain> Chains => _chains.Values;

    /// <summary>Bytes of facts and bodies.</summary>
    public long Bytes { get; private set; }

    public bool IsEmpty => _entries == 0;

    /// <summary>Whether there are bodies or summaries beside the entries.</summary>
    public bool HasMore => _bodies > 0 || _summaries > 0;

    /// <summary>Takes an entry in. False: it does not follow the account's last one here, so only the head can tell, after this commit.</summary>
    public bool TryAdd(WaitingEntry entry)
    {
        if (!_chains.TryGetValue(entry.Account, out var chain)) _chains.Add(entry.Account, chain = new(entry.Account));
        if (!chain.TryAdd(entry)) return false;
        _entries++;
        if (entry.Bodies is not null) _bodies++;
        if (entry.Summary is not null) _summaries++;
        Bytes += entry.Length;
        return true;
    }

    /// <summary>Sets the parameters of the writer's statement.</summary>
    public void Fill(NpgsqlParameterCollection parameters)
    {
        var chains = _chains.Values.ToArray();
        Array.Sort(chains, static (x, y) => string.CompareOrdinal(x.Account, y.Account));
        Set(parameters, 0, Array.ConvertAll(chains, static c => c.Account));
        Set(parameters, 1, Array.ConvertAll(chains, static c => c.Entries[0].Sequence));
        Set(parameters, 2, Array.ConvertAll(chains, static c => c.Entries[^1].Sequence));
        Set(parameters, 3, Array.ConvertAll(chains, static c => c.Entries[^1].DueTicks));
        var entries = new WaitingEntry[_entries];
        var next = 0;
        foreach (var chain in chains)
        {
            chain.Entries.CopyTo(entries, next);
            next += chain.Entries.Count;
        }

        Set(parameters, 4, Array.ConvertAll(entries, static e => e.Account));
        Set(parameters, 5, Array.ConvertAll(entries, static e => e.Sequence));
        Set(parameters, 6, Array.ConvertAll(entries, static e => e.AtTicks));
        Set(parameters, 7, Array.ConvertAll(entries, static e => e.Crc));
        Set(parameters, 8, Array.ConvertAll(entries, static e => e.Facts));
        Set(parameters, 10, Array.ConvertAll(chains, static c => DueRow.Crc(c.Account, c.Entries[^1].DueTicks ?? DueRow.Never)));
        Set(parameters, 11, Array.ConvertAll(entries, static e => e.IsInFeed));
        if (!HasMore) return;

        var bodies = Array.FindAll(entries, static e => e.Bodies is not null);
        Set(parameters, 12, Array.ConvertAll(bodies, static e => e.Account));
        Set(parameters, 13, Array.ConvertAll(bodies, static e => e.Sequence));
        Set(parameters, 14, Array.ConvertAll(bodies, static e => e.AtTicks));
        Set(parameters, 15, Array.ConvertAll(bodies, static e => e.BodiesLength));
        Set(parameters, 16, Array.ConvertAll(bodies, static e => RowCrc.Of(e.Account, e.Sequence, e.AtTicks, e.Bodies)));
        Set(parameters, 17, Array.ConvertAll(bodies, static e => e.Bodies!));

        // Of several in one commit the last one stays.
        var summaries = Array.ConvertAll(Array.FindAll(chains, static c => c.Summary is not null), static c => SummaryRow.Of(c.Summary!));
        Set(parameters, 18, Array.ConvertAll(summaries, static s => s.Account));
        Set(parameters, 19, Array.ConvertAll(summaries, static s => s.Status));
        Set(parameters, 20, Array.ConvertAll(summaries, static s => s.Search));
        Set(parameters, 21, Array.ConvertAll(summaries, static s => s.Plans));
        Set(parameters, 22, Array.ConvertAll(summaries, static s => s.Json));
        Set(parameters, 23, Array.ConvertAll(summaries, static s => s.Crc));
    }

    /// <summary>Text as the database can hold it: one bad character must not keep the entries of other accounts out.</summary>
    public static string Storable(string text) => System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text)).Replace('\0', '\uFFFD');

    private static void Set<T>(NpgsqlParameterCollection parameters, int index, T value) => ((NpgsqlParameter<T>)parameters[index]).TypedValue = value;

    /// <summary>Entries of one account that follow each other.</summary>
    public sealed class Chain(string account)
    {
        private bool _closed;

        public string Account { get; } = account;

        public List<WaitingEntry> Entries { get; } = [];

        public Accounts.AccountSummary? Summary => Entries.FindLast(static e => e.Summary is not null)?.Summary;

        public bool TryAdd(WaitingEntry entry)
        {
            if (_closed) return false;
            if (Entries.Count > 0 && entry.Sequence - 1 != Entries[^1].Sequence)
            {
                _closed = true;
                return false;
            }

            Entries.Add(entry);
            return true;
        }
    }
}
