namespace Billing.Silo.Storage.Sqlite;

/// <summary>
/// A copy of the write-ahead log as a start finds it. SQLite folds in what it can read of a log and deletes it, before anybody can
/// tell that acknowledged commits were in the rest: the copy stays until the store is open, and for good when it is refused.
/// </summary>
internal sealed class KeptLog
{
    private readonly string _journal;
    private bool _isOfThisStart;

    private KeptLog(string journal) => _journal = journal;

    /// <summary>Where the copy is; null without a log.</summary>
    public string? Path { get; private set; }

    /// <summary>What a refusal can say of what is there, as its last sentence.</summary>
    public string Untouched => Path is null
        ? "Nothing was changed."
        : $"The write-ahead log is kept as it was found, as {Path}: if it is to be mended, put the mended log back as journal.db-wal before the next start; else restore the folder from a backup.";

    /// <summary>Copies the log of a journal if there is one. A copy that an earlier start has kept is never overwritten.</summary>
    /// <param name="journal">The journal's file.</param>
    /// <exception cref="IOException">There is no room for it, or it cannot be read.</exception>
    public static KeptLog Of(string journal)
    {
        var kept = new KeptLog(journal);
        var log = journal + "-wal";
        if (new FileInfo(log) is not { Exists: true, Length: > 0 }) return kept;
        var free = log + ".kept";
        for (var number = 2; File.Exists(free); number++)
        {
            if (AreSame(log, free))
            {
                kept.Path = free;
                return kept;
            }

            free = $"{log}.kept-{number}";
        }

        var partly = log + ".part";
        using (var from = File.OpenRead(log))
        using (var to = new FileStream(partly, FileMode.Create, FileAccess.Write))
        {
            from.CopyTo(to);
            to.Flush(flushToDisk: true);
        }

        File.Move(partly, free);
        (kept.Path, kept._isOfThisStart) = (free, true);
        return kept;
    }

    /// <summary>Deletes the copy: the store holds all that was in the log. Says which copies of earlier starts are there.</summary>
    public IEnumerable<string> LetGo()
    {
        if (Path is not null) File.Delete(Path);
        return Directory.EnumerateFiles(System.IO.Path.GetDirectoryName(_journal)!, "journal.db-wal.kept*").Order(StringComparer.Ordinal)
            .Select(left => $"{left} is the write-ahead log as a start that was refused had found it. When no commit is missed it may be deleted.").ToList();
    }

    /// <summary>Deletes the copy if this start made it: another process has the store, and the log goes on.</summary>
    public void NotNeeded()
    {
        if (_isOfThisStart) File.Delete(Path!);
    }

    private static bool AreSame(string one, string other)
    {
        using var left = File.OpenRead(one);
        using var right = File.OpenRead(other);
        if (left.Length != right.Length) return false;
        var (a, b) = (new byte[1 << 16], new byte[1 << 16]);
        for (int read; (read = left.ReadAtLeast(a, a.Length, throwOnEndOfStream: false)) > 0;)
        {
            right.ReadExactly(b, 0, read);
            if (!a.AsSpan(0, read).SequenceEqual(b.AsSpan(0, read))) return false;
        }

        return true;
    }
}
