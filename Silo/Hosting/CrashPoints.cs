using System.Globalization;
using System.Runtime.InteropServices;

namespace Billing.Silo.Hosting;

/// <summary>
/// Named places at which the silo ends itself as a power cut of the machine's process would: SIGKILL, with no clean-up and no flush.
/// For tests and for drills in the sandbox; <c>CRASH_AT=name:n</c> arms one of them. Unset, a point costs one look at a field.
/// </summary>
internal static class CrashPoints
{
    /// <summary>Events are read and sorted by account; no account has them yet.</summary>
    public const string BeforeIngestAppend = "ingest.before_append";

    /// <summary>A group commit is gathered; nothing of it is written.</summary>
    public const string BeforeWrite = "append.before_write";

    /// <summary>All of a group commit is written to the file of the embedded store; it is not committed.</summary>
    public const string AfterWrite = "append.after_write";

    /// <summary>A group commit is on its way to the PostgreSQL server, which commits it or not; its answer is not read. What the server has written and not committed only its own end undoes.</summary>
    public const string Sent = "append.sent";

    /// <summary>A group commit is durable; those who wait for it are not told.</summary>
    public const string AfterSync = "append.after_sync";

    /// <summary>Every account has answered; the sender has not been.</summary>
    public const string BeforeAnswer = "ingest.before_answer";

    /// <summary>The answer to the sender is handed to the network.</summary>
    public const string AfterAnswer = "ingest.after_answer";

    /// <summary>A snapshot is made; nothing of it is written.</summary>
    public const string BeforeSnapshot = "snapshot.before_save";

    /// <summary>The transaction of a snapshot has written a segment of sealed ids; it is not committed.</summary>
    public const string SegmentSeal = "segment.seal";

    /// <summary>A snapshot is stored; the store still holds the places of the entries in it.</summary>
    public const string AfterSnapshot = "snapshot.after_save";

    /// <summary>Where new entries lie is gathered; nothing of it is written to the index.</summary>
    public const string BeforeIndex = "index.before_write";

    /// <summary>Where new entries lie is in the index; the store does not know it yet.</summary>
    public const string AfterIndex = "index.after_write";

    /// <summary>One step of dropping what was kept long enough is done; others are to come.</summary>
    public const string BetweenExpiry = "expiry.between";

    /// <summary>A migration of the store has done a part of its work; it is not committed.</summary>
    public const string InMigration = "migration.middle";

    /// <summary>An account is due; it has not been woken.</summary>
    public const string BeforeDueTurn = "due.before_turn";

    /// <summary>An account has handed out a call to Stripe, durable as sent; nothing of it is sent.</summary>
    public const string BeforeStripeCall = "stripe.before_call";

    /// <summary>Stripe has answered; the account does not know it.</summary>
    public const string AfterStripeCall = "stripe.after_call";

    /// <summary>The billing clock is about to be moved; the store does not know it.</summary>
    public const string BeforeClockMove = "clock.before_move";

    /// <summary>The billing clock has moved in the store; nobody can see it yet.</summary>
    public const string AfterClockMove = "clock.after_move";

    private const int SigKill = 9;

    // The thread that reached the point stops there; the others go on so long, so that an answer that should have waited gets out.
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(100);

    private static Armed? _armed;

    /// <summary>All points.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        BeforeWrite, AfterWrite, Sent, AfterSync, BeforeClockMove, AfterClockMove, BeforeDueTurn, BetweenExpiry, BeforeIndex, AfterIndex,
        BeforeIngestAppend, BeforeAnswer, AfterAnswer, InMigration, SegmentSeal, BeforeSnapshot, AfterSnapshot, BeforeStripeCall, AfterStripeCall,
    ];

    /// <summary>Arms a point for the rest of the process.</summary>
    /// <param name="setting"><c>name:n</c>, the point and how often it is reached until the process ends; null or empty arms nothing.</param>
    /// <exception cref="InvalidOperationException">The setting cannot be read; the message lists the names.</exception>
    public static void Arm(string? setting)
    {
        if (string.IsNullOrEmpty(setting)) return;
        if (setting.Split(':') is not [var name, var count] || !Names.Contains(name, StringComparer.Ordinal)
            || !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var times) || times < 1)
        {
            throw new InvalidOperationException(
                $"CRASH_AT is \"{setting}\"; it needs name:n, the n-th time from 1 on, where name is one of {string.Join(", ", Names.Order(StringComparer.Ordinal))}. Nothing was started.");
        }

        _armed = new(name, times);
    }

    /// <summary>Ends the process here if this is the point that was armed, and the time.</summary>
    public static void Reach(string point) => _armed?.Reach(point);

    private static void Die()
    {
        Thread.Sleep(Linger);
        _ = Kill(Environment.ProcessId, SigKill);

        // The signal is on its way; this thread does nothing more.
        Thread.Sleep(Timeout.Infinite);
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);

    private sealed class Armed(string point, int times)
    {
        private int _reached;

        public void Reach(string reached)
        {
            if (reached == point && Interlocked.Increment(ref _reached) == times) Die();
        }
    }
}
