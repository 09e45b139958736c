using System.Globalization;
using System.Numerics;
using System.Text;
using Billing.Metering;
using FsCheck.Fluent;

namespace Billing.Tests.Metering;

public sealed class JsonNumberTests
{
    [Theory]
    [InlineData("0", "0")]
    [InlineData("-0", "0")]
    [InlineData("-0.0e5", "0")]
    [InlineData("0e99999999999999999999", "0")]
    [InlineData("1", "1")]
    [InlineData("1.0", "1")]
    [InlineData("10e-1", "1")]
    [InlineData("1E+2", "100")]
    [InlineData("1e00000000000000000002", "100")]
    [InlineData("9007199254740993", "9007199254740993")] // 2^53 + 1
    [InlineData("1e27", "1000000000000000000000000000")] // 28 digits
    [InlineData("1e-28", "0.0000000000000000000000000001")]
    [InlineData("9999999999999999999999999999", "9999999999999999999999999999")] // 28 nines
    [InlineData("99999999999999.99999999999999", "99999999999999.99999999999999")]
    [InlineData("0.1234567890123456789012345678", "0.1234567890123456789012345678")]
    [InlineData("1.00000000000000000000000000000000000000", "1")] // zeros that say nothing
    public void AMeteredValue_IsReadExactly(string json, string quantity)
    {
        Assert.True(JsonNumber.TryReadQuantity(Utf8(json), out var read));
        Assert.Equal(quantity, read.ToString());
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("-1e-400")]
    [InlineData("1e28")] // 29 digits
    [InlineData("1e-29")] // 29 places
    [InlineData("1e400")]
    [InlineData("1e-400")]
    [InlineData("1e99999999999999999999")]
    [InlineData("12345678901234567890123456789")] // 29 digits
    [InlineData("123.45678901234567890123456789")] // 29 digits around the point
    public void AValueBelowZeroOrOfMoreThan28Digits_IsRefused(string json) =>
        Assert.False(JsonNumber.TryReadQuantity(Utf8(json), out _));

    [Theory]
    [InlineData("1.50", "15e-1")]
    [InlineData("1", "1.0")]
    [InlineData("1", "1e0")]
    [InlineData("100", "1e2")]
    [InlineData("100", "1E+0002")]
    [InlineData("0.5", "5e-1")]
    [InlineData("-7", "-7.00")]
    [InlineData("0", "-0.0")]
    public void SpellingsOfOneNumber_ShareACanonicalOne(string one, string other) =>
        Assert.Equal(JsonNumber.Canonical(one), JsonNumber.Canonical(other));

    [Theory]
    [InlineData("1", "-1")]
    [InlineData("9007199254740992", "9007199254740993")] // 2^53 and the next: one double
    [InlineData("0.1", "0.1000000000000000000000000000000000000001")]
    [InlineData("1", "10")]
    [InlineData("0", "0.1")]
    public void DifferentNumbers_HaveDifferentCanonicalSpellings(string one, string other) =>
        Assert.NotEqual(JsonNumber.Canonical(one), JsonNumber.Canonical(other));

    [Fact]
    public void ANumberOfMoreThanAKilobyte_HasNoCanonicalSpelling() =>
        Assert.Null(JsonNumber.Canonical(new string('9', 1025)));

    [Fact]
    public void ADestinationTooShort_IsNotOverrun()
    {
        var json = Utf8("123456789");

        for (var length = 0; length < 60; length++)
        {
            var destination = new byte[length];
            Assert.Equal(length >= 9 + 24, JsonNumber.TryCanonical(json, destination, out var written));
            if (written > 0) Assert.Equal("123456789", Encoding.UTF8.GetString(destination, 0, written));
            else Assert.Equal(new byte[length], destination);
        }
    }

    [Theory]
    [InlineData(26, true)]
    [InlineData(27, false)]
    [InlineData(60, false)]
    public void ZerosBetweenDigits_AreDigits(int zeros, bool isValue) =>
        Assert.Equal(isValue, JsonNumber.TryReadQuantity(Utf8($"1{new string('0', zeros)}1"), out _));

    [Fact]
    public void TheCanonicalSpellingOfZero_NeedsOneByte()
    {
        Assert.False(JsonNumber.TryCanonical("0"u8, [], out _));
        Assert.True(JsonNumber.TryCanonical("-0.00"u8, new byte[1], out var written));
        Assert.Equal(1, written);
    }

    // Goal: whatever the spelling, the value. Method: shift the point and pay it back in the exponent.
    [Fact]
    public void AnySpelling_GivesTheSameQuantityAndCanonicalText() =>
        Prop.ForAll(Generated.SomeNumbers(10), Generated.Number(28), Generated.Number(8), (digits, shift, zeros) =>
        {
            var text = string.Concat(digits.Take(20).Select(d => d.ToString(CultureInfo.InvariantCulture))).TrimStart('0').PadLeft(1, '0');
            var point = int.Min(shift, text.Length - 1);
            var padding = new string('0', zeros);
            string[] spellings =
            [
                text,
                text + "e-0",
                $"{text}.{padding}0",
                $"{text[..^point]}{(point > 0 ? "." + text[^point..] : "")}{(point > 0 ? padding : "")}E+{point}",
                $"{text}{padding}e-{zeros}",
            ];

            foreach (var spelling in spellings)
            {
                Assert.True(JsonNumber.TryReadQuantity(Utf8(spelling), out var quantity), spelling);
                Assert.Equal(BigInteger.Parse(text, CultureInfo.InvariantCulture) * BigInteger.Pow(10, Quantity.MaxPlaces), quantity.ToUnscaled());
                Assert.Equal(JsonNumber.Canonical(text), JsonNumber.Canonical(spelling));
            }
        }).Holds();

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
