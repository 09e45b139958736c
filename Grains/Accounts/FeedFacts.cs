using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Billing.Accounts;

/// <summary>The facts that services outside follow. docs/feed.md has the schema of each type.</summary>
/// <remarks>Facts are not read as types of this release, so what a newer one has written is told too.</remarks>
public static class FeedFacts
{
    private const int FrameHeadBytes = 5;

    // What only keeps count of calls to Stripe, of events that waited, of what a meter remembers, or of looks at usage that nothing came of. All else is told.
    private static readonly FrozenSet<string> LeftOut = new[]
    {
        "stripe_call_sent", "stripe_call_ended", "customer_step_put", "charge_step_put", "charge_noticed", "payment_method_set", "meter_tracked", "dead_letter_closed", "usage_looked_at",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The types of facts that this release writes and tells.</summary>
    public static FrozenSet<string> Types { get; } = typeof(AccountFact).GetCustomAttributes(typeof(JsonDerivedTypeAttribute), inherit: false)
        .Cast<JsonDerivedTypeAttribute>().Select(f => (string)f.TypeDiscriminator!).Where(t => !LeftOut.Contains(t)).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether a journal entry holds facts other than usage events. One that cannot be read may hold them.</summary>
    public static bool MayBeIn(ReadOnlySpan<byte> entry)
    {
        if (entry.Length < FactWriter.HeaderBytes || entry[0] != FactWriter.Version) return true;
        var rest = entry[FactWriter.HeaderBytes..];
        while (!rest.IsEmpty)
        {
            if (rest.Length < FrameHeadBytes || (FactKind)rest[0] is not (FactKind.UsageRecorded or FactKind.UsageRefused)) return true;
            var length = BinaryPrimitives.ReadInt32LittleEndian(rest[1..]);
            if (length < 0 || length > rest.Length - FrameHeadBytes) return true;
            rest = rest[(FrameHeadBytes + length)..];
        }

        return false;
    }

    /// <summary>Reads the facts of a journal entry that are told.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="behind">How many of its facts to pass over, counting usage events too.</param>
    /// <param name="limit">How many to read at the most.</param>
    /// <param name="types">Which types; null for all.</param>
    /// <param name="facts">Takes them.</param>
    /// <returns>How many facts of the entry are behind the reader then, counting all.</returns>
    /// <exception cref="InvalidDataException">The entry is of a form that this release does not know.</exception>
    public static int Read(ReadOnlySpan<byte> entry, int behind, int limit, FrozenSet<string>? types, ICollection<FeedFact> facts)
    {
        var reader = new FactReader(entry);
        var read = 0;
        while (facts.Count < limit && reader.TryRead(out var kind, out var content))
        {
            if (++read <= behind || kind != FactKind.Json) continue;
            var data = JsonNode.Parse(content)!.AsObject();
            var type = data["fact"]!.GetValue<string>();
            if (LeftOut.Contains(type) || !(types?.Contains(type) ?? true)) continue;
            data.Remove("fact");
            var at = (data["at"] ?? data["invoice"]?["finalized_at"])?.GetValue<DateTimeOffset>();
            facts.Add(new(read, type, at ?? reader.ReceivedAt, data));
        }

        return read;
    }
}

/// <summary>A fact as services outside see it.</summary>
/// <param name="Number">Which fact of its entry it is, counting all from 1.</param>
/// <param name="Type">The name of the fact.</param>
/// <param name="At">When it happened, by the billing clock.</param>
/// <param name="Data">The fact as it is stored, without its name.</param>
public readonly record struct FeedFact(int Number, string Type, DateTimeOffset At, JsonObject Data);
