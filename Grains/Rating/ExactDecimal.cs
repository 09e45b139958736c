using System.Globalization;
using System.Numerics;

namespace Billing.Rating;

/// <summary>A decimal number of any size: products of quantities and prices are exact until the one rounding of a line.</summary>
internal readonly struct ExactDecimal : IEquatable<ExactDecimal>, IComparable<ExactDecimal>
{
    private readonly BigInteger _unscaled;
    private readonly int _scale;

    private ExactDecimal(BigInteger unscaled, int scale)
    {
        _unscaled = unscaled;
        _scale = scale;
    }

    public static ExactDecimal Zero => default;

    public static ExactDecimal Of(Quantity quantity) => new(quantity.ToUnscaled(), Quantity.MaxPlaces);

    public static ExactDecimal Of(BigInteger whole) => new(whole, 0);

    public static ExactDecimal Of(decimal value)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        var magnitude = unchecked(
            (new BigInteger((uint)bits[2]) << 64) + (new BigInteger((uint)bits[1]) << 32) + (uint)bits[0]);
        return new(bits[3] < 0 ? -magnitude : magnitude, (bits[3] >> 16) & 0xFF);
    }

    public static ExactDecimal operator +(ExactDecimal left, ExactDecimal right)
    {
        var scale = left._scale > right._scale ? left._scale : right._scale;
        return new(left.At(scale) + right.At(scale), scale);
    }

    public static ExactDecimal operator -(ExactDecimal left, ExactDecimal right) => left + new ExactDecimal(-right._unscaled, right._scale);

    public static ExactDecimal operator *(ExactDecimal left, ExactDecimal right) =>
        new(left._unscaled * right._unscaled, left._scale + right._scale);

    public bool IsPositive => _unscaled.Sign > 0;

    public int CompareTo(ExactDecimal other) => (this - other)._unscaled.Sign;

    public bool Equals(ExactDecimal other) => CompareTo(other) == 0;

    public override bool Equals(object? obj) => obj is ExactDecimal other && Equals(other);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary>How many whole steps of <paramref name="size"/> are begun: 0 for 0, 1 for anything up to one size.</summary>
    public BigInteger StartedBlocksOf(ExactDecimal size)
    {
        var scale = _scale > size._scale ? _scale : size._scale;
        var blocks = BigInteger.DivRem(At(scale), size.At(scale), out var rest);
        return rest.IsZero ? blocks : blocks + 1;
    }

    /// <summary>The nearest whole number; a half goes to the even neighbour.</summary>
    public BigInteger RoundHalfToEven()
    {
        if (_scale == 0) return _unscaled;
        var unit = BigInteger.Pow(10, _scale);
        var whole = BigInteger.DivRem(_unscaled, unit, out var rest);
        var twice = BigInteger.Abs(rest) * 2;
        var away = twice > unit || (twice == unit && !whole.IsEven);
        return away ? whole + _unscaled.Sign : whole;
    }

    public override string ToString()
    {
        var digits = BigInteger.Abs(_unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(_scale + 1, '0');
        var whole = digits[..^_scale];
        var places = digits[^_scale..].TrimEnd('0');
        return (_unscaled.Sign < 0 ? "-" : "") + whole + (places.Length > 0 ? "." + places : "");
    }

    private BigInteger At(int scale) => _unscaled * BigInteger.Pow(10, scale - _scale);
}
