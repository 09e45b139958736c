using System.Diagnostics;
using Billing.Benchmarks.Measuring;
using Billing.Benchmarks.Workloads;
using Billing.Deduplication;
using Billing.Silo.Ingest;

namespace Billing.Benchmarks.Window;

/// <summary>Measures <see cref="RewritingAccount"/> on the bytes of the case count, reading them included.</summary>
internal static class RewritingPeer
{
    public const int Ids = 100_000;

    /// <summary>The figure: ours must be at least so many times as fast.</summary>
    public const double RatioAtLeast = 1_000;

    private const int FillLines = 4_096;
    private const double MeasuredSeconds = 3;

    /// <param name="scratch">A directory on the measured disk.</param>
    /// <param name="turnEvents">Events in a turn.</param>
    /// <param name="seed">Equal seeds give equal events.</param>
    public static PeerResult Measure(string scratch, int turnEvents, ulong seed)
    {
        PeakMemory.Reset();
        var events = new WindowEvents(WindowCase.Named("count"), Ids, "acct-00000", seed);
        var reader = new SortedEvents(new SipKey(1, 2));
        var buffer = new byte[FillLines * WindowEvents.LineBytesMax];
        using var peer = new RewritingAccount(Path.Combine(scratch, $"rewriting-{turnEvents}.db"));
        while (events.Distinct < Ids) Add(events.Next(buffer, FillLines, Ids));
        peer.Write();

        var (turns, newEvents, seconds) = (0, 0, 0.0);
        while (seconds < MeasuredSeconds)
        {
            var poll = events.Next(buffer, turnEvents);
            var start = Stopwatch.GetTimestamp();
            Add(poll);
            if (poll.Accepted > 0) peer.Write();
            seconds += Stopwatch.GetElapsedTime(start).TotalSeconds;
            newEvents += poll.Accepted;
            turns++;
        }

        var wrong = peer.Ids == events.Distinct && peer.Counted == events.Distinct
            ? null
            : $"it holds {peer.Ids:N0} ids and counted {peer.Counted:N0}; right are {events.Distinct:N0}";
        return new(turnEvents, Ids, turns, newEvents / seconds, PeakMemory.Read(), wrong);

        void Add(Poll poll)
        {
            reader.Clear();
            reader.Sort(EventFormat.Lines, poll.Ndjson.Span, wantNames: false);
            peer.Add(reader.BatchOf(reader.Accounts.Single(), keepBodies: false, wantReceipts: false, receivedAt: default));
        }
    }
}

/// <summary>The peer's figures.</summary>
/// <param name="TurnEvents">Events in a turn, and so by each write of the state.</param>
/// <param name="Ids">The ids it held when the measurement began.</param>
/// <param name="Turns">Turns measured.</param>
/// <param name="EventsPerSecond">New events a second.</param>
/// <param name="PeakMemoryBytes">The largest resident set meanwhile.</param>
/// <param name="Wrong">What was counted wrong; null when nothing was.</param>
internal sealed record PeerResult(int TurnEvents, int Ids, int Turns, double EventsPerSecond, long PeakMemoryBytes, string? Wrong);
