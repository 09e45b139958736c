using Billing.Silo.Storage;
using Billing.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Billing.Tests.Faults;

/// <summary>
/// Runs a script on a silo that is told to kill itself, goes on behind the crash, and holds the end to what an undisturbed run shows.
/// </summary>
internal sealed class CrashRun(Script script)
{
    private const int KilledCode = 137;

    private readonly SemaphoreSlim _one = new(1, 1);
    private IReadOnlyList<string>? _undisturbed;

    /// <summary>
    /// Kills the silo at a commit point and goes on with what is durable. Every acknowledged event is there (I5), each is counted once
    /// (I1), what was delivered is accounted for (I2), nothing stored is damaged or missing (I6), and what is shown equals the undisturbed run,
    /// also when all that is derived from the journal is made anew (I7).
    /// </summary>
    public async Task CrashAt(FaultStore store, string point, int times)
    {
        var acknowledged = new List<ScriptEvent>();
        var next = 0;
        await using (var silo = await store.StartSilo(("CRASH_AT", $"{point}:{times}")))
        {
            using var api = new ApiCaller(silo.Url, silo.Key);
            next = await SendUntilDead(api, acknowledged);
            Assert.Equal(KilledCode, await EndOf(silo));
        }

        await GoOn(store, acknowledged, next);
    }

    /// <summary>Kills the silo at a commit point that is reached when it drains at SIGTERM.</summary>
    public async Task CrashAtDraining(FaultStore store, string point, int requests)
    {
        var acknowledged = new List<ScriptEvent>();
        await using (var silo = await store.StartSilo(("CRASH_AT", $"{point}:1")))
        {
            using var api = new ApiCaller(silo.Url, silo.Key);
            for (var i = 0; i < requests; i++) await Acknowledged(api, script.Requests[i], acknowledged);
            Assert.Equal(KilledCode, await silo.StopAsync());
        }

        await GoOn(store, acknowledged, requests);
    }

    /// <summary>Sends the script to a silo to which something is done from outside until it answers no more, and goes on behind its end.</summary>
    /// <param name="store">The store.</param>
    /// <param name="requests">So many requests are answered before.</param>
    /// <param name="disturb">What is done then.</param>
    /// <param name="exitCode">With what the silo must end by itself.</param>
    public async Task EndsBy(FaultStore store, int requests, Func<SiloProcess, Task<IAsyncDisposable>> disturb, int exitCode)
    {
        var acknowledged = new List<ScriptEvent>();
        var next = requests;
        await using (var silo = await store.StartSilo())
        {
            using var api = new ApiCaller(silo.Url, silo.Key);
            for (var i = 0; i < requests; i++) await Acknowledged(api, script.Requests[i], acknowledged);
            await using var disturbed = await disturb(silo);
            next = await SendUntilDead(api, acknowledged, requests);
            Assert.Equal(exitCode, await EndOf(silo));
        }

        await GoOn(store, acknowledged, next);
    }

    /// <summary>Goes on behind a crash: looks for what was acknowledged, sends the rest, and compares the end.</summary>
    public async Task GoOn(FaultStore store, List<ScriptEvent> acknowledged, int next)
    {
        await using (var platform = await store.Open())
        {
            await AreThere(platform.Api, acknowledged);
            for (var i = next; i < script.Requests.Count; i++) await Acknowledged(platform.Api, script.Requests[i], acknowledged);
            await IsTheUndisturbedRun(platform, "behind the crash");
        }

        await store.DeleteDerived();
        await using var rebuilt = await store.Open();
        await IsTheUndisturbedRun(rebuilt, "rebuilt from the journal alone");
    }

    /// <summary>Holds every acknowledged event to be known: sent again, it is a duplicate (I5).</summary>
    public static async Task AreThere(ApiCaller api, IReadOnlyList<ScriptEvent> acknowledged)
    {
        if (acknowledged.Count == 0) return;
        var again = await ScriptRequest.Of(acknowledged).Send(api);
        Assert.True(again.Status == 200 && again.Count("duplicate") == acknowledged.Count, $"Of {acknowledged.Count} acknowledged events: {again.Text}");
    }

    /// <summary>What the platform shows at the end of the script when nothing disturbs it.</summary>
    public async Task<IReadOnlyList<string>> Undisturbed()
    {
        await _one.WaitAsync();
        try
        {
            if (_undisturbed is not null) return _undisturbed;
            await using var store = await FaultStore.New(FaultStore.Sqlite);
            await using var platform = await store.Open();
            foreach (var request in script.Requests) await Acknowledged(platform.Api, request, []);
            return _undisturbed = await script.Show(platform.Api);
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task IsTheUndisturbedRun(OpenPlatform platform, string when)
    {
        await script.IsCountedOnce(platform.Api);
        var shown = await script.Show(platform.Api);
        var undisturbed = await Undisturbed();
        Assert.Equal(undisturbed.Count, shown.Count);
        foreach (var (wanted, got) in undisturbed.Select(PaymentText.Without).Zip(shown.Select(PaymentText.Without))) Assert.True(wanted == got, $"{when}, undisturbed:\n{wanted}\nshown:\n{got}");
        Assert.Empty(await platform.Services.GetRequiredService<IIntegrity>().Check(default));
    }

    // The number of the request that was not answered.
    private async Task<int> SendUntilDead(ApiCaller api, List<ScriptEvent> acknowledged, int from = 0)
    {
        for (var i = from; i < script.Requests.Count; i++)
        {
            try
            {
                var answer = await script.Requests[i].Send(api);
                if (answer.Status == 503) return i;
                Note(script.Requests[i], answer, acknowledged);
            }
            catch (HttpRequestException)
            {
                return i;
            }
        }

        return script.Requests.Count;
    }

    // The rest of a short script may be answered between the point and the kill.
    private static async Task<int> EndOf(SiloProcess silo)
    {
        try
        {
            return await silo.EndedAsync();
        }
        catch (OperationCanceledException)
        {
            throw new SiloFailedException($"The commit point was never reached: the silo answered the whole script. Its log:\n{silo.Log}");
        }
    }

    private static async Task Acknowledged(ApiCaller api, ScriptRequest request, List<ScriptEvent> acknowledged) =>
        Note(request, await request.Send(api), acknowledged);

    private static void Note(ScriptRequest request, ApiAnswer answer, List<ScriptEvent> acknowledged)
    {
        var opened = request.Path == "/v1/accounts" && answer.Status is 201 or 409;
        Assert.True(opened || answer.Status == 200, $"{request.Path}: {answer.Status} {answer.Text}");
        if (request.Events.Count == 0) return;
        var told = new[] { "accepted", "duplicate", "conflict", "quarantined", "rejected" }.Sum(answer.Count);
        Assert.True(told == request.Events.Count, $"{request.Events.Count} events were delivered: {answer.Text}");
        acknowledged.AddRange(request.Events);
    }
}
