using System.IO.Compression;

namespace Billing.Silo.Storage.Postgres;

/// <summary>The bodies of one entry as they are stored: under Brotli's fastest level.</summary>
internal static class StoredBodies
{
    public static byte[] Compress(ReadOnlySpan<byte> bodies)
    {
        var compressed = new byte[BrotliEncoder.GetMaxCompressedLength(bodies.Length)];
        if (!BrotliEncoder.TryCompress(bodies, compressed, out var length, quality: 1, window: 18))
            throw new InvalidOperationException("Compressed bodies were longer than their bound. Nothing was stored.");
        return compressed[..length];
    }

    /// <summary>The bodies; null when the bytes are not what was written.</summary>
    public static byte[]? Decompress(ReadOnlySpan<byte> compressed, int length)
    {
        var bodies = new byte[length];
        return BrotliDecoder.TryDecompress(compressed, bodies, out var written) && written == length ? bodies : null;
    }
}
