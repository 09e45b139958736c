using Billing.Accounts;

namespace Billing.Benchmarks.Window;

/// <summary>One account, its events and what is right for it.</summary>
internal sealed class HotAccount(WindowCase what, int size, int number, ulong seed)
{
    public WindowEvents Events { get; } = new(what, size, $"acct-{number:D5}", unchecked(seed + ((ulong)number << 32)));

    public string Id => Events.Account;

    public int Size => size;

    /// <summary>Whether another burst would leave it with more than twice its ids: then a fresh account takes its place.</summary>
    public bool IsUsedUp => Events.Distinct + WindowOptions.BurstLines > 2 * long.Max(size, WindowOptions.BurstLines);

    public static OpenAccount Command(string account) => new(
        account, $"{account}@example.com", null, null, [WindowCase.PlanId], WindowCase.CatalogVersion, "pm_card_visa", true, null);

    /// <summary>What is wrong with what is held of it; null when nothing is.</summary>
    public string? Compare(HeldUsage held)
    {
        if (held.Accepted != Events.Distinct || held.Duplicates != Events.Duplicates || held.Remembered != Events.Distinct)
        {
            return $"{Id}: {held.Accepted:N0} accepted, {held.Duplicates:N0} duplicates and {held.Remembered:N0} kept; right are {Events.Distinct:N0} and {Events.Duplicates:N0}";
        }

        return what.Truth(Events.ToArray()).Compare(held.Usage) is { } wrong ? $"{Id}: {wrong}" : null;
    }
}
