namespace Billing.Silo.Storage.Sqlite;

/// <summary>
/// When accounts have something to do next: in memory, and a row for each account, also where nothing is due ever. So a row that is gone is
/// told from one that is not needed: its account is asked.
/// </summary>
internal sealed partial class SqliteStore
{
    private readonly SortedSet<(long Ticks, string Account)> _due = new(DueOrder.Instance);
    private readonly Lock _dueGate = new();

    ValueTask<DateTimeOffset?> IDueTimes.Next(DateTimeOffset? after)
    {
        lock (_dueGate)
        {
            var left = after is { } instant ? _due.GetViewBetween((instant.UtcTicks + 1, ""), (long.MaxValue, "")) : _due;
            return new(left.Min is { Account: not null } next ? new DateTimeOffset(next.Ticks, TimeSpan.Zero) : null);
        }
    }

    ValueTask<IReadOnlyList<string>> IDueTimes.DueAt(DateTimeOffset instant, int limit)
    {
        lock (_dueGate) return new([.. _due.TakeWhile(d => d.Ticks <= instant.UtcTicks).Take(limit).Select(d => d.Account)]);
    }

    Task<bool> IDueTimes.MendDue(string account, DateTimeOffset? next) => Write(() =>
    {
        if (!_accounts.TryGetValue(account, out var index) || index.DueTicks != DueRow.Unknown) return false;
        var ticks = next?.UtcTicks ?? DueRow.Never;
        WriteDue(account, ticks);
        index.WrittenDueTicks = ticks;
        SetDue(account, index, ticks);
        return true;
    });

    // Where a row is missing or damaged, its account is due at once.
    private void ReadDueTimes()
    {
        var strangers = new List<string>();
        using (var command = Command("SELECT account, at, crc32c FROM due"))
        {
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                var (account, ticks) = (reader.GetString(0), reader.GetInt64(1));
                if (_accounts.GetValueOrDefault(account) is not { LastSequence: > 0 } index) strangers.Add(account);
                else if (!reader.IsDBNull(2) && reader.GetInt64(2) == DueRow.Crc(account, ticks)) SetRead(account, index, ticks);
            }
        }

        foreach (var stranger in strangers) DeleteDue(stranger);
        var lost = _accounts.Where(a => a.Value is { LastSequence: > 0, DueTicks: null }).ToList();
        foreach (var (account, index) in lost) SetRead(account, index, DueRow.Unknown);
        if (lost.Count > 0 && !_withoutDueChecks)
            _notices.Add($"The due times of {lost.Count} accounts are missing or damaged in {File}, that of {lost[0].Key} among them. Nothing is lost: each is asked now, and its due time is made anew.");

        void SetRead(string account, AccountIndex index, long ticks)
        {
            index.WrittenDueTicks = ticks;
            SetDue(account, index, ticks);
        }
    }

    private void WriteDue(string account, long ticks)
    {
        using var upsert = Command(
            "INSERT INTO due (account, at, crc32c) VALUES ($account, $at, $crc) ON CONFLICT (account) DO UPDATE SET at = excluded.at, crc32c = excluded.crc32c",
            ("$account", account),
            ("$at", ticks),
            ("$crc", DueRow.Crc(account, ticks)));
        upsert.ExecuteNonQuery();
    }

    private void DeleteDue(string account)
    {
        using var delete = Command("DELETE FROM due WHERE account = $account", ("$account", account));
        delete.ExecuteNonQuery();
    }

    private void SetDue(string account, AccountIndex index, long ticks)
    {
        if (index.DueTicks == ticks) return;
        lock (_dueGate)
        {
            if (index.DueTicks is { } before) _due.Remove((before, account));
            if (ticks != DueRow.Never) _due.Add((ticks, account));
        }

        index.DueTicks = ticks;
    }

    private sealed class DueOrder : IComparer<(long Ticks, string Account)>
    {
        public static readonly DueOrder Instance = new();

        public int Compare((long Ticks, string Account) x, (long Ticks, string Account) y) =>
            x.Ticks != y.Ticks ? x.Ticks.CompareTo(y.Ticks) : string.CompareOrdinal(x.Account, y.Account);
    }
}
