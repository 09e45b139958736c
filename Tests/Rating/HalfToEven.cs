using System.Numerics;

namespace Billing.Tests.Rating;

/// <summary>Rounding as a school book does it: the whole number below, and what is left over it decides.</summary>
internal static class HalfToEven
{
    /// <summary>The nearest whole number to a fraction; a half goes to the even neighbour.</summary>
    public static BigInteger Of(BigInteger numerator, BigInteger denominator)
    {
        var below = BigInteger.Divide(numerator - (numerator.Sign < 0 ? denominator - 1 : 0), denominator);
        var twice = 2 * (numerator - (below * denominator));
        return twice > denominator || (twice == denominator && !below.IsEven) ? below + 1 : below;
    }
}
