using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Billing.Deduplication;

/// <summary>The secret key of a SipHash. Whoever does not know it cannot make two inputs meet.</summary>
/// <param name="K0">Bytes 0 to 7 of the key, little-endian.</param>
/// <param name="K1">Bytes 8 to 15 of the key, little-endian.</param>
public readonly record struct SipKey(ulong K0, ulong K1);

/// <summary>SipHash-2-4 with 128 bits of output.</summary>
/// <remarks>
/// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", and the 128-bit variant of their reference
/// implementation. Stored ids depend on it: it must never change.
/// </remarks>
public static class SipHash128
{
    /// <summary>Hashes bytes with a key.</summary>
    /// <param name="key">The secret key.</param>
    /// <param name="data">The bytes, of any length.</param>
    /// <returns>The 16 output bytes read as one little-endian number.</returns>
    public static UInt128 Hash(SipKey key, ReadOnlySpan<byte> data)
    {
        unchecked
        {
            var v0 = key.K0 ^ 0x736f6d6570736575UL;
            var v1 = key.K1 ^ 0x646f72616e646f6dUL ^ 0xee;
            var v2 = key.K0 ^ 0x6c7967656e657261UL;
            var v3 = key.K1 ^ 0x7465646279746573UL;

            var last = (ulong)data.Length << 56;
            while (data.Length >= sizeof(ulong))
            {
                var word = BinaryPrimitives.ReadUInt64LittleEndian(data);
                v3 ^= word;
                Round(ref v0, ref v1, ref v2, ref v3);
                Round(ref v0, ref v1, ref v2, ref v3);
                v0 ^= word;
                data = data[sizeof(ulong)..];
            }

            for (var i = 0; i < data.Length; i++)
                last |= (ulong)data[i] << (8 * i);

            v3 ^= last;
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= last;

            v2 ^= 0xee;
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            var lower = v0 ^ v1 ^ v2 ^ v3;

            v1 ^= 0xdd;
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            return new UInt128(v0 ^ v1 ^ v2 ^ v3, lower);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        unchecked
        {
            v0 += v1;
            v2 += v3;
            v1 = ulong.RotateLeft(v1, 13) ^ v0;
            v3 = ulong.RotateLeft(v3, 16) ^ v2;
            v0 = ulong.RotateLeft(v0, 32);
            v2 += v1;
            v0 += v3;
            v1 = ulong.RotateLeft(v1, 17) ^ v2;
            v3 = ulong.RotateLeft(v3, 21) ^ v0;
            v2 = ulong.RotateLeft(v2, 32);
        }
    }
}
