using System.Numerics;
using System.Text.Json;
using FsCheck.Fluent;

namespace Billing.Tests.Rating;

public sealed class QuantityTests
{
    private static readonly BigInteger Unit = BigInteger.Pow(10, Quantity.MaxPlaces);

    [Theory]
    [InlineData("0", "0")]
    [InlineData("-0", "0")]
    [InlineData("007", "7")]
    [InlineData("12.50", "12.5")]
    [InlineData("-12.5", "-12.5")]
    [InlineData("-0.5", "-0.5")]
    [InlineData("0.0000000000000000000000000001", "0.0000000000000000000000000001")]
    [InlineData("-9999999999999999999999999999.9999999999999999999999999999", "-9999999999999999999999999999.9999999999999999999999999999")]
    [InlineData("99999999999999999999999999999999999999", "99999999999999999999999999999999999999")] // 38 digits: a sum of 10^10 values of 28
    [InlineData("100000000000000000000000000000000000000.5", "100000000000000000000000000000000000000.5")] // 10^38 and a half
    public void APlainDecimal_IsReadAndWrittenWithoutTrailingZeros(string text, string written)
    {
        Assert.True(Quantity.TryParse(text, out var quantity));
        Assert.Equal(written, quantity.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("--1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("1e3")]
    [InlineData("1,000")]
    [InlineData("1.2.3")]
    [InlineData("0.00000000000000000000000000001")] // 29 places
    [InlineData("1000000000000000000000000000000000000000")] // 40 digits
    [InlineData("999999999999999999999999999999999999999")] // 39 digits, beyond 2^127
    [InlineData("١")] // a digit, but not one of ours
    public void WhatIsNoPlainDecimal_IsRefused(string text) => Assert.False(Quantity.TryParse(text, out _));

    [Fact]
    public void AQuantity_IsAStringInJson()
    {
        Assert.True(Quantity.TryParse("-0.25", out var quantity));

        var json = JsonSerializer.Serialize(quantity);

        Assert.Equal("\"-0.25\"", json);
        Assert.Equal(quantity, JsonSerializer.Deserialize<Quantity>(json));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Quantity>("0.25"));
    }

    [Fact]
    public void AnyQuantity_ReadsBackAsItWasWritten() =>
        Prop.ForAll(Quantities, digits =>
        {
            var (quantity, exact) = From(digits);

            Assert.True(Quantity.TryParse(quantity.ToString(), out var again));

            Assert.Equal(quantity, again);
            Assert.Equal(exact, again.ToUnscaled());
        }).Holds();

    [Fact]
    public void SumsAndDifferences_AreExact() =>
        Prop.ForAll(Quantities, Quantities, (first, second) =>
        {
            var (left, leftExact) = From(first);
            var (right, rightExact) = From(second);

            Assert.Equal(leftExact + rightExact, (left + right).ToUnscaled());
            Assert.Equal(leftExact - rightExact, (left - right).ToUnscaled());
            Assert.Equal(leftExact.CompareTo(rightExact), Math.Sign(left.CompareTo(right)));
            Assert.Equal(leftExact == rightExact, left == right);
            Assert.InRange((left - right).Fraction, Int128.Zero, (Int128)Unit - 1);
        }).Holds();

    [Fact]
    public void Sums_DoNotDependOnOrder() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), Generated.Number(1000), (seeds, shuffle) =>
        {
            var all = seeds.Select(seed => From([.. Digits(seed)])).ToList();

            var inOrder = all.Aggregate(Quantity.Zero, (sum, q) => sum + q.Quantity);
            var shuffled = Generated.Shuffled(all, shuffle).Aggregate(Quantity.Zero, (sum, q) => sum + q.Quantity);

            Assert.Equal(inOrder, shuffled);
            Assert.Equal(all.Aggregate(BigInteger.Zero, (sum, q) => sum + q.Exact), inOrder.ToUnscaled());
        }).Holds();

    internal static FsCheck.Arbitrary<int[]> Quantities => Generated.Numbers(10);

    // The digits of a quantity in units of 10^-28; an odd number of them means a negative one.
    internal static (Quantity Quantity, BigInteger Exact) From(int[] digits)
    {
        var exact = digits.Take(65).Aggregate(BigInteger.Zero, (sum, digit) => (sum * 10) + digit);
        if (digits.Length % 2 == 1) exact = -exact;
        var whole = BigInteger.Divide(exact - (exact.Sign < 0 ? Unit - 1 : 0), Unit);
        return (Quantity.FromParts((Int128)whole, (Int128)(exact - (whole * Unit))), exact);
    }

    private static IEnumerable<int> Digits(int seed)
    {
        var random = new Random(seed);
        return Enumerable.Range(0, random.Next(60)).Select(_ => random.Next(10));
    }
}
