using System.Buffers.Binary;
using System.Text;

namespace Billing.Silo.Storage;

/// <summary>The check sum of a row: over the account and the numbers that say what it is, and over its bytes. So a row under a wrong key is found too.</summary>
internal static class RowCrc
{
    private const int StackBytesMax = 512;

    /// <summary>CRC-32C over both numbers, the account and the bytes, in the signed form of the database.</summary>
    public static int Of(string account, long first, long second, ReadOnlySpan<byte> bytes)
    {
        var length = 16 + Encoding.UTF8.GetByteCount(account);
        Span<byte> key = length <= StackBytesMax ? stackalloc byte[length] : new byte[length];
        BinaryPrimitives.WriteInt64LittleEndian(key, first);
        BinaryPrimitives.WriteInt64LittleEndian(key[8..], second);
        Encoding.UTF8.GetBytes(account, key[16..]);
        return unchecked((int)Crc32C.Of(key, bytes));
    }
}
