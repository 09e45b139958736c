using System.Diagnostics.CodeAnalysis;

namespace Orleans.Runtime;

/// <summary>A timer of one activation. It stops when disposed of, and with its activation.</summary>
public interface IGrainTimer : IDisposable
{
    /// <summary>Sets when the timer fires next, and how long after each callback it fires again.</summary>
    void Change(TimeSpan dueTime, TimeSpan period);
}

/// <summary>How a grain timer behaves.</summary>
public readonly struct GrainTimerCreationOptions()
{
    /// <summary>A timer with these times that takes turns with requests and keeps nothing alive.</summary>
    [SetsRequiredMembers]
    public GrainTimerCreationOptions(TimeSpan dueTime, TimeSpan period)
        : this()
    {
        DueTime = dueTime;
        Period = period;
    }

    /// <summary>Time to the first callback. <see cref="Timeout.InfiniteTimeSpan"/>: never.</summary>
    public required TimeSpan DueTime { get; init; }

    /// <summary>Time from the end of one callback to the start of the next. <see cref="Timeout.InfiniteTimeSpan"/>: once only.</summary>
    public required TimeSpan Period { get; init; }

    /// <summary>Whether a callback may run between the awaits of a request.</summary>
    public bool Interleave { get; init; }

    /// <summary>Whether a callback counts as use, so that the activation is not collected.</summary>
    public bool KeepAlive { get; init; }
}
