using System.Globalization;
using System.Text.Unicode;
using Billing.Benchmarks.Ingest;
using Billing.Benchmarks.Workloads;

namespace Billing.Benchmarks.Window;

/// <summary>One event of a hot account.</summary>
/// <param name="Id">Its id, written as 16 hexadecimal digits: their order is that of the numbers.</param>
/// <param name="Milliseconds">Its time, since <see cref="WindowEvents.Anchor"/>.</param>
/// <param name="Key">The number of its key.</param>
/// <param name="Chat">Whether its channel is chat, whose session gap is shorter, or email.</param>
/// <param name="Tenths">Its value, in tenths.</param>
/// <param name="Cancels">Whether it cancels the earlier events of its key.</param>
internal readonly record struct WindowEvent(ulong Id, long Milliseconds, int Key, bool Chat, int Tenths, bool Cancels);

/// <summary>
/// The events of one account: 75 % in order of time, 20 % late by up to ten days, evenly, and 5 % exact duplicates. Each
/// event follows from its number, so nothing generated is kept.
/// </summary>
/// <param name="what">What the events are for.</param>
/// <param name="size">
/// The ids of a filled account: they lie in the 24 days before the last hour, and 10 days before that. Later ones follow in
/// that hour, one a millisecond.
/// </param>
/// <param name="account">The account they name.</param>
/// <param name="seed">Equal seeds give equal events.</param>
internal sealed class WindowEvents(WindowCase what, int size, string account, ulong seed)
{
    public const int LineBytesMax = 256;

    private const double CancelShare = 0.05;
    private const int EventsPerKey = 6;
    private const int OpenKeys = 8;
    private const int NearbyDuplicate = 8_192;
    private const long SpanMilliseconds = 24L * 24 * 3600 * 1000;
    private const double LateSpans = 10.0 / 24;

    /// <summary>The instant of receipt.</summary>
    public static readonly DateTimeOffset Clock = IngestOptions.Clock;

    /// <summary>When the accounts are opened: their second period begins inside the window.</summary>
    public static readonly DateTimeOffset Anchor = Clock.AddDays(-40);

    private static readonly long LastHour = (long)(Clock - Anchor).TotalMilliseconds - 3_600_000;

    private readonly SplitMix64 _random = new(seed);

    public string Account => account;

    /// <summary>How many different events were made.</summary>
    public int Distinct { get; private set; }

    /// <summary>How many duplicates were made.</summary>
    public int Duplicates { get; private set; }

    /// <summary>Makes the next lines: so many, or fewer when the last different event wanted is among them.</summary>
    public Poll Next(byte[] buffer, int lines, int distinctMax = int.MaxValue)
    {
        var (length, written, distinctBefore) = (0, 0, Distinct);
        while (written < lines && Distinct < distinctMax)
        {
            if (Distinct > 0 && _random.Chance(WorkloadOptions.DuplicateShare))
            {
                var reach = _random.Chance(0.5) ? int.Min(Distinct, NearbyDuplicate) : Distinct;
                length += Write(buffer.AsSpan(length), At(Distinct - 1 - _random.Below(reach)));
                Duplicates++;
            }
            else
            {
                length += Write(buffer.AsSpan(length), At(Distinct++));
            }

            written++;
        }

        return new(buffer.AsMemory(0, length), written, Distinct - distinctBefore);
    }

    /// <summary>All different events made.</summary>
    public WindowEvent[] ToArray()
    {
        var all = new WindowEvent[Distinct];
        for (var i = 0; i < all.Length; i++) all[i] = At(i);
        return all;
    }

    private WindowEvent At(int number)
    {
        var id = SplitMix64.Mix(unchecked(seed + (ulong)number));
        var random = id;
        var late = Share() < WorkloadOptions.LateShare;
        var place = late ? int.Min(number, size) - (long)(Share() * LateSpans * size) : number;
        var time = place < size
            ? LastHour - ((size - place) * SpanMilliseconds / size) + (long)(Share() * SpanMilliseconds / size)
            : LastHour + (place - size);
        var key = what.OneKey ? 0 : (int)((place + size) / EventsPerKey) + (int)(Share() * OpenKeys);
        return new(id, time, key, Share() < 0.4, 1 + (int)(Share() * 300), what.HasCancellers && Share() < CancelShare);

        double Share()
        {
            random = SplitMix64.Mix(unchecked(random + 0x9E3779B97F4A7C15));
            return (random >> 11) * (1.0 / (1UL << 53));
        }
    }

    private int Write(Span<byte> destination, in WindowEvent made)
    {
        var (whole, tenth) = Math.DivRem(made.Tenths, 10);
        return Utf8.TryWrite(
            destination,
            CultureInfo.InvariantCulture,
            $$$"""
            {"specversion":"1.0","id":"{{{made.Id:x16}}}","source":"desk/eu-1","type":"{{{(made.Cancels ? WindowCase.CancellerType : WindowCase.EventType)}}}","subject":"{{{account}}}","time":"{{{Anchor.AddMilliseconds(made.Milliseconds):yyyy-MM-ddTHH:mm:ss.fff}}}Z","data":{"key":"k-{{{made.Key:D7}}}","channel":"{{{(made.Chat ? "chat" : "email")}}}","value":{{{whole}}}.{{{tenth}}}}}

            """,
            out var written)
            ? written
            : throw new InvalidOperationException($"An event is longer than {LineBytesMax} bytes; nothing more was generated.");
    }
}
