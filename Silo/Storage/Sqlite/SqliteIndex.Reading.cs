using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>What is read from the index, compared with its check sums.</summary>
internal sealed partial class SqliteIndex
{
    private const int CheckedAtOnce = 16;

    /// <summary>What a start needs. No block that is missing, doubled or damaged goes unnoticed.</summary>
    /// <exception cref="IndexDamagedException">It is damaged.</exception>
    public Task<IndexContents> Contents() => Reading<IndexContents>(() =>
    {
        var (until, entries) = Until();
        var last = LastSequences();
        if (last.Values.Sum() != entries) throw new IndexDamagedException($"it places {last.Values.Sum()} entries of {entries}");
        var behind = Blocks(
            """
            SELECT b.account, b.first_sequence, b.crc, b.positions FROM blocks b LEFT JOIN snapshots s ON s.account = b.account
            WHERE b.last_sequence > coalesce(s.sequence, 0) ORDER BY b.account, b.first_sequence
            """);
        foreach (var blocks in behind.GroupBy(b => b.Account))
        {
            var next = blocks.First().FirstSequence;
            foreach (var block in blocks)
            {
                if (block.FirstSequence != next) throw new IndexDamagedException($"entry {next} of account {block.Account} is missing");
                next = block.LastSequence + 1;
            }

            if (last.GetValueOrDefault(blocks.Key) != next - 1) throw new IndexDamagedException($"entry {next} of account {blocks.Key} is missing");
        }

        return new(until, last, behind, SnapshotSequences());
    });

    /// <summary>Whether an account has a snapshot whose check sums hold.</summary>
    public async Task<bool> HasSnapshot(string account)
    {
        try
        {
            return await Find(account) is not null;
        }
        catch (IndexDamagedException)
        {
            return false;
        }
    }

    /// <summary>All indexed entries of an account, in order.</summary>
    /// <exception cref="IndexDamagedException">It is damaged there.</exception>
    public Task<List<PositionBlock>> BlocksOf(string account) => Reading(() => Blocks(
        "SELECT account, first_sequence, crc, positions FROM blocks WHERE account = $account ORDER BY first_sequence", ("$account", account)));

