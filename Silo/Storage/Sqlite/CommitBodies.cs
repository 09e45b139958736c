using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Billing.Journal;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>
/// The bodies of one commit, of the entries that keep theirs, one behind the other. Each is the length of the account (2 bytes),
/// the account, the sequence (8), the compressed length (4), the length (4), and the bodies under Brotli's fastest level. The
/// CRC-32C of each (4 bytes) stands beside them, in the same order; commits of releases before schema 3 have none.
/// </summary>
internal static class CommitBodies
{
    /// <summary>The bytes of one check sum.</summary>
    public const int CrcBytes = 4;

    private const int FixedBytes = 2 + 8 + 4 + 4;
    private const int CompressionMax = 1 << 20;

    /// <summary>The most bytes that <see cref="Write"/> needs.</summary>
    public static int LengthMax(JournalEntry entry) =>
        FixedBytes + Encoding.UTF8.GetByteCount(entry.Account) + BrotliEncoder.GetMaxCompressedLength(entry.Bodies.Length);

    /// <summary>Writes the bodies of an entry and tells how many bytes they take.</summary>
    public static int Write(JournalEntry entry, Span<byte> destination)
    {
        var account = Encoding.UTF8.GetBytes(entry.Account, destination[2..]);
        BinaryPrimitives.WriteUInt16LittleEndian(destination, (ushort)account);
        var span = destination[(2 + account)..];
        if (!BrotliEncoder.TryCompress(entry.Bodies.Span, span[16..], out var compressed, quality: 1, window: 18))
            throw new InvalidOperationException("Compressed bodies were longer than their bound. Nothing was stored.");
        BinaryPrimitives.WriteInt64LittleEndian(span, entry.Sequence);
        BinaryPrimitives.WriteInt32LittleEndian(span[8..], compressed);
        BinaryPrimitives.WriteInt32LittleEndian(span[12..], entry.Bodies.Length);
        return FixedBytes + account + compressed;
    }

    /// <summary>The bodies of an entry; null when the commit has none of it.</summary>
    /// <param name="commit">What <see cref="Write"/> wrote, any number of times.</param>
    /// <param name="crcs">The check sum of each; null for a commit that has none.</param>
    /// <param name="account">The account.</param>
    /// <param name="sequence">The number of the entry.</param>
    /// <param name="where">Names the place for the message of damaged bodies.</param>
    /// <exception cref="JournalDamagedException">They are damaged, or they are not found and others are damaged.</exception>
    public static ReadOnlyMemory<byte>? Find(byte[] commit, byte[]? crcs, string account, long sequence, string where)
    {
        var wanted = Encoding.UTF8.GetBytes(account);
        var damaged = false;
        foreach (var part in Parts(commit, crcs))
        {
            damaged |= !part.Holds;
            if (!part.Holds || part.Sequence != sequence || !commit.AsSpan(part.Account).SequenceEqual(wanted)) continue;
            return Decompress(commit.AsSpan(part.Compressed), part.Length) ?? throw new JournalDamagedException(Damaged(where));
        }

        return damaged ? throw new JournalDamagedException(Damaged(where)) : null;
    }

    /// <summary>Whether all bodies of a commit are as they were written.</summary>
    public static bool Hold(byte[] commit, byte[]? crcs) =>
        Parts(commit, crcs).All(part => part.Holds && (crcs is not null || Decompress(commit.AsSpan(part.Compressed), part.Length) is not null));

    /// <summary>Says what damaged bodies mean.</summary>
    public static string Damaged(string where) =>
        $"The bodies of events are damaged at {where}. What was counted is not touched: restore the store from a backup to read them.";

    private static byte[]? Decompress(ReadOnlySpan<byte> compressed, int length)
    {
        if (length > (long)compressed.Length * CompressionMax) return null;
        var bodies = new byte[length];
        return BrotliDecoder.TryDecompress(compressed, bodies, out var written) && written == length ? bodies : null;
    }

    // Damage to a length ends the walk: what comes behind it cannot be told.
    private static IEnumerable<Part> Parts(byte[] commit, byte[]? crcs)
    {
        var number = 0;
        for (var at = 0; at < commit.Length; number++)
        {
            var part = PartAt(commit, at);
            if (part is null || (crcs is not null && crcs.Length < (number + 1) * CrcBytes))
            {
                yield return default;
                yield break;
            }

            var (start, end) = (at, part.Value.Compressed.End.Value);
            at = end;
            yield return part.Value with
            {
                Holds = crcs is null || Crc32C.Of(commit.AsSpan(start..end)) == BinaryPrimitives.ReadUInt32LittleEndian(crcs.AsSpan(number * CrcBytes)),
            };
        }

        if (crcs is not null && crcs.Length != number * CrcBytes) yield return default;
    }

    private static Part? PartAt(byte[] commit, int at)
    {
        if (commit.Length - at < FixedBytes) return null;
        var account = BinaryPrimitives.ReadUInt16LittleEndian(commit.AsSpan(at));
        var head = at + FixedBytes + account;
        if (head > commit.Length) return null;
        var fixedPart = commit.AsSpan(head - 16, 16);
        var (compressed, length) = (BinaryPrimitives.ReadInt32LittleEndian(fixedPart[8..]), BinaryPrimitives.ReadInt32LittleEndian(fixedPart[12..]));
        if (compressed < 0 || length < 0 || compressed > commit.Length - head) return null;
        return new((at + 2)..(at + 2 + account), BinaryPrimitives.ReadInt64LittleEndian(fixedPart), head..(head + compressed), length, Holds: true);
    }

    /// <summary>The bodies of one entry inside a commit; the default stands for what cannot be told apart.</summary>
    private readonly record struct Part(Range Account, long Sequence, Range Compressed, int Length, bool Holds);
}
