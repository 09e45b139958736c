using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Billing.Deduplication;

namespace Billing.Silo.Ingest;

/// <summary>
/// Hashes the content of events, so that two spellings of one JSON value give one hash. Member order, white space,
/// escapes and the spelling of numbers do not matter; the order of an array does.
/// </summary>
/// <param name="key">The platform's hash key.</param>
/// <remarks>
/// Every input of the hash begins with the role of the value (root, member, element), its kind, and what it hangs on: the
/// hash of its name, or of the elements before it. Members are added up, mod 2^128, and the sum hashed again; each is
/// a keyed hash of name and value together, so no values can change places. Stored fingerprints depend on all of it.
/// </remarks>
internal sealed class ContentHasher(SipKey key)
{
    private const int HeadBytes = 18;
    private const int UsualBytes = 1_024;
    private const int KeptBytesMax = 16_384;
    private const int ShownNameBytesMax = 64;

    // Names have a key of their own, so that they need no role in front.
    private readonly SipKey _nameKey = key with { K0 = key.K0 ^ 0x6d656d6265722d6e };
    private readonly MemberNames _names = new();
    private readonly byte[] _number = new byte[NumberForm.FormBytesMax];
    private byte[] _input = new byte[UsualBytes];
    private byte[] _text = new byte[UsualBytes];

    /// <summary>What was wrong with the value last read, as the end of a sentence; null if nothing was.</summary>
    public string? Problem { get; private set; }

    /// <summary>Gets ready for the next event.</summary>
    public void Reset()
    {
        Problem = null;
        _names.Clear();
        if (_input.Length > KeptBytesMax)
            _input = new byte[UsualBytes];
        if (_text.Length > KeptBytesMax)
            _text = new byte[UsualBytes];
    }

    /// <summary>Hashes <c>data</c>: reads from the value's first token to its last.</summary>
    public bool TryHash(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, out UInt128 hash) =>
        TryHash(ref reader, json, Role.Root, UInt128.Zero, out hash);

    /// <summary>Hashes <c>data_base64</c>.</summary>
    public UInt128 HashBase64(ReadOnlySpan<byte> text) => Digest(Role.Root, UInt128.Zero, Kind.Base64, text);

    /// <summary>The fingerprint of a whole event's content.</summary>
    /// <param name="type">The type of the event.</param>
    /// <param name="time">Its time.</param>
    /// <param name="data">The hash of its data; null if it has none.</param>
    public uint Fingerprint(ReadOnlySpan<byte> type, in ExactTime time, UInt128? data)
    {
        const int FixedBytes = sizeof(long) + 16 + 16;
        Grow(ref _text, FixedBytes + type.Length);
        BinaryPrimitives.WriteInt64LittleEndian(_text, time.ExactTicks);
        BinaryPrimitives.WriteUInt128LittleEndian(_text.AsSpan(8), time.BelowTick);
        BinaryPrimitives.WriteUInt128LittleEndian(_text.AsSpan(24), data ?? UInt128.Zero);
        type.CopyTo(_text.AsSpan(FixedBytes));
        var kind = data is null ? Kind.Nothing : Kind.Something;
        return unchecked((uint)Digest(Role.Event, UInt128.Zero, kind, _text.AsSpan(0, FixedBytes + type.Length)));
    }

    /// <summary>How many names of members are held; what <see cref="TryCloseObject"/> needs to know.</summary>
    public int OpenObject() => _names.Count;

    /// <summary>Hashes the member name the reader stands at, and keeps it until its object is closed.</summary>
    public bool TryName(scoped ref Utf8JsonReader reader, out ReadOnlySpan<byte> name, out UInt128 hash)
    {
        hash = default;
        if (!TryText(ref reader, out name))
            return false;

        hash = SipHash128.Hash(_nameKey, name);
        _names.Push(hash, checked((int)reader.TokenStartIndex));
        return true;
    }

    /// <summary>Closes an object, and refuses one that has a name twice.</summary>
    public bool TryCloseObject(int names, ReadOnlySpan<byte> json)
    {
        var doubled = _names.Pop(names);
        if (doubled < 0)
            return true;

        return Fail($"an object has the member {ShownName(json, doubled)} twice. Keep one of them");
    }

    /// <summary>The text of the string or name the reader stands at, without escapes; good until the next one is read.</summary>
    public bool TryText(scoped ref Utf8JsonReader reader, out ReadOnlySpan<byte> text)
    {
        text = reader.ValueSpan;
        if (!reader.ValueIsEscaped)
            return true;

        Grow(ref _text, text.Length);
        if (!JsonText.TryUnescape(text, _text, out var written))
            return Fail("a text has half of a surrogate pair as an escape. Send both halves, or the character itself");

        text = _text.AsSpan(0, written);
        return true;
    }

