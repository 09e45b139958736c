using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using Billing.Deduplication;

namespace Billing.Silo.Ingest;

/// <summary>
/// Reads one CloudEvent 1.0 in JSON form, checks it, and hashes its key and its content, in one pass and without
/// allocating. Reusable; not safe for two threads at once.
/// </summary>
/// <param name="key">The platform's hash key.</param>
/// <remarks>Whatever the bytes are, the answer is an event or a refusal, never an exception.</remarks>
internal sealed class CloudEventReader(SipKey key)
{
    /// <summary>The most bytes an event may have, in all: 256 KiB.</summary>
    public const int BytesMax = 262_144;

    /// <summary>The most levels an event may be nested, its own object being the first.</summary>
    public const int DepthMax = 64;

    // Four texts without their escapes, and the longest spelling that can still turn out short enough.
    private const int ScratchBytes = (4 * AttributeRules.TextBytesMax) + (AttributeRules.EscapedBytesMax * AttributeRules.TextBytesMax);

    // One level more than is allowed: so the reader can say that it was too deep, and need not throw.
    private static readonly JsonReaderOptions Options = new() { MaxDepth = DepthMax + 1 };

    private readonly ContentHasher _content = new(key);
    private readonly byte[] _scratch = new byte[Math.Max(ScratchBytes, RefusedEnvelope.ScratchBytes)];
    private int _scratchUsed;
    private string? _reason;
    private string? _field;

    /// <summary>Reads an event.</summary>
    /// <param name="json">Its bytes, and no other.</param>
    /// <param name="e">The event; if it is refused, the reason, and source, id and subject as far as they can be read.</param>
    /// <returns>Whether the event may go on. If not, nothing else about it was read.</returns>
    public bool Read(ReadOnlySpan<byte> json, ref CloudEvent e)
    {
        e = default;
        _reason = null;
        _field = null;
        _scratchUsed = 0;
        _content.Reset();
        if (TryRead(json, ref e))
            return true;

        e = default;
        e.Reason = _reason;
        e.Field = _field;
        RefusedEnvelope.Read(json, _scratch, ref e);
        return false;
    }

    private bool TryRead(ReadOnlySpan<byte> json, ref CloudEvent e)
    {
        if (json.Length > BytesMax)
        {
            return Refuse(null, string.Create(CultureInfo.InvariantCulture,
                $"The event has {json.Length} bytes, more than the {BytesMax} allowed. Send less data in one event."));
        }

        if (json.StartsWith("\ufeff"u8))
            return Refuse(null, "The event begins with a byte order mark. Send UTF-8 without one.");

        if (!Utf8.IsValid(json))
            return Refuse(null, "The event is not valid UTF-8. Send it in that encoding.");

        var reader = new Utf8JsonReader(json, Options);
        try
        {
            return TryReadAttributes(ref reader, json, ref e);
        }
        catch (JsonException broken)
        {
            var line = (broken.LineNumber ?? 0) + 1;
            var column = (broken.BytePositionInLine ?? 0) + 1;
            return Refuse(null, string.Create(CultureInfo.InvariantCulture,
                $"The event is not JSON: line {line}, byte {column} cannot be read. NaN, comments, trailing commas are none. Mend it."));
        }
    }

    private bool TryReadAttributes(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, ref CloudEvent e)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            return Refuse(null, "The event is not a JSON object. Send a CloudEvent 1.0 in its JSON form.");

        var seen = Attributes.None;
        var time = default(ExactTime);
        UInt128? data = null;
        var names = _content.OpenObject();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var attribute = reader.ValueIsEscaped ? Attributes.None : AttributeRules.Of(reader.ValueSpan);
            if (attribute == Attributes.None)
            {
                if (!_content.TryName(ref reader, out var name, out _))
                    return RefuseContent(null);

                attribute = AttributeRules.Of(name);
            }

            if ((seen & attribute) != Attributes.None)
                return Refuse(AttributeRules.NameOf(attribute), $"`{AttributeRules.NameOf(attribute)}` stands twice. Keep one of them.");

