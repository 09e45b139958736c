using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orleans;

namespace Billing;

/// <summary>
/// An exact quantity in a meter's own unit. Adding never rounds and does not depend on order: 10^10 values of 28 digits
/// on either side of the point fit without overflow.
/// </summary>
/// <remarks>Written as a decimal string without trailing zeros, such as <c>"12.5"</c>.</remarks>
[GenerateSerializer, Immutable, Alias("billing.quantity"), JsonConverter(typeof(QuantityJsonConverter))]
public readonly struct Quantity : IEquatable<Quantity>, IComparable<Quantity>
{
    /// <summary>The most decimal places a quantity keeps.</summary>
    public const int MaxPlaces = 28;

    private static readonly Int128 One28 = Int128.Parse("10000000000000000000000000000", CultureInfo.InvariantCulture);

    private Quantity(Int128 whole, Int128 fraction)
    {
        Whole = whole;
        Fraction = fraction;
    }

    /// <summary>The whole units, rounded towards minus infinity.</summary>
    [Id(0)]
    public Int128 Whole { get; init; }

    /// <summary>What is left above <see cref="Whole"/>, in units of 10^-28: zero or more, below one unit.</summary>
    [Id(1)]
    public Int128 Fraction { get; init; }

    /// <summary>Nothing.</summary>
    public static Quantity Zero => default;

    /// <summary>One unit.</summary>
    public static Quantity One => new(1, 0);

    /// <summary>Whether this is exactly nothing.</summary>
    public bool IsZero => Whole == 0 && Fraction == 0;

    /// <summary>A whole number of units.</summary>
    public static Quantity Of(long units) => new(units, 0);

    /// <summary>A quantity from its parts; <paramref name="fraction"/> is in units of 10^-28, zero or more, below one unit.</summary>
    public static Quantity FromParts(Int128 whole, Int128 fraction)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fraction);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(fraction, One28);
        return new(whole, fraction);
    }

    /// <summary>The exact sum.</summary>
    public static Quantity operator +(Quantity left, Quantity right)
    {
        var fraction = left.Fraction + right.Fraction;
        return fraction >= One28
            ? new(left.Whole + right.Whole + 1, fraction - One28)
            : new(left.Whole + right.Whole, fraction);
    }

    /// <summary>The exact difference.</summary>
    public static Quantity operator -(Quantity left, Quantity right)
    {
        var fraction = left.Fraction - right.Fraction;
        return fraction < 0
            ? new(left.Whole - right.Whole - 1, fraction + One28)
            : new(left.Whole - right.Whole, fraction);
    }

    /// <summary>Whether the left quantity is smaller.</summary>
    public static bool operator <(Quantity left, Quantity right) => left.CompareTo(right) < 0;

    /// <summary>Whether the left quantity is larger.</summary>
    public static bool operator >(Quantity left, Quantity right) => left.CompareTo(right) > 0;

    /// <summary>Whether the left quantity is smaller or equal.</summary>
    public static bool operator <=(Quantity left, Quantity right) => left.CompareTo(right) <= 0;

    /// <summary>Whether the left quantity is larger or equal.</summary>
    public static bool operator >=(Quantity left, Quantity right) => left.CompareTo(right) >= 0;

    /// <summary>Whether both are the same quantity.</summary>
    public static bool operator ==(Quantity left, Quantity right) => left.Equals(right);

    /// <summary>Whether the quantities differ.</summary>
    public static bool operator !=(Quantity left, Quantity right) => !left.Equals(right);

    /// <inheritdoc/>
    public int CompareTo(Quantity other)
    {
        var whole = Whole.CompareTo(other.Whole);
        return whole != 0 ? whole : Fraction.CompareTo(other.Fraction);
    }

    /// <inheritdoc/>
    public bool Equals(Quantity other) => Whole == other.Whole && Fraction == other.Fraction;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Quantity other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Whole, Fraction);

    /// <summary>The quantity in units of 10^-28, exact.</summary>
    public BigInteger ToUnscaled() => ((BigInteger)Whole * One28) + Fraction;

    /// <summary>The decimal string, without trailing zeros.</summary>
    public override string ToString()
    {
        if (Fraction == 0) return Whole.ToString(CultureInfo.InvariantCulture);
        var (whole, fraction, sign) = Whole < 0 ? (-(Whole + 1), One28 - Fraction, "-") : (Whole, Fraction, "");
        var places = fraction.ToString(CultureInfo.InvariantCulture).PadLeft(MaxPlaces, '0').TrimEnd('0');
        return $"{sign}{whole.ToString(CultureInfo.InvariantCulture)}.{places}";
    }

    /// <summary>Reads a plain decimal such as <c>-12.5</c>; false when it is not one, has more than 28 places or is beyond what a quantity holds.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Quantity quantity)
    {
        quantity = default;
        var negative = text.StartsWith("-");
        var digits = negative ? text[1..] : text;
        var point = digits.IndexOf('.');
        var wholeDigits = point < 0 ? digits : digits[..point];
        var places = point < 0 ? [] : digits[(point + 1)..];
        if (wholeDigits.Length == 0 || places.Length > MaxPlaces || (point >= 0 && places.Length == 0)) return false;
        if (wholeDigits.IndexOfAnyExceptInRange('0', '9') >= 0 || places.IndexOfAnyExceptInRange('0', '9') >= 0) return false;

        if (!Int128.TryParse(wholeDigits, NumberStyles.None, CultureInfo.InvariantCulture, out var whole)) return false;
        Int128 fraction = 0;
        for (var i = 0; i < MaxPlaces; i++) fraction = (fraction * 10) + (i < places.Length ? places[i] - '0' : 0);
        var positive = new Quantity(whole, fraction);
        quantity = negative ? Zero - positive : positive;
        return true;
    }
}

/// <summary>Writes a <see cref="Quantity"/> as a decimal string.</summary>
public sealed class QuantityJsonConverter : JsonConverter<Quantity>
{
    /// <inheritdoc/>
    public override Quantity Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Quantity.TryParse(reader.GetString(), out var quantity)
            ? quantity
            : throw new JsonException("A quantity is a decimal string such as \"12.5\", of at most 28 places.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Quantity value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
