using System.Collections.Concurrent;
using Billing.Journal;

namespace Billing.Silo.Checking;

/// <summary>The accounts that are held, as far as this silo knows.</summary>
internal sealed class Holds : IHolds
{
    private readonly ConcurrentDictionary<string, string> _held = new(StringComparer.Ordinal);

    /// <summary>Their ids, in order.</summary>
    public IReadOnlyList<string> Accounts => [.. _held.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Why an account is held; null when it is not.</summary>
    public string? Of(string account) => _held.GetValueOrDefault(account);

    /// <inheritdoc/>
    public void Begin(string account, string why) => _held[account] = why;

    /// <inheritdoc/>
    public void End(string account) => _held.TryRemove(account, out _);
}
