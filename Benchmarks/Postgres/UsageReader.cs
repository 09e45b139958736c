using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Unicode;
using Billing.Benchmarks.Ingest;

namespace Billing.Benchmarks.Postgres;

/// <summary>What the peer stores of an event.</summary>
/// <param name="Key">128 bits of a hash over account, source and id: the shortest key that a unique index can hold.</param>
/// <param name="Account">The number of the account's row.</param>
/// <param name="Meter">1 for ticket messages, 2 for calls.</param>
/// <param name="Quantity">Outbound messages, or thousandths of a minute.</param>
public readonly record struct UsageRow(Guid Key, int Account, short Meter, long Quantity);

/// <summary>Reads CloudEvents for the peer: the same bytes ours is given, in one pass and without a document.</summary>
public sealed class UsageReader(TargetContext context)
{
    private static readonly JsonReaderOptions Lines = new() { AllowMultipleValues = true };

    private readonly Dictionary<string, int> _accounts = context.AccountIds.Index()
        .ToDictionary(entry => entry.Item, entry => entry.Index, StringComparer.Ordinal);

    private readonly DateTimeOffset _earliest = context.Clock - TimeSpan.FromDays(35);
    private readonly DateTimeOffset _latest = context.Clock + TimeSpan.FromMinutes(5);

    public List<UsageRow> Read(ReadOnlySpan<byte> ndjson)
    {
        var rows = new List<UsageRow>();
        var json = new Utf8JsonReader(ndjson, Lines);
        while (json.Read())
        {
            rows.Add(ReadEvent(ref json));
        }

        return rows;
    }

    private UsageRow ReadEvent(ref Utf8JsonReader json)
    {
        string? id = null, source = null, subject = null;
        var (meter, quantity, inWindow) = ((short)0, 0L, false);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("id"u8)) id = Text(ref json);
            else if (json.ValueTextEquals("source"u8)) source = Text(ref json);
            else if (json.ValueTextEquals("subject"u8)) subject = Text(ref json);
            else if (json.ValueTextEquals("type"u8)) meter = Meter(ref json);
            else if (json.ValueTextEquals("time"u8)) inWindow = InWindow(ref json);
            else if (json.ValueTextEquals("data"u8)) quantity = Quantity(ref json);
            else json.Skip();
        }

        if (id is null || source is null || subject is null || meter == 0 || !inWindow)
        {
            throw new FormatException("The workload holds an event that is not one for a known meter inside the window; its poll was not stored.");
        }

        return new UsageRow(KeyOf(subject, source, id), _accounts[subject], meter, quantity);
    }

    private static string? Text(ref Utf8JsonReader json)
    {
        json.Read();
        return json.GetString();
    }

    private static short Meter(ref Utf8JsonReader json)
    {
        json.Read();
        return json.ValueTextEquals("ticket.message.sent"u8) ? (short)1 : json.ValueTextEquals("voice.call.ended"u8) ? (short)2 : (short)0;
    }

    private bool InWindow(ref Utf8JsonReader json)
    {
        json.Read();
        var time = json.GetDateTimeOffset();
        return time >= _earliest && time <= _latest;
    }

    private static long Quantity(ref Utf8JsonReader json)
    {
        var quantity = 0L;
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var (direction, minutes) = (json.ValueTextEquals("direction"u8), json.ValueTextEquals("minutes"u8));
            json.Read();
            if (direction) quantity = json.ValueTextEquals("outbound"u8) ? 1 : 0;
            else if (minutes) quantity = (long)(json.GetDecimal() * 1000);
            else json.Skip();
        }

        return quantity;
    }

    private static Guid KeyOf(string account, string source, string id)
    {
        Span<byte> text = stackalloc byte[512];
        if (!Utf8.TryWrite(text, CultureInfo.InvariantCulture, $"{account}\0{source}\0{id}", out var length))
        {
            throw new FormatException($"The workload holds a key longer than {text.Length} bytes; its poll was not stored.");
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..length], hash);
        return new Guid(hash[..16], bigEndian: true);
    }
}
