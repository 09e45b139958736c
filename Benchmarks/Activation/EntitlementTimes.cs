using System.Diagnostics;
using System.Globalization;
using Billing.Accounts;
using Billing.Benchmarks.Window;
using Billing.Silo.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace Billing.Benchmarks.Activation;

/// <summary>How long an active account with many remembered ids takes to answer whether a meter may be used: a grain call, alone and while events come in.</summary>
internal static class EntitlementTimes
{
    private const int Calls = 20_000;
    private const int WarmUp = 2_000;
    private const double WantedMilliseconds = 5;

    /// <summary>Measures and prints a line for each.</summary>
    /// <param name="platform">Has the account.</param>
    /// <param name="account">Its id.</param>
    /// <param name="name">The case.</param>
    /// <param name="send">Sends the next events to it.</param>
    public static async Task Measure(Platform platform, string account, string name, Func<Task> send)
    {
        var grain = platform.Services.GetRequiredService<IGrainFactory>().GetGrain<IMerchantAccountGrain>(account);
        await Times(grain, WarmUp);
        Print(name, "alone", await Times(grain, Calls));

        var sending = true;
        var sender = Task.Run(async () =>
        {
            while (Volatile.Read(ref sending)) await send();
        });
        var times = await Times(grain, Calls / 10);
        Volatile.Write(ref sending, false);
        await sender;
        Print(name, "beside events", times);
    }

    private static async Task<List<double>> Times(IMerchantAccountGrain grain, int calls)
    {
        var times = new List<double>(calls);
        for (var i = 0; i < calls; i++)
        {
            var start = Stopwatch.GetTimestamp();
            var answer = await grain.GetEntitlement(WindowCase.MeterId);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            if (answer.Entitlement is not { Allowed: true }) throw new InvalidOperationException(answer.Refusal?.Detail ?? answer.Entitlement!.Reason);
        }

        times.Sort();
        return times;
    }

    private static void Print(string name, string how, List<double> times) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{name,-10} entitlement {how,-13} p50 {times[times.Count / 2] * 1000,6:N0} µs, p99 {times[times.Count * 99 / 100] * 1000,6:N0} µs, highest {times[^1],6:N2} ms; p99 under {WantedMilliseconds:N0} ms wanted: {(times[times.Count * 99 / 100] < WantedMilliseconds ? "yes" : "NO")}"));
}
