namespace Billing.Tests.Model;

/// <summary>Choices that one number decides.</summary>
internal sealed class Draw(int seed)
{
    private readonly Random random = new(seed);

    public T Of<T>(params T[] items) => items[random.Next(items.Length)];

    /// <summary>A number from <paramref name="first"/> to <paramref name="last"/>, both included.</summary>
    public int From(int first, int last) => random.Next(first, last + 1);

    public bool Chance(int percent) => random.Next(100) < percent;
}
