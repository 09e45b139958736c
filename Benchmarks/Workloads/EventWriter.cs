using System.Globalization;
using System.Text.Unicode;

namespace Billing.Benchmarks.Workloads;

/// <summary>Writes one CloudEvent as a line of JSON, about 240 bytes: mostly ticket messages, some calls.</summary>
public sealed class EventWriter(SplitMix64 random, WorkloadOptions options)
{
    public const int LongestEvent = 320;

    private const double CallShare = 0.08;
    private const int MessagesPerTicket = 6;
    private const int OpenTickets = 8;
    private static readonly string[] Sources = ["desk/eu-1", "desk/eu-2", "desk/us-1", "desk/us-2"];
    private static readonly string[] Channels = ["email", "email", "email", "chat", "chat"];

    private readonly string[] _subjects = Enumerable.Range(0, options.Accounts).Select(Workload.AccountId).ToArray();
    private readonly int[] _messages = new int[options.Accounts];

    /// <summary>Writes the event and a line feed.</summary>
    /// <returns>The bytes written.</returns>
    public int Write(Span<byte> destination, int ordinal, int account, DateTimeOffset time)
    {
        var id = SplitMix64.Mix(unchecked(options.Seed + (ulong)ordinal));
        var source = Sources[account % Sources.Length];
        return random.Chance(CallShare)
            ? WriteCall(destination, id, source, account, time)
            : WriteMessage(destination, id, source, account, time);
    }

    private int WriteMessage(Span<byte> destination, ulong id, string source, int account, DateTimeOffset time)
    {
        var ticket = _messages[account]++ / MessagesPerTicket + random.Below(OpenTickets);
        var channel = Channels[ticket % Channels.Length];
        var outbound = random.Chance(0.55);
        var direction = outbound ? "outbound" : "inbound";
        var sender = !outbound ? "customer" : random.Chance(0.1) ? "bot" : "agent";
        return Written(Utf8.TryWrite(
            destination,
            CultureInfo.InvariantCulture,
            $$$"""
            {"specversion":"1.0","id":"{{{id:x16}}}","source":"{{{source}}}","type":"ticket.message.sent","subject":"{{{_subjects[account]}}}","time":"{{{time:yyyy-MM-ddTHH:mm:ss.fff}}}Z","data":{"ticket_id":"t-{{{ticket:D7}}}","channel":"{{{channel}}}","direction":"{{{direction}}}","sender":"{{{sender}}}"}}

            """,
            out var written), written);
    }

    private int WriteCall(Span<byte> destination, ulong id, string source, int account, DateTimeOffset time)
    {
        var (minutes, tenths) = Math.DivRem(1 + random.Below(300), 10);
        return Written(Utf8.TryWrite(
            destination,
            CultureInfo.InvariantCulture,
            $$$"""
            {"specversion":"1.0","id":"{{{id:x16}}}","source":"{{{source}}}","type":"voice.call.ended","subject":"{{{_subjects[account]}}}","time":"{{{time:yyyy-MM-ddTHH:mm:ss.fff}}}Z","data":{"minutes":{{{minutes}}}.{{{tenths}}}}}

            """,
            out var written), written);
    }

    private static int Written(bool fits, int written) =>
        fits ? written : throw new InvalidOperationException($"An event is longer than {LongestEvent} bytes; nothing was generated.");
}
