namespace Billing.Tests.Simulation;

/// <summary>The way from senders to silos: requests and answers take their time, come twice, or get lost.</summary>
internal sealed class Network(World world, Process senders)
{
    /// <summary>Of a hundred requests and of a hundred answers, so many get lost.</summary>
    public int LostPercent { get; set; }

    /// <summary>Of a hundred requests, so many come twice.</summary>
    public int DoubledPercent { get; set; }

    /// <summary>Has a silo serve a request.</summary>
    /// <returns>Its answer; null when none came in time, or an answer that says nothing.</returns>
    public async Task<T?> Call<T>(SimulatedSilo? silo, Func<SimulatedSilo, Task<T?>> serve)
        where T : class
    {
        if (silo is null)
        {
            await world.Delay(senders, world.Latency());
            return null;
        }

        var answer = new TaskCompletionSource<T?>();
        var timeout = world.After(senders, TimeSpan.TicksPerSecond * world.From(1, 60), () => answer.TrySetResult(null));
        for (var copies = world.Chance(DoubledPercent) ? 2 : 1; copies > 0; copies--)
        {
            if (world.Chance(LostPercent)) continue;
            world.After(silo.Process, world.Latency(), () => silo.Process.Begin(() => Serve(silo, serve, answer)));
        }

        var result = await answer.Task;
        timeout.Cancel();
        return result;
    }

    private async Task Serve<T>(SimulatedSilo silo, Func<SimulatedSilo, Task<T?>> serve, TaskCompletionSource<T?> answer)
        where T : class
    {
        T? result;
        try
        {
            result = await serve(silo);
        }
        catch (Exception failed) when (failed is IOException or TimeoutException or Orleans.Runtime.OrleansException or OperationCanceledException)
        {
            result = null;
        }

        if (!world.Chance(LostPercent)) world.After(senders, world.Latency(), () => answer.TrySetResult(result));
    }
}