    /// <summary>The entries that lie in a commit, and the accounts of damaged blocks, which may have some there. Reads the whole index.</summary>
    /// <exception cref="IndexDamagedException">The file cannot be read.</exception>
    public Task<(List<(string Account, long Sequence, Position Position)> Places, List<string> Damaged)> PlacesIn(long commit) => Reading(() =>
    {
        var places = new List<(string, long, Position)>();
        var damaged = new List<string>();
        using var command = Command("SELECT account, first_sequence, crc, positions FROM blocks");
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            if (BlockAt(reader) is not { } block)
            {
                damaged.Add(reader.GetString(0));
                continue;
            }

            for (var i = 0; i < block.Positions.Length; i++)
                if (block.Positions[i].Commit == commit) places.Add((block.Account, block.FirstSequence + i, block.Positions[i]));
        }

        return (places, damaged);
    });

    /// <summary>Compares all rows with their check sums, some at a time.</summary>
    /// <param name="found">Takes a sentence for each damage.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>Whether the places of all entries are well, and the file can be read. What else is damaged is made anew by itself.</returns>
    public async Task<bool> Check(CheckFindings found, CancellationToken cancellation)
    {
        const string OfItself = "it is made anew from the entries.", AtTheStart = "the entries are found without it, and the next start makes the index anew.";
        try
        {
            await CheckRows("snapshots", "sequence", "0", "state", OfItself, found, cancellation);
            await CheckRows("segments", "forget_day", "0", "ids", OfItself, found, cancellation);
            return await CheckRows("blocks", "first_sequence", "last_sequence", "positions", AtTheStart, found, cancellation);
        }
        catch (IndexDamagedException damaged)
        {
            found.Add($"The index {File} is damaged: {damaged.Message.TrimEnd('.')}. Nothing is lost: {AtTheStart}");
            return false;
        }
    }

    private async Task<bool> CheckRows(string table, string first, string second, string bytes, string mended, CheckFindings found, CancellationToken cancellation)
    {
        var well = true;
        for (var (after, rows) = (long.MinValue, CheckedAtOnce); rows == CheckedAtOnce && !cancellation.IsCancellationRequested; found.Count(rows))
        {
            var from = after;
            (after, rows) = await Reading(() =>
            {
                using var command = Command(
                    $"SELECT rowid, account, {first}, {second}, crc, {bytes} FROM {table} WHERE rowid > $after ORDER BY rowid LIMIT $limit", ("$after", from), ("$limit", CheckedAtOnce));
                using var reader = command.ExecuteReader();
                var (last, count) = (from, 0);
                for (; reader.Read(); count++)
                {
                    last = reader.GetInt64(0);
                    var (account, number) = (reader.GetString(1), reader.GetInt64(2));
                    if (RowCrc.Of(account, number, reader.GetInt64(3), reader.GetFieldValue<byte[]>(5)) == reader.GetInt64(4)) continue;
                    well = false;
                    found.Add($"A check sum does not hold at {File}, {table}, account {account}, {first} {number}. Nothing is lost: {mended}");
                }

                return (last, count);
            });
        }

        return well;
    }

    private ((string Store, long Commit)? Until, long Entries) Until()
    {
        using var command = Command("SELECT store, last_commit, entries, crc FROM indexed");
        using var reader = command.ExecuteReader();
        if (!reader.Read()) return (null, 0);
        var (store, commit, entries) = (reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2));
        if (RowCrc.Of(store, commit, entries, []) != reader.GetInt64(3) || reader.Read()) throw new IndexDamagedException("how far it goes does not hold its check sum");
        return ((store, commit), entries);
    }

    // Read from the key alone, without the positions: it costs a start little.
    private Dictionary<string, long> LastSequences()
    {
        using var command = Command("SELECT account, first_sequence, last_sequence, place_crc FROM blocks INDEXED BY blocks_by_account ORDER BY account, first_sequence");
        using var reader = command.ExecuteReader();
        var last = new Dictionary<string, long>(StringComparer.Ordinal);
        while (reader.Read())
        {
            var (account, first, until) = (reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2));
            if (RowCrc.Of(account, first, until, []) != reader.GetInt64(3)) throw new IndexDamagedException($"the number of an entry of account {account} does not hold its check sum");
            if (first != last.GetValueOrDefault(account) + 1) throw new IndexDamagedException($"account {account} has entry {first} behind {last.GetValueOrDefault(account)}");
            last[account] = until;
        }

        return last;
    }

    private Dictionary<string, long> SnapshotSequences()
    {
        using var command = Command("SELECT account, sequence FROM snapshots");
        using var reader = command.ExecuteReader();
        var sequences = new Dictionary<string, long>(StringComparer.Ordinal);
        while (reader.Read()) sequences.Add(reader.GetString(0), reader.GetInt64(1));
        return sequences;
    }

    private List<PositionBlock> Blocks(string sql, params (string Name, object? Value)[] parameters)
    {
        using var command = Command(sql, parameters);
        using var reader = command.ExecuteReader();
        var blocks = new List<PositionBlock>();
        while (reader.Read())
            blocks.Add(BlockAt(reader) ?? throw new IndexDamagedException($"where entries of account {reader.GetString(0)} lie does not hold its check sum"));
        return blocks;
    }

    private static PositionBlock? BlockAt(SqliteDataReader reader)
    {
        var (account, first, bytes) = (reader.GetString(0), reader.GetInt64(1), reader.GetFieldValue<byte[]>(3));
        return RowCrc.Of(account, first, first + (bytes.Length / Position.Bytes) - 1, bytes) == reader.GetInt64(2)
            ? new(account, first, MemoryMarshal.Cast<byte, Position>(bytes).ToArray())
            : null;
    }

    // Damage of the file shows as an error of SQLite, or as a column of another kind.
    private Task<T> Reading<T>(Func<T> read) => Run(() =>
    {
        try
        {
            return read();
        }
        catch (Exception damaged) when (damaged is SqliteException or InvalidOperationException or InvalidCastException or ArgumentException or OverflowException)
        {
            throw new IndexDamagedException(damaged.Message);
        }
    });
}
