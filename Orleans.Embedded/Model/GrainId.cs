namespace Orleans.Runtime;

/// <summary>The key part of a grain's identity.</summary>
public readonly struct IdSpan : IEquatable<IdSpan>, IComparable<IdSpan>
{
    private readonly string? _value;

    private IdSpan(string value) => _value = value;

    /// <summary>Whether this is no key at all.</summary>
    public bool IsDefault => _value is null;

    /// <summary>The key with this text.</summary>
    public static IdSpan Create(string id) => new(id);

    /// <summary>Same text, compared ordinally.</summary>
    public static bool operator ==(IdSpan left, IdSpan right) => left.Equals(right);

    /// <summary>Another text.</summary>
    public static bool operator !=(IdSpan left, IdSpan right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(IdSpan obj) => string.Equals(_value, obj._value, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is IdSpan other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _value?.GetHashCode(StringComparison.Ordinal) ?? 0;

    /// <summary>Orders by UTF-16 code unit.</summary>
    public int CompareTo(IdSpan other) => string.CompareOrdinal(_value, other._value);

    /// <summary>The text of the key.</summary>
    public override string ToString() => _value ?? "";
}

/// <summary>The kind of a grain: the class name in lower case without its <c>Grain</c> ending, unless the class says otherwise.</summary>
public readonly struct GrainType : IEquatable<GrainType>, IComparable<GrainType>
{
    /// <summary>The kind with this name.</summary>
    public GrainType(IdSpan id) => Value = id;

    /// <summary>The name of the kind.</summary>
    public IdSpan Value { get; }

    /// <summary>Whether this is no kind at all.</summary>
    public bool IsDefault => Value.IsDefault;

    /// <summary>The kind with this name.</summary>
    public static GrainType Create(string value) => new(IdSpan.Create(value));

    /// <summary>Same name.</summary>
    public static bool operator ==(GrainType left, GrainType right) => left.Equals(right);

    /// <summary>Another name.</summary>
    public static bool operator !=(GrainType left, GrainType right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(GrainType obj) => Value.Equals(obj.Value);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is GrainType other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Value.GetHashCode();

    /// <summary>Orders by name.</summary>
    public int CompareTo(GrainType other) => Value.CompareTo(other.Value);

    /// <summary>The name of the kind.</summary>
    public override string ToString() => Value.ToString();
}

/// <summary>What names one grain: its kind and its key. Written as <c>kind/key</c>.</summary>
public readonly struct GrainId : IEquatable<GrainId>, IComparable<GrainId>
{
    /// <summary>The grain of this kind with this key.</summary>
    public GrainId(GrainType type, IdSpan key)
    {
        Type = type;
        Key = key;
    }

    /// <summary>The kind of the grain.</summary>
    public GrainType Type { get; }

    /// <summary>The key within its kind.</summary>
    public IdSpan Key { get; }

    /// <summary>Whether this names no grain.</summary>
    public bool IsDefault => Type.IsDefault && Key.IsDefault;

    /// <summary>The grain of this kind with this key.</summary>
    public static GrainId Create(string type, string key) => new(GrainType.Create(type), IdSpan.Create(key));

    /// <summary>The grain of this kind with this key.</summary>
    public static GrainId Create(GrainType type, string key) => new(type, IdSpan.Create(key));

    /// <summary>The grain of this kind with this key.</summary>
    public static GrainId Create(GrainType type, IdSpan key) => new(type, key);

    /// <summary>The same grain.</summary>
    public static bool operator ==(GrainId left, GrainId right) => left.Equals(right);

    /// <summary>Another grain.</summary>
    public static bool operator !=(GrainId left, GrainId right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(GrainId other) => Key.Equals(other.Key) && Type.Equals(other.Type);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is GrainId other && Equals(other);

    // The key alone: it tells nearly all grains apart, and hashing is on the path of every call.
    /// <inheritdoc/>
    public override int GetHashCode() => Key.GetHashCode();

    /// <summary>Orders by kind, then by key.</summary>
    public int CompareTo(GrainId other)
    {
        var byType = Type.CompareTo(other.Type);
        return byType != 0 ? byType : Key.CompareTo(other.Key);
    }

    /// <summary>The identity as <c>kind/key</c>.</summary>
    public override string ToString() => $"{Type}/{Key}";
}
