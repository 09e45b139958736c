namespace Billing.Silo.Storage;

/// <summary>What a check of everything has found so far. Any thread may look while the check goes on.</summary>
internal sealed class CheckFindings
{
    private readonly Lock _gate = new();
    private readonly List<string> _damage = [];
    private readonly Dictionary<string, string> _held = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _unlisted = new(StringComparer.Ordinal);
    private long _read;

    /// <summary>Rows that were read.</summary>
    public long Read => Interlocked.Read(ref _read);

    /// <summary>A sentence for each damage, with its place.</summary>
    public IReadOnlyList<string> Damage
    {
        get
        {
            lock (_gate) return [.. _damage];
        }
    }

    /// <summary>The accounts whose entries are damaged, each with a sentence.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Held
    {
        get
        {
            lock (_gate) return [.. _held];
        }
    }

    /// <summary>The accounts whose rows for lists are to be made anew, by id.</summary>
    public IReadOnlyList<string> Unlisted
    {
        get
        {
            lock (_gate) return [.. _unlisted];
        }
    }

    /// <summary>Notes that rows were read.</summary>
    public void Count(long rows = 1) => Interlocked.Add(ref _read, rows);

    /// <summary>Notes a damage.</summary>
    public void Add(string sentence)
    {
        lock (_gate) _damage.Add(sentence);
    }

    /// <summary>Notes a damage that holds an account.</summary>
    public void AddHeld(string account, string sentence)
    {
        lock (_gate)
        {
            _damage.Add(sentence);
            _held.TryAdd(account, sentence);
        }
    }

    /// <summary>Notes that the row of an account for lists is missing or damaged.</summary>
    public void AddUnlisted(string account, string place, string what)
    {
        lock (_gate)
        {
            _damage.Add($"The row for lists of account {account} is {what} at {place}. Nothing is lost: it is made anew from the account.");
            _unlisted.Add(account);
        }
    }

    /// <summary>Notes that the due time of an account is missing or damaged.</summary>
    public void AddDue(string account, string place) =>
        Add($"The due time of account {account} is missing or damaged at {place}. Nothing is lost: it is made anew from the account.");

    /// <summary>Notes that events that wait are damaged.</summary>
    public void AddWaiting(string account, long number, string place) =>
        Add($"Events that wait for account {account} are damaged at {place}, number {number}. They stay there and are not counted: restore the row from a backup, or have them sent again.");

    /// <summary>Notes that what is kept of an event of Stripe is damaged.</summary>
    public void AddStripeEvent(string id, string place) =>
        Add($"What is kept of Stripe's event {id} is damaged at {place}. Nothing is lost: the account looks its charges up at Stripe by itself.");
}

/// <summary>A check for who wants no more than what it found.</summary>
internal static class Checks
{
    /// <summary>Reads all that has a check sum once.</summary>
    /// <returns>A sentence for each damage, with its place; empty when all is well.</returns>
    public static async Task<IReadOnlyList<string>> Check(this IIntegrity integrity, CancellationToken cancellation)
    {
        var findings = new CheckFindings();
        await integrity.Check(findings, cancellation);
        return findings.Damage;
    }
}
