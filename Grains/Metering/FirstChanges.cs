namespace Billing.Metering;

/// <summary>
/// What each event changed when it was accepted, for the receipt of its duplicates. Most changed nothing or added their
/// own value, which takes a byte; only the others are kept in full.
/// </summary>
internal sealed class FirstChanges
{
    private const byte Nothing = 0;
    private const byte OwnValue = 1;
    private const byte InFull = 2;

    private readonly NodeValues<byte> _kinds = new();
    private readonly Dictionary<int, PeriodChange[]> _full = [];

    public void Set(int node, Quantity ownValue, UsageChanges changes)
    {
        var rows = changes.Rows;
        if (rows.Length == 1 && rows[0].Change.IsZero)
        {
            _kinds[node] = Nothing;
        }
        else if (rows.Length == 1 && rows[0].Change == ownValue)
        {
            _kinds[node] = OwnValue;
        }
        else
        {
            _kinds[node] = InFull;
            _full[node] = [.. rows];
        }
    }

    /// <summary>Repeats what <see cref="Set"/> was given.</summary>
    public void Get(int node, BillingPeriod own, Quantity ownValue, UsageChanges changes)
    {
        changes.Begin(own);
        switch (_kinds[node])
        {
            case OwnValue:
                changes.Add(own, ownValue);
                break;
            case InFull:
                foreach (var row in _full[node]) changes.Add(row.Period, row.Change);
                break;
        }
    }

    public void Forget(int node) => _full.Remove(node);

    public void Write(SnapshotWriter writer, int node)
    {
        writer.Byte(_kinds[node]);
        if (_kinds[node] == InFull) WriteRows(writer, _full[node]);
    }

    public void Read(ref SnapshotReader reader, int node)
    {
        _kinds[node] = reader.Byte();
        if (_kinds[node] == InFull) _full[node] = ReadRows(ref reader);
    }

    public static void WriteRows(SnapshotWriter writer, ReadOnlySpan<PeriodChange> rows)
    {
        writer.Int(rows.Length);
        foreach (var row in rows)
        {
            writer.Period(row.Period);
            writer.Quantity(row.Change);
        }
    }

    public static PeriodChange[] ReadRows(ref SnapshotReader reader)
    {
        var rows = new PeriodChange[reader.Int()];
        for (var i = 0; i < rows.Length; i++) rows[i] = new(reader.Period(), reader.Quantity());
        return rows;
    }
}
