namespace Billing.Benchmarks.Workloads;

/// <summary>
/// Draws account numbers by Zipf's law: the account of rank r is drawn in proportion to 1 / r^exponent. Ranks are
/// shuffled over the numbers, so that the busiest accounts do not stand first in any order.
/// </summary>
public sealed class ZipfAccounts
{
    private readonly SplitMix64 _random;
    private readonly int[] _accountOfRank;
    private readonly double[] _stay;
    private readonly int[] _alias;

    public ZipfAccounts(int count, double exponent, SplitMix64 random)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        _random = random;
        _accountOfRank = Shuffled(count, random);
        (_stay, _alias) = AliasTable(Enumerable.Range(1, count).Select(rank => Math.Pow(rank, -exponent)).ToArray());
    }

    public int Next()
    {
        var rank = _random.Below(_stay.Length);
        return _accountOfRank[_random.Chance(_stay[rank]) ? rank : _alias[rank]];
    }

    private static int[] Shuffled(int count, SplitMix64 random)
    {
        var numbers = Enumerable.Range(0, count).ToArray();
        for (var i = count - 1; i > 0; i--)
        {
            var other = random.Below(i + 1);
            (numbers[i], numbers[other]) = (numbers[other], numbers[i]);
        }

        return numbers;
    }

    /// <summary>Vose's alias method: one draw costs the same however many accounts there are.</summary>
    private static (double[] Stay, int[] Alias) AliasTable(double[] weights)
    {
        var scale = weights.Length / weights.Sum();
        var share = weights.Select(weight => weight * scale).ToArray();
        var small = new Stack<int>(Enumerable.Range(0, share.Length).Where(i => share[i] < 1));
        var large = new Stack<int>(Enumerable.Range(0, share.Length).Where(i => share[i] >= 1));
        var stay = new double[share.Length];
        var alias = new int[share.Length];
        Array.Fill(stay, 1);

        while (small.Count > 0 && large.Count > 0)
        {
            var poor = small.Pop();
            var rich = large.Pop();
            stay[poor] = share[poor];
            alias[poor] = rich;
            share[rich] -= 1 - share[poor];
            (share[rich] < 1 ? small : large).Push(rich);
        }

        return (stay, alias);
    }
}
