using Microsoft.Extensions.Logging;

namespace Billing.Tests.Simulation;

/// <summary>What must never be logged, whatever fails outside: an account that is held, or a turn that failed by itself.</summary>
internal sealed class Watched<T>(World world) : ILogger<T>
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Name is "LogHeld" or "LogFailed") world.Fail(new SimulationException(formatter(state, exception), exception));
    }
}
