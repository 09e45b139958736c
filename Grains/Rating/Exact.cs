using System.Globalization;
using System.Numerics;

namespace Billing.Rating;

/// <summary>A rational number of any size: prorated allowances, quantities, prices and their products are exact until the one rounding of a line.</summary>
internal readonly struct Exact : IEquatable<Exact>, IComparable<Exact>
{
    /// <summary>How many decimal places are shown of a number that has no end.</summary>
    public const int ShownPlaces = 12;

    private static readonly BigInteger Ten = 10;

    private readonly BigInteger _numerator;

    // Above zero and without a factor in common with the numerator; zero in the default value, which stands for 0/1.
    private readonly BigInteger _denominator;

    private Exact(BigInteger numerator, BigInteger denominator)
    {
        var common = denominator.IsOne ? BigInteger.One : BigInteger.GreatestCommonDivisor(numerator, denominator);
        _numerator = common.IsOne ? numerator : numerator / common;
        _denominator = common.IsOne ? denominator : denominator / common;
    }

    public static Exact Zero => default;

    public static Exact Of(BigInteger whole) => new(whole, BigInteger.One);

    public static Exact Of(long whole) => Of((BigInteger)whole);

    public static Exact Of(Quantity quantity) =>
        quantity.Fraction == 0 ? Of(quantity.Whole) : new(quantity.ToUnscaled(), BigInteger.Pow(Ten, Quantity.MaxPlaces));

    public static Exact Of(decimal value)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        var magnitude = unchecked(
            (new BigInteger((uint)bits[2]) << 64) + (new BigInteger((uint)bits[1]) << 32) + (uint)bits[0]);
        return new(bits[3] < 0 ? -magnitude : magnitude, BigInteger.Pow(Ten, (bits[3] >> 16) & 0xFF));
    }

    /// <summary>A part of a whole, such as seconds of a period's seconds; <paramref name="whole"/> is above zero.</summary>
    public static Exact Fraction(long part, long whole)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(whole);
        return new(part, whole);
    }

    public static Exact operator +(Exact left, Exact right) =>
        new((left._numerator * right.Denominator) + (right._numerator * left.Denominator), left.Denominator * right.Denominator);

    public static Exact operator -(Exact left, Exact right) =>
        new((left._numerator * right.Denominator) - (right._numerator * left.Denominator), left.Denominator * right.Denominator);

    public static Exact operator *(Exact left, Exact right) =>
        new(left._numerator * right._numerator, left.Denominator * right.Denominator);

    public bool IsZero => _numerator.IsZero;

    public bool IsPositive => _numerator.Sign > 0;

    private BigInteger Denominator => _denominator.IsZero ? BigInteger.One : _denominator;

    public int CompareTo(Exact other) => (_numerator * other.Denominator).CompareTo(other._numerator * Denominator);

    public bool Equals(Exact other) => _numerator == other._numerator && Denominator == other.Denominator;

    public override bool Equals(object? obj) => obj is Exact other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_numerator, Denominator);

    /// <summary>How many whole steps of <paramref name="size"/> are begun: 0 for 0, 1 for anything up to one size. Neither is negative.</summary>
    public BigInteger StartedBlocksOf(Exact size)
    {
        var blocks = BigInteger.DivRem(_numerator * size.Denominator, size._numerator * Denominator, out var rest);
        return rest.IsZero ? blocks : blocks + 1;
    }

    /// <summary>The nearest whole number; a half goes to the even neighbour.</summary>
    public BigInteger RoundHalfToEven()
    {
        var whole = BigInteger.DivRem(_numerator, Denominator, out var rest);
        var twice = BigInteger.Abs(rest) * 2;
        var away = twice > Denominator || (twice == Denominator && !whole.IsEven);
        return away ? whole + _numerator.Sign : whole;
    }

    /// <summary>The decimal, in full when it has an end, else rounded half to even to <see cref="ShownPlaces"/> places; without trailing zeros.</summary>
    public override string ToString()
    {
        var places = HasEnd(out var all) ? all : ShownPlaces;
        var unscaled = new Exact(_numerator * BigInteger.Pow(Ten, places), Denominator).RoundHalfToEven();
        var digits = BigInteger.Abs(unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(places + 1, '0');
        var fraction = digits[^places..].TrimEnd('0');
        return (unscaled.Sign < 0 ? "-" : "") + digits[..^places] + (fraction.Length > 0 ? "." + fraction : "");
    }

    /// <summary>The number for a person who wants to follow: a decimal without end is followed by the fraction it stands for, as in <c>0.333333333333 (1/3)</c>.</summary>
    public string ToWords() => HasEnd(out _) ? ToString() : string.Create(CultureInfo.InvariantCulture, $"{this} ({_numerator}/{Denominator})");

    // Each decimal place takes a factor 2, 5 or 10 out of the denominator; what is then left has no decimal end.
    private bool HasEnd(out int places)
    {
        var left = Denominator;
        for (places = 0; ; places++)
        {
            var factor = BigInteger.GreatestCommonDivisor(left, Ten);
            if (factor.IsOne) return left.IsOne;
            left /= factor;
        }
    }
}
