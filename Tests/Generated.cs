using FsCheck;
using FsCheck.Fluent;

namespace Billing.Tests;

/// <summary>What properties are tried on. A failing property prints the seed that brings its case back.</summary>
internal static class Generated
{
    /// <summary>Arrays of numbers from 0 to below <paramref name="below"/>; shrinks to fewer and smaller ones.</summary>
    public static Arbitrary<int[]> Numbers(int below) => Arb.From(Gen.Choose(0, below - 1).ArrayOf(), Smaller);

    /// <summary>Non-empty arrays of the same kind.</summary>
    public static Arbitrary<int[]> SomeNumbers(int below) => Numbers(below).Filter(numbers => numbers.Length > 0);

    /// <summary>A number from 0 to below <paramref name="below"/>.</summary>
    public static Arbitrary<int> Number(int below) => Arb.From(Gen.Choose(0, below - 1), n => n == 0 ? [] : new[] { 0, n / 2 }.Distinct());

    private const int LongRunFactor = 50;
    private const int ShortRunDivisor = 10;
    private const int CasesMin = 10;

    /// <summary>Whether the suites may take their time: <c>./test all</c>.</summary>
    public static bool LongRun { get; } = Environment.GetEnvironmentVariable("BILLING_TEST_LONG") == "1";

    /// <summary>Whether each test is run hundreds of times, against one planted fault after the other.</summary>
    private static readonly bool ShortRun = Environment.GetEnvironmentVariable("BILLING_TEST_SHORT") == "1";

    /// <summary>
    /// Tries a property on so many cases, fifty times as many in a long run, a tenth in a short one; the failure shows the smallest case
    /// found and its seed.
    /// </summary>
    public static void Holds(this Property property, int cases = 100)
    {
        var tried = LongRun ? cases * LongRunFactor : ShortRun ? Math.Max(CasesMin, cases / ShortRunDivisor) : cases;
        property.Check(Config.QuickThrowOnFailure.WithMaxTest(tried).WithQuietOnSuccess(true));
    }

    /// <summary>The items in another order, the same for the same seed.</summary>
    public static T[] Shuffled<T>(IEnumerable<T> items, int seed)
    {
        var shuffled = items.ToArray();
        new Random(seed).Shuffle(shuffled);
        return shuffled;
    }

    private static IEnumerable<int[]> Smaller(int[] numbers)
    {
        if (numbers.Length > 1)
        {
            yield return numbers[..(numbers.Length / 2)];
            yield return numbers[(numbers.Length / 2)..];
        }

        for (var i = 0; i < numbers.Length; i++) yield return [.. numbers[..i], .. numbers[(i + 1)..]];
        for (var i = 0; i < numbers.Length; i++)
            if (numbers[i] > 0) yield return [.. numbers[..i], numbers[i] / 2, .. numbers[(i + 1)..]];
    }
}
