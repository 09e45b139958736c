namespace Billing.Silo.Storage;

/// <summary>Whether a store can be used, told once when it no longer can and once when it can again, however many calls meet it.</summary>
/// <param name="changed">Is told why, or null when it is back.</param>
internal sealed class Availability(Action<StoreUnavailableException?> changed)
{
    private readonly Lock _gate = new();
    private long _failures;
    private bool _away;

    /// <summary>A call begins.</summary>
    /// <returns>What <see cref="Done"/> wants to know.</returns>
    public long Begin() => Interlocked.Read(ref _failures);

    /// <summary>The call is done. That the store is back is said only by one that began after the last failure.</summary>
    public void Done(long began)
    {
        if (!Volatile.Read(ref _away)) return;
        lock (_gate)
        {
            if (!_away || _failures != began) return;
            _away = false;
            changed(null);
        }
    }

    /// <summary>A call failed because the store cannot be used.</summary>
    /// <returns>The exception to throw.</returns>
    public StoreUnavailableException Failed(string why, Exception failed)
    {
        var unavailable = new StoreUnavailableException(why, failed);
        lock (_gate)
        {
            _failures++;
            if (_away) return unavailable;
            _away = true;
            changed(unavailable);
            return unavailable;
        }
    }
}
