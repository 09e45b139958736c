using System.Runtime.InteropServices;

namespace Billing.Metering;

/// <summary>What one event changed in the usage of one meter: a row per billing period, the event's own first. Reused from event to event.</summary>
internal sealed class UsageChanges
{
    private readonly List<PeriodChange> _rows = [];

    /// <summary>The rows as they stand; valid until the next change.</summary>
    public ReadOnlySpan<PeriodChange> Rows => CollectionsMarshal.AsSpan(_rows);

    /// <summary>Begins with nothing changed.</summary>
    public void Clear() => _rows.Clear();

    /// <summary>Begins with a row of zero for the event's own period.</summary>
    public void Begin(BillingPeriod own)
    {
        _rows.Clear();
        _rows.Add(new(own, Quantity.Zero));
    }

    /// <summary>Adds to the change of a period.</summary>
    public void Add(BillingPeriod period, Quantity change)
    {
        for (var i = 0; i < _rows.Count; i++)
        {
            if (_rows[i].Period.Start != period.Start) continue;
            _rows[i] = new(period, _rows[i].Change + change);
            return;
        }

        _rows.Add(new(period, change));
    }

    /// <summary>Takes what is zero out, but for the first rows.</summary>
    public void Trim(int keep)
    {
        for (var i = _rows.Count - 1; i >= keep; i--)
            if (_rows[i].Change.IsZero) _rows.RemoveAt(i);
    }
}

/// <summary>By how much the usage of a billing period changed, in the meter's unit.</summary>
internal readonly record struct PeriodChange(BillingPeriod Period, Quantity Change);
