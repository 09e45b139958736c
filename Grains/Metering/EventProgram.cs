using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Billing.Metering;

/// <summary>
/// Finds the values that the meters of one event type read, in one pass over the event's data and without allocating.
/// Immutable and shared by all accounts on a catalogue version.
/// </summary>
internal sealed class EventProgram
{
    private readonly PathNode _root = new([]);
    private int _slots;

    /// <summary>Compiles what the meters of a catalogue read from one type of event.</summary>
    public EventProgram(string eventType, IReadOnlyCollection<Meter> meters)
    {
        EventType = Encoding.UTF8.GetBytes(eventType);
        Meters = [.. meters.Where(m => m.Event == eventType).Select(m => new CompiledMeter(m, SlotOf))];
        Cancellers = [.. meters.Where(m => m.CancelledBy?.Event == eventType).Select(m => new CompiledCanceller(m, SlotOf))];
    }

    /// <summary>The CloudEvents <c>type</c> this program reads, UTF-8.</summary>
    public byte[] EventType { get; }

    /// <summary>The meters that count the type.</summary>
    public ImmutableArray<CompiledMeter> Meters { get; }

    /// <summary>The meters that the type cancels events of.</summary>
    public ImmutableArray<CompiledCanceller> Cancellers { get; }

    /// <summary>How many values the program looks for: the slots that <see cref="Read"/> needs.</summary>
    public int Slots => _slots;

    /// <summary>Fills the slots with what the data holds; a slot without a value has <see cref="JsonTokenType.None"/>.</summary>
    /// <param name="data">Well-formed JSON, or empty.</param>
    /// <param name="slots">At least <see cref="Slots"/> long.</param>
    public void Read(ReadOnlySpan<byte> data, Span<ValueSlot> slots)
    {
        slots[.._slots].Clear();
        if (data.IsEmpty || _slots == 0) return;
        var reader = new Utf8JsonReader(data);
        reader.Read();
        if (reader.TokenType == JsonTokenType.StartObject) ReadObject(ref reader, _root, slots);
    }

    private static void ReadObject(ref Utf8JsonReader reader, PathNode node, Span<ValueSlot> slots)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var child = node.Find(ref reader);
            reader.Read();
            if (child is null)
            {
                reader.Skip();
                continue;
            }

            if (child.Slot >= 0)
                slots[child.Slot] = new(reader.TokenType, (int)reader.TokenStartIndex, reader.ValueSpan.Length, reader.ValueIsEscaped);
            if (child.HasChildren && reader.TokenType == JsonTokenType.StartObject) ReadObject(ref reader, child, slots);
            else reader.Skip();
        }
    }

    private int SlotOf(JsonPath path)
    {
        var node = _root;
        foreach (var name in path.Names) node = node.Child(name);
        if (node.Slot < 0) node.Slot = _slots++;
        return node.Slot;
    }

    private sealed class PathNode(byte[] name)
    {
        private readonly List<PathNode> _children = [];

        public int Slot { get; set; } = -1;

        public bool HasChildren => _children.Count > 0;

        public PathNode Child(string child)
        {
            var wanted = Encoding.UTF8.GetBytes(child);
            var found = _children.Find(c => c.IsNamed(wanted));
            if (found is null) _children.Add(found = new(wanted));
            return found;
        }

        public PathNode? Find(ref Utf8JsonReader reader)
        {
            foreach (var child in _children)
                if (child.IsNamed(ref reader)) return child;
            return null;
        }

        private bool IsNamed(byte[] wanted) => name.AsSpan().SequenceEqual(wanted);

        private bool IsNamed(ref Utf8JsonReader reader) =>
            reader.ValueIsEscaped ? reader.ValueTextEquals(name) : reader.ValueSpan.SequenceEqual(name);
    }
}

/// <summary>Where one value lies in an event's data.</summary>
/// <param name="Kind">The JSON token; <see cref="JsonTokenType.None"/> when the path leads nowhere.</param>
/// <param name="Start">Where the token starts in the data; a string starts with its quote.</param>
/// <param name="Length">How long the token is, without quotes.</param>
/// <param name="Escaped">Whether a string has escapes in it.</param>
internal readonly record struct ValueSlot(JsonTokenType Kind, int Start, int Length, bool Escaped)
{
    public ReadOnlySpan<byte> Raw(ReadOnlySpan<byte> data) =>
        data.Slice(Kind == JsonTokenType.String ? Start + 1 : Start, Length);

    /// <summary>Whether a string, or a number however it is spelled, equals a text: unescaped, or canonical.</summary>
    public bool TextEquals(ReadOnlySpan<byte> data, ReadOnlySpan<byte> text)
    {
        if (Kind == JsonTokenType.String)
        {
            if (!Escaped) return Raw(data).SequenceEqual(text);
            var reader = new Utf8JsonReader(data.Slice(Start, Length + 2));
            reader.Read();
            return reader.ValueTextEquals(text);
        }

        Span<byte> canonical = stackalloc byte[JsonNumber.CanonicalBytesMax];
        return JsonNumber.TryCanonical(Raw(data), canonical, out var written) && canonical[..written].SequenceEqual(text);
    }

    /// <summary>Copies a string without its escapes.</summary>
    public int CopyString(ReadOnlySpan<byte> data, Span<byte> destination)
    {
        if (!Escaped)
        {
            Raw(data).CopyTo(destination);
            return Length;
        }

        var reader = new Utf8JsonReader(data.Slice(Start, Length + 2));
        reader.Read();
        return reader.CopyString(destination);
    }
}