            seen |= attribute;
            reader.Read();
            if (!TryReadAttribute(ref reader, json, attribute, ref e, ref time, ref data))
                return false;
        }

        if (!_content.TryCloseObject(names, json))
            return RefuseContent(null);

        // Past the end only white space may follow.
        reader.Read();
        var missing = AttributeRules.Required & ~seen;
        if (missing != Attributes.None)
            return RefuseMissing(AttributeRules.NameOf(AttributeRules.First(missing)));

        e.KeyHash = EventKey.Hash(key, e.Source, e.Id);
        e.Fingerprint = _content.Fingerprint(e.Type, time, data);
        return true;
    }

    private bool TryReadAttribute(
        scoped ref Utf8JsonReader reader,
        ReadOnlySpan<byte> json,
        Attributes attribute,
        ref CloudEvent e,
        ref ExactTime time,
        ref UInt128? data)
    {
        if (attribute is Attributes.Data or Attributes.DataBase64)
            return TryReadData(ref reader, json, attribute, ref e, ref data);

        if (attribute == Attributes.None)
            return TryReadIgnored(ref reader, json);

        if (!TryReadText(ref reader, attribute, out var text))
            return false;

        switch (attribute)
        {
            case Attributes.Id:
                e.Id = text;
                return true;
            case Attributes.Source:
                e.Source = text;
                return true;
            case Attributes.Type:
                e.Type = text;
                return true;
            case Attributes.Subject:
                e.Subject = text;
                return true;
            case Attributes.Time:
                var readable = Rfc3339.TryParse(text, out time);
                e.TimeTicks = time.UtcTicks;
                return readable || Refuse("time", "`time` is not a time as RFC 3339 writes it. "
                    + "Send one with a four-digit year and an offset, such as 2026-03-10T12:00:00Z.");
            default:
                return text.SequenceEqual("1.0"u8)
                    || Refuse("specversion", "`specversion` is not \"1.0\". Send a CloudEvent of version 1.0.");
        }
    }

    private bool TryReadText(scoped ref Utf8JsonReader reader, Attributes attribute, out ReadOnlySpan<byte> text)
    {
        text = default;
        var bytesMax = AttributeRules.BytesMax(attribute);
        var name = AttributeRules.NameOf(attribute);
        if (reader.TokenType != JsonTokenType.String)
            return Refuse(name, $"`{name}` is not a text. Send a JSON string.");

        var value = reader.ValueSpan;
        var longest = reader.ValueIsEscaped ? bytesMax * AttributeRules.EscapedBytesMax : bytesMax;
        if (value.Length <= longest && reader.ValueIsEscaped)
        {
            var free = _scratch.AsSpan(_scratchUsed);
            if (!JsonText.TryUnescape(value, free, out var written))
                return Refuse(name, $"`{name}` has half of a surrogate pair as an escape. Send both halves, or the character itself.");

            value = free[..written];
            longest = bytesMax;
            if (written <= bytesMax)
                _scratchUsed += written;
        }

        if (value.Length > longest)
        {
            return Refuse(name, string.Create(CultureInfo.InvariantCulture,
                $"`{name}` is longer than {bytesMax} bytes. Send a shorter one."));
        }

        if (value.IsEmpty)
            return Refuse(name, $"`{name}` is empty. Send a text of at least one character.");

        if (AttributeRules.HasForbiddenControl(attribute, value))
            return Refuse(name, $"`{name}` has a control character. Send it without.");

        text = value;
        return true;
    }

    private bool TryReadData(
        scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, Attributes attribute, ref CloudEvent e, ref UInt128? data)
    {
        if (data is not null)
            return Refuse("data_base64", "The event has both `data` and `data_base64`. Send one of them.");

        var start = checked((int)reader.TokenStartIndex);
        if (attribute == Attributes.Data)
        {
            if (!_content.TryHash(ref reader, json, out var hash))
                return RefuseContent("data");

            data = hash;
            e.Data = json[start..checked((int)reader.BytesConsumed)];
            return true;
        }

        if (reader.TokenType != JsonTokenType.String)
            return Refuse("data_base64", "`data_base64` is not a text. Send a JSON string of Base64.");

        if (!_content.TryText(ref reader, out var text))
            return RefuseContent("data_base64");

        if (!Base64.IsValid(text))
            return Refuse("data_base64", "`data_base64` is not Base64. Encode it again, or send the value as `data`.");

        data = _content.HashBase64(text);
        return true;
    }

    /// <summary>Reads an attribute that is no content. It must be as well-formed as the others.</summary>
    private bool TryReadIgnored(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        if (reader.TokenType != JsonTokenType.String)
            return _content.TryHash(ref reader, json, out _) || RefuseContent(null);

        if (!reader.ValueIsEscaped)
            return true;

        if (!_content.TryText(ref reader, out var text))
            return RefuseContent(null);

        return !text.Contains((byte)0) || Refuse(null, "An attribute of the event has a NUL character. Send it without.");
    }

    private bool RefuseMissing(string name) => Refuse(name, name switch
    {
        "subject" => "`subject` is missing. Send the id of the account the event belongs to.",
        "time" => "`time` is missing. Send when it happened, such as 2026-03-10T12:00:00Z: "
            + "a time made here would make every retry a new event.",
        "specversion" => "`specversion` is missing. Send a CloudEvent of version 1.0.",
        _ => $"`{name}` is missing. CloudEvents 1.0 requires it.",
    });

    private bool RefuseContent(string? field) =>
        Refuse(field, field is null ? $"The event cannot be read: {_content.Problem}." : $"`{field}` cannot be read: {_content.Problem}.");

    private bool Refuse(string? field, string reason)
    {
        _field = field;
        _reason = reason + " The event was not counted.";
        return false;
    }
}