    private bool TryHash(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, Role role, UInt128 context, out UInt128 hash)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return TryHashObject(ref reader, json, role, context, out hash);
            case JsonTokenType.StartArray:
                return TryHashArray(ref reader, json, role, context, out hash);
            case JsonTokenType.String:
                hash = default;
                if (!TryText(ref reader, out var text))
                    return false;

                hash = Digest(role, context, Kind.Text, text);
                return true;
            case JsonTokenType.Number:
                hash = default;
                if (!NumberForm.TryNormalize(reader.ValueSpan, _number, out var written))
                {
                    return Fail($"a number has more than {NumberForm.DigitsMax} digits, or an exponent beyond {NumberForm.ExponentMax}. "
                        + "Send a shorter one, or a text");
                }

                hash = Digest(role, context, Kind.Number, _number.AsSpan(0, written));
                return true;
            case JsonTokenType.True:
                hash = Digest(role, context, Kind.True, default);
                return true;
            case JsonTokenType.False:
                hash = Digest(role, context, Kind.False, default);
                return true;
            default:
                hash = Digest(role, context, Kind.Null, default);
                return true;
        }
    }

    private bool TryHashObject(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, Role role, UInt128 context, out UInt128 hash)
    {
        hash = default;
        if (IsTooDeep(ref reader))
            return false;

        var sum = UInt128.Zero;
        var count = 0;
        var names = OpenObject();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!TryName(ref reader, out _, out var name))
                return false;

            reader.Read();
            if (!TryHash(ref reader, json, Role.Member, name, out var member))
                return false;

            sum = unchecked(sum + member);
            count++;
        }

        if (!TryCloseObject(names, json))
            return false;

        hash = DigestContainer(role, context, Kind.Object, sum, count);
        return true;
    }

    private bool TryHashArray(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, Role role, UInt128 context, out UInt128 hash)
    {
        hash = default;
        if (IsTooDeep(ref reader))
            return false;

        var chain = UInt128.Zero;
        var count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (!TryHash(ref reader, json, Role.Element, chain, out chain))
                return false;

            count++;
        }

        hash = DigestContainer(role, context, Kind.Array, chain, count);
        return true;
    }

    private bool IsTooDeep(scoped ref Utf8JsonReader reader)
    {
        if (reader.CurrentDepth < CloudEventReader.DepthMax)
            return false;

        return !Fail($"it is nested deeper than {CloudEventReader.DepthMax} levels. Send it flatter");
    }

    private UInt128 DigestContainer(Role role, UInt128 context, Kind kind, UInt128 content, int count)
    {
        Span<byte> bytes = stackalloc byte[16 + sizeof(int)];
        BinaryPrimitives.WriteUInt128LittleEndian(bytes, content);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], count);
        return Digest(role, context, kind, bytes);
    }

    private UInt128 Digest(Role role, UInt128 context, Kind kind, ReadOnlySpan<byte> value)
    {
        Grow(ref _input, HeadBytes + value.Length);
        _input[0] = (byte)role;
        _input[1] = (byte)kind;
        BinaryPrimitives.WriteUInt128LittleEndian(_input.AsSpan(2), context);
        value.CopyTo(_input.AsSpan(HeadBytes));
        return SipHash128.Hash(key, _input.AsSpan(0, HeadBytes + value.Length));
    }

    private bool Fail(string problem)
    {
        Problem = problem;
        return false;
    }

    private static string ShownName(ReadOnlySpan<byte> json, int start)
    {
        var name = json[start..JsonScanner.SkipString(json, start)];
        return name.Length <= ShownNameBytesMax ? Encoding.UTF8.GetString(name) : Encoding.UTF8.GetString(name[..ShownNameBytesMax]) + "…";
    }

    private static void Grow(ref byte[] buffer, int length)
    {
        if (buffer.Length < length)
            buffer = new byte[length * 2];
    }

    // The numbers of roles and kinds are hashed, and so stored: none may change.
    private enum Role : byte
    {
        Event = 1,
        Root = 2,
        Member = 3,
        Element = 4,
    }

    private enum Kind : byte
    {
        Nothing = 1,
        Something = 2,
        Null = 3,
        True = 4,
        False = 5,
        Number = 6,
        Text = 7,
        Array = 8,
        Object = 9,
        Base64 = 10,
    }
}
