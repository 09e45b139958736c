using System.Diagnostics;

namespace Billing.Tests.Support;

/// <summary>Waits for what another thread or process does, up to a deadline.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>Asks until the answer is yes; fails with a sentence at the deadline.</summary>
    public static Task True(Func<bool> isSo, string what) => True(() => Task.FromResult(isSo()), what);

    /// <summary>Asks until the answer is yes; fails with a sentence at the deadline.</summary>
    public static Task True(Func<Task<bool>> isSo, string what) => True(isSo, () => Task.FromResult(what));

    /// <summary>Asks until the answer is yes; fails at the deadline with what stands then.</summary>
    public static async Task True(Func<Task<bool>> isSo, Func<Task<string>> whatStands)
    {
        using var timer = new PeriodicTimer(AskEvery);
        var began = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            if (Stopwatch.GetElapsedTime(began) > Deadline) Assert.Fail($"After {Deadline.TotalSeconds:0} s still not so: {await whatStands()}");
            await timer.WaitForNextTickAsync();
        }
    }
}
