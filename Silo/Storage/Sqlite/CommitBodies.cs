using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Billing.Journal;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>
/// The bodies of one commit, of the entries that keep theirs, one behind the other. Each is the length of the account (2 bytes),
/// the account, the sequence (8), the compressed length (4), the length (4), and the bodies under Brotli's fastest level.
/// </summary>
internal static class CommitBodies
{
    private const int FixedBytes = 2 + 8 + 4 + 4;

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
    /// <param name="account">The account.</param>
    /// <param name="sequence">The number of the entry.</param>
    /// <param name="where">Names the place for the message of damaged bodies.</param>
    public static ReadOnlyMemory<byte>? Find(ReadOnlySpan<byte> commit, string account, long sequence, string where)
    {
        var wanted = Encoding.UTF8.GetBytes(account);
        while (!commit.IsEmpty)
        {
            var head = commit.Length < FixedBytes ? int.MaxValue : FixedBytes + BinaryPrimitives.ReadUInt16LittleEndian(commit);
            if (head > commit.Length) throw Damaged(where);
            var fixedPart = commit[(head - 16)..head];
            var compressed = BinaryPrimitives.ReadInt32LittleEndian(fixedPart[8..]);
            var length = BinaryPrimitives.ReadInt32LittleEndian(fixedPart[12..]);
            if (compressed < 0 || length < 0 || compressed > commit.Length - head) throw Damaged(where);
            if (commit[2..(head - 16)].SequenceEqual(wanted) && BinaryPrimitives.ReadInt64LittleEndian(fixedPart) == sequence)
            {
                var bodies = new byte[length];
                if (!BrotliDecoder.TryDecompress(commit.Slice(head, compressed), bodies, out var written) || written != length) throw Damaged(where);
                return bodies;
            }

            commit = commit[(head + compressed)..];
        }

        return null;
    }

    private static JournalDamagedException Damaged(string where) =>
        new($"The bodies of events are damaged at {where}. What was counted is not touched: restore the store from a backup to read them.");
}
