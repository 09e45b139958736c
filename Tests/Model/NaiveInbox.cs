using Billing.Usage;

namespace Billing.Tests.Model;

/// <summary>What the billing rules say of each event that comes: window, then id, then the values that meters need.</summary>
internal sealed class NaiveInbox(ModelMeter[] meters)
{
    private static readonly TimeSpan Window = TimeSpan.FromDays(35);
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(5);

    private readonly Dictionary<(string Source, string Id), ModelEvent> first = [];

    /// <summary>The accepted events, in the order in which they came.</summary>
    public IReadOnlyCollection<ModelEvent> Accepted => first.Values;

    public UsageOutcome Judge(ModelEvent sent, DateTimeOffset clock)
    {
        if (sent.Time < clock - Window || sent.Time > clock + Ahead) return UsageOutcome.Quarantined;
        if (first.TryGetValue((sent.Source, sent.Id), out var known))
        {
            return (known.Type, known.Time, known.Json) == (sent.Type, sent.Time, sent.Json) ? UsageOutcome.Duplicate : UsageOutcome.Conflict;
        }

        if (!meters.All(meter => HasWhatIsNeeded(meter, sent))) return UsageOutcome.Rejected;
        first.Add((sent.Source, sent.Id), sent);
        return UsageOutcome.Accepted;
    }

    private static bool HasWhatIsNeeded(ModelMeter meter, ModelEvent sent)
    {
        if (meter.Cancel is { } cancel && (NaiveUsage.Listens(meter, sent) || NaiveUsage.IsCanceller(meter, sent)) && !IsKey(cancel.Key)) return false;
        if (!NaiveUsage.Listens(meter, sent)) return true;
        if (meter.Once is not null && !IsKey(ModelOnce.Key)) return false;
        return meter.Aggregate switch
        {
            ModelAggregate.Count => true,
            ModelAggregate.Unique => IsKey(meter.Value!),
            _ => NaiveUsage.Scalar(sent, meter.Value!) is ['#', not '-', ..],
        };

        bool IsKey(string path) => NaiveUsage.Scalar(sent, path) is ['#' or '"', ..];
    }
}
