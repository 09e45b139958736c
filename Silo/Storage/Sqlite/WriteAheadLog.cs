using System.Buffers.Binary;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>Reads the check sums of SQLite's write-ahead log.</summary>
/// <remarks>
/// Source: "Database File Format", section 4, of SQLite's documentation. A header of 32 bytes, then frames of 24 bytes and a page;
/// each check sum goes on from the one before.
/// </remarks>
internal static class WriteAheadLog
{
    private const int HeaderBytes = 32;
    private const int FrameHeaderBytes = 24;
    private const uint LittleEndianSums = 0x377f0682;

    /// <summary>
    /// Whether commits that were durable can no longer be read: behind the transaction with the first frame that does not hold,
    /// another begins, which only happens when that one was synced. A write torn by a loss of power is the last one.
    /// </summary>
    /// <remarks>The header is synced before the first frame is written: one that does not hold was damaged later.</remarks>
    public static bool LostCommits(string path)
    {
        if (new FileInfo(path) is not { Exists: true, Length: > HeaderBytes }) return false;
        using var log = File.OpenRead(path);
        var header = new byte[HeaderBytes];
        log.ReadExactly(header);
        var littleEndian = Word(header, 0) == LittleEndianSums;
        var sums = Sum((0, 0), header.AsSpan(0, 24), littleEndian);
        if (sums != (Word(header, 24), Word(header, 28))) return true;
        var (holds, ended) = (true, false);
        var frame = new byte[FrameHeaderBytes + Word(header, 8)];
        while (log.ReadAtLeast(frame, frame.Length, throwOnEndOfStream: false) == frame.Length)
        {
            // Frames of an earlier round of the log have other salts.
            var ofThisRound = frame.AsSpan(8, 8).SequenceEqual(header.AsSpan(16, 8));
            if (!holds && !ofThisRound) continue;
            sums = Sum(Sum(sums, frame.AsSpan(0, 8), littleEndian), frame.AsSpan(FrameHeaderBytes), littleEndian);
            holds = holds && ofThisRound && sums == (Word(frame, 16), Word(frame, 20));
            if (holds) continue;
            if (ended) return true;
            ended = Word(frame, 4) != 0;
        }

        return false;
    }

    private static uint Word(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at));

    private static (uint One, uint Two) Sum((uint One, uint Two) sums, ReadOnlySpan<byte> bytes, bool littleEndian)
    {
        var (one, two) = sums;
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            unchecked
            {
                one += (littleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes)) + two;
                two += (littleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) : BinaryPrimitives.ReadUInt32BigEndian(bytes[4..])) + one;
            }
        }

        return (one, two);
    }
}
