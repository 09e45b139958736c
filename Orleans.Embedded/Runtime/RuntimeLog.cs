using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Orleans.Embedded;

/// <summary>What the runtime tells its operators.</summary>
internal sealed partial class RuntimeLog(ILogger<RuntimeLog> logger)
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Grain {Grain} could not be activated; the calls that waited got the exception")]
    public partial void ActivationFailed(Exception exception, GrainId grain);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Grain {Grain} failed while it deactivated; it was ended all the same")]
    public partial void DeactivationFailed(Exception exception, GrainId grain);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A {Type} failed while it was disposed of")]
    public partial void DisposeFailed(Exception exception, Type type);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A timer of grain {Grain} failed; it goes on")]
    public partial void TimerFailed(Exception? exception, GrainId grain);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A one-way call failed: {Call}")]
    public partial void OneWayFailed(Exception? exception, object call);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} activations were still there when the time to stop was over")]
    public partial void StopIncomplete(int count);
}
