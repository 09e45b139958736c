using System.Buffers.Binary;
using System.Text;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>
/// What a commit holds, without the facts: per entry the account (2 bytes of length + UTF-8), its sequence (8), the offset (4) and
/// the length (4) of its frame; the CRC-32C of all of it (4) stands in front. Read at start in place of the frames, and what tells
/// whose a damaged frame was.
/// </summary>
internal static class CommitHeads
{
    public const int CrcBytes = 4;
    private const int FixedBytes = 2 + 8 + 4 + 4;

    public static int LengthOf(string account) => FixedBytes + Encoding.UTF8.GetByteCount(account);

    public static int Write(string account, long sequence, int offset, int length, Span<byte> destination)
    {
        var bytes = Encoding.UTF8.GetBytes(account, destination[2..]);
        BinaryPrimitives.WriteUInt16LittleEndian(destination, (ushort)bytes);
        var rest = destination[(2 + bytes)..];
        BinaryPrimitives.WriteInt64LittleEndian(rest, sequence);
        BinaryPrimitives.WriteInt32LittleEndian(rest[8..], offset);
        BinaryPrimitives.WriteInt32LittleEndian(rest[12..], length);
        return FixedBytes + bytes;
    }

    /// <summary>Completes heads whose first four bytes were left free.</summary>
    public static void Seal(Span<byte> heads) => BinaryPrimitives.WriteUInt32LittleEndian(heads, Crc32C.Of(heads[CrcBytes..]));

    /// <summary>Whether the heads are as they were written.</summary>
    public static bool Hold(ReadOnlySpan<byte> heads) =>
        heads.Length >= CrcBytes && Crc32C.Of(heads[CrcBytes..]) == BinaryPrimitives.ReadUInt32LittleEndian(heads);

    /// <summary>Reads the entry at an offset, the first one stands at <see cref="CrcBytes"/>, and moves it behind.</summary>
    public static (string Account, long Sequence, Position Position) Read(ReadOnlySpan<byte> heads, long commit, ref int offset)
    {
        var length = BinaryPrimitives.ReadUInt16LittleEndian(heads[offset..]);
        var account = Encoding.UTF8.GetString(heads.Slice(offset + 2, length));
        var rest = heads[(offset + 2 + length)..];
        offset += FixedBytes + length;
        return (
            account,
            BinaryPrimitives.ReadInt64LittleEndian(rest),
            new(commit, BinaryPrimitives.ReadInt32LittleEndian(rest[8..]), BinaryPrimitives.ReadInt32LittleEndian(rest[12..])));
    }
}
