using System.Buffers.Binary;
using System.Security.Cryptography;
using Billing.Deduplication;

namespace Billing.Silo.Storage;

/// <summary>
/// Tells at the start that the store's hash key is the one that its events were remembered with: with another one, none of them
/// would be known again, and each that is sent again would count again.
/// </summary>
/// <remarks>The setting <c>hash_key_check</c> is the SHA-256 of the key, hexadecimal, and lies apart from it. A store without one gets it.</remarks>
internal static class HashKeyCheck
{
    private const string Setting = "hash_key_check";

    /// <summary>Compares the key of a store with its check.</summary>
    /// <exception cref="InvalidDataException">They do not belong together.</exception>
    public static async Task Verify(IStore store)
    {
        var expected = CheckOf(store.HashKey);
        if (await store.Get(Setting) is null) await store.Replace(Setting, null, expected);
        if (await store.Get(Setting) != expected)
        {
            throw new InvalidDataException(
                $"The store is damaged: the settings \"hash_key\" and \"{Setting}\" do not belong together. With another hash key no event is known again, and each that is sent again would count again. "
                + "Restore the one that was changed, or the store, from a backup. No event was taken.");
        }
    }

    /// <summary>The sentence for a store with commits and without a key.</summary>
    public static InvalidDataException Missing(string where) => new(
        $"The store in {where} is damaged: it has commits, but \"hash_key\" is missing in its settings. Without it no event is known again, and each that is sent again would count again: restore it from a backup. Nothing was changed.");

    private static string CheckOf(SipKey key)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, key.K0);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), key.K1);
        return Convert.ToHexString(SHA256.HashData([.. "Billing hash key"u8, .. bytes]));
    }
}
