using System.Buffers;
using System.Buffers.Binary;

namespace Billing.Deduplication;

/// <summary>The key of an event within its account: equal for equal <c>source</c> and <c>id</c>, as CloudEvents 1.0 asks.</summary>
public static class EventKey
{
    private const int StackBytesMax = 256;

    /// <summary>Hashes the two parts of a key.</summary>
    /// <param name="key">The platform's hash key.</param>
    /// <param name="source">The event's <c>source</c>, UTF-8, without JSON escapes.</param>
    /// <param name="id">The event's <c>id</c>, UTF-8, without JSON escapes.</param>
    /// <returns>The 128-bit hash that stands for the pair.</returns>
    /// <remarks>The length of the source comes first, so that <c>a-</c> + <c>b</c> and <c>a</c> + <c>-b</c> differ.</remarks>
    public static UInt128 Hash(SipKey key, ReadOnlySpan<byte> source, ReadOnlySpan<byte> id)
    {
        var length = sizeof(int) + source.Length + id.Length;
        if (length <= StackBytesMax)
        {
            Span<byte> bytes = stackalloc byte[StackBytesMax];
            return Hash(key, source, id, bytes[..length]);
        }

        var rented = ArrayPool<byte>.Shared.Rent(length);
        var hash = Hash(key, source, id, rented.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(rented);
        return hash;
    }

    private static UInt128 Hash(SipKey key, ReadOnlySpan<byte> source, ReadOnlySpan<byte> id, Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(bytes, source.Length);
        source.CopyTo(bytes[sizeof(int)..]);
        id.CopyTo(bytes[(sizeof(int) + source.Length)..]);
        return SipHash128.Hash(key, bytes);
    }
}
