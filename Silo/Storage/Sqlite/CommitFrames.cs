using System.Buffers.Binary;
using System.Text;
using Billing.Journal;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>
/// The bytes of one commit: the entries of many accounts, one behind the other. Each frame is its length (4 bytes), the CRC-32C
/// of what follows (4), the sequence (8), the account (2 + UTF-8) and the facts.
/// </summary>
internal static class CommitFrames
{
    private const int FixedBytes = 4 + 4 + 8 + 2;

    public static int LengthOf(JournalEntry entry) => FixedBytes + Encoding.UTF8.GetByteCount(entry.Account) + entry.Facts.Length;

    public static int Write(JournalEntry entry, Span<byte> destination)
    {
        var account = Encoding.UTF8.GetBytes(entry.Account, destination[FixedBytes..]);
        var length = FixedBytes + account + entry.Facts.Length;
        BinaryPrimitives.WriteInt32LittleEndian(destination, length);
        BinaryPrimitives.WriteInt64LittleEndian(destination[8..], entry.Sequence);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[16..], (ushort)account);
        entry.Facts.Span.CopyTo(destination[(FixedBytes + account)..]);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], Crc32C.Of(destination[8..length]));
        return length;
    }

    /// <summary>Reads the frame at the start of the span.</summary>
    /// <returns>Whether its check sum holds.</returns>
    public static bool TryRead(ReadOnlySpan<byte> span, out string account, out long sequence, out int factsOffset, out int length)
    {
        (account, sequence, factsOffset) = ("", 0, 0);
        length = span.Length < FixedBytes ? -1 : BinaryPrimitives.ReadInt32LittleEndian(span);
        if (length < FixedBytes || length > span.Length || Crc32C.Of(span[8..length]) != BinaryPrimitives.ReadUInt32LittleEndian(span[4..])) return false;
        var accountLength = BinaryPrimitives.ReadUInt16LittleEndian(span[16..]);
        account = Encoding.UTF8.GetString(span.Slice(FixedBytes, accountLength));
        sequence = BinaryPrimitives.ReadInt64LittleEndian(span[8..]);
        factsOffset = FixedBytes + accountLength;
        return true;
    }
}
