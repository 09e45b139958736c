using System.Runtime.ExceptionServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>One SQLite connection and the one thread that uses it. Work runs in the order in which it was handed in.</summary>
internal abstract class SqliteConnectionThread : IAsyncDisposable
{
    private readonly object _gate = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private List<Action> _pending = [];
    private bool _stopping;

    protected SqliteConnectionThread(string file, string pragmas)
    {
        File = file;
        Connection = new(new SqliteConnectionStringBuilder
        {
            DataSource = file,
            Pooling = false,
            DefaultTimeout = 1,
        }.ToString());
        try
        {
            Connection.Open();
            FoldInOnClose(false);
            Execute(pragmas);

            // Takes the lock, and reads the head of the file, here and not with the first work.
            Execute("BEGIN EXCLUSIVE; COMMIT;");
        }
        catch (SqliteException inUse) when (inUse.SqliteErrorCode is raw.SQLITE_BUSY or raw.SQLITE_LOCKED)
        {
            Connection.Dispose();
            throw new StoreInUseException($"The store {file} is in use by another process. Stop that process, or set BILLING_DATA to another folder. Nothing was changed.", inUse);
        }
        catch (SqliteException refused) when (refused.SqliteErrorCode is raw.SQLITE_CANTOPEN or raw.SQLITE_PERM or raw.SQLITE_READONLY or raw.SQLITE_AUTH or raw.SQLITE_FULL)
        {
            Connection.Dispose();
            throw new IOException($"{file} cannot be opened: {refused.Message}", refused);
        }
        catch (SqliteException unreadable)
        {
            Connection.Dispose();
            throw new InvalidDataException($"The store {file} cannot be opened: {unreadable.Message} Put the file back from a backup. Nothing was changed.", unreadable);
        }

        _thread = new(Run) { IsBackground = true, Name = Path.GetFileName(file) };
    }

    protected string File { get; }

    /// <summary>To be used on the thread only.</summary>
    protected SqliteConnection Connection { get; }

    /// <summary>Begins to work; what was handed in before waits until then. From here on closing folds the write-ahead log into the file and deletes it.</summary>
    protected void Start()
    {
        FoldInOnClose(true);
        _thread.Start();
    }

    /// <summary>Runs work on the thread.</summary>
    protected Task<T> Run<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception failed)
            {
                done.SetException(failed);
            }
        });
        return done.Task;
    }

    protected Task Run(Action work) => Run(() =>
    {
        work();
        return true;
    });

    /// <summary>Wakes the thread; <see cref="BeforeWork"/> runs before whatever waits. False: it has stopped for good.</summary>
    protected bool TryWake()
    {
        lock (_gate)
        {
            if (_stopping) return false;
            _pending.Add(static () => { });
            Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <summary>Runs on the thread each time it wakes, before the work that was handed in.</summary>
    protected virtual void BeforeWork()
    {
    }

    /// <summary>Runs on the thread when nothing is left to do, before the connection is closed.</summary>
    protected virtual void Stopping()
    {
    }

    /// <summary>Does all of the work or nothing of it; to be called on the thread.</summary>
    protected T InTransaction<T>(Func<T> work)
    {
        Execute("BEGIN IMMEDIATE");
        try
        {
            var result = work();
            Execute("COMMIT");
            return result;
        }
        catch
        {
            if (raw.sqlite3_get_autocommit(Connection.Handle) == 0) Execute("ROLLBACK");
            throw;
        }
    }

    protected void Execute(string sql)
    {
        using var command = Connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    protected SqliteCommand Command(string sql, params (string Name, object? Value)[] parameters)
    {
        var command = Connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.Pulse(_gate);
        }

        if (_thread.ThreadState.HasFlag(ThreadState.Unstarted)) _stopped.TrySetResult();
        await _stopped.Task;
        Connection.Dispose();
        GC.SuppressFinalize(this);
    }

    // SQLite folds in what it can read of a log and deletes it; until that was looked at, the rest must stay.
    private void FoldInOnClose(bool foldIn) => raw.sqlite3_db_config(Connection.Handle, raw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, foldIn ? 0 : 1, out _);

    private void Post(Action work)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            _pending.Add(work);
            Monitor.Pulse(_gate);
        }
    }

    private void Run()
    {
        try
        {
            var taken = new List<Action>();
            while (true)
            {
                lock (_gate)
                {
                    while (_pending.Count == 0 && !_stopping) Monitor.Wait(_gate);
                    if (_pending.Count == 0) break;
                    (_pending, taken) = (taken, _pending);
                }

                BeforeWork();
                foreach (var work in taken) work();
                taken.Clear();
            }

            Stopping();
            _stopped.SetResult();
        }
        catch (Exception failed)
        {
            _stopped.SetException(failed);
            ExceptionDispatchInfo.Throw(failed);
        }
    }
}
