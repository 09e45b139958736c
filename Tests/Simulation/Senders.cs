using System.Numerics;
using Billing.Accounts;
using Billing.Charging;
using Billing.Silo.Ingest;
using Billing.Tests.Model;
using Billing.Usage;

namespace Billing.Tests.Simulation;

/// <summary>Sends all traffic of a run to silos by chance, and sends again until it is answered.</summary>
internal sealed class Senders(World world, Process process, Network network, Func<SimulatedSilo?> anySilo, PlantedFault fault)
{
    private const long FirstPause = 200 * TimeSpan.TicksPerMillisecond;
    private const long LongestPause = 12 * TimeSpan.TicksPerHour;

    private readonly Dictionary<(string Account, string Meter, DateTimeOffset Period), BigInteger> _shown = [];
    private int _given;

    /// <summary>What is sent and not answered yet.</summary>
    public List<object> Unanswered { get; } = [];

    public void Begin(Traffic traffic)
    {
        foreach (var account in traffic.Accounts)
        {
            At(account.OpenAt, $"open {account.Id}", () => Until(silo => Open(silo, account)));
            if (account.CancelAt is { } cancel) At(cancel, $"cancel {account.Id}", () => Until(silo => Cancel(silo, account.Id)));
            if (account.UndoAt is { } undo) At(undo, $"undo {account.Id}", () => Until(silo => Undo(silo, account.Id)));
            foreach (var change in account.Changes) At(change.At, $"{change.Id} of {account.Id}", () => Until(silo => Change(silo, account.Id, change)));
        }

        foreach (var body in traffic.Bodies) At(body.At, body, () => Deliver(body));
    }

    /// <summary>Reads the usage of an account some time; what only adds up never falls, whatever crashed in between.</summary>
    /// <remarks>Where two silos serve, the one that was overtaken may show what it knows: only one silo is held to this.</remarks>
    public void Read(long at, string account, ModelMeter meter) => At(at, $"read {account}", async () =>
    {
        var (answer, shown) = await Until(async silo =>
        {
            // What somebody has seen before this was asked.
            var shown = new Dictionary<(string, string, DateTimeOffset), BigInteger>(_shown);
            return Tuple.Create(await silo.Grains.GetGrain<IMerchantAccountGrain>(account).GetUsage(meter.Id, null, null), shown);
        });
        foreach (var row in answer.Usage?.Items ?? [])
        {
            var (place, quantity) = ((account, meter.Id, row.Period.Start), row.Quantity.ToUnscaled());
            var before = shown.GetValueOrDefault(place);
            if (quantity < before) throw new SimulationException($"I5: the usage of {account} by {meter} fell from {before}e-28 to {quantity}e-28.");
            _shown[place] = BigInteger.Max(quantity, _shown.GetValueOrDefault(place));
            world.Trace.Count("usage read");
        }
    });

    /// <summary>Gives an account another payment method some time, a token of the sandbox's.</summary>
    public void Give(long at, string account, string method)
    {
        var command = new ChangePaymentMethod(method, "They have another one.", false, $"method {++_given} of {account}");
        At(at, command.CommandId!, () => Until(async silo =>
        {
            var answer = await silo.Grains.GetGrain<IMerchantAccountGrain>(account).ChangePaymentMethod(command);
            if (answer.Change is not null) world.Trace.Count("payment method given");
            return Final(answer.Refusal, answer);
        }));
    }

    /// <summary>Looks at an account some time.</summary>
    public void Look(long at, string account) => At(at, $"look at {account}", () => Until(async silo => await silo.Grains.GetGrain<IMerchantAccountGrain>(account).GetAccount()));

    public override string ToString() => string.Join("; ", Unanswered);

    private static async Task<object?> Open(SimulatedSilo silo, SentAccount account)
    {
        var answer = await silo.Grains.GetGrain<IMerchantAccountGrain>(account.Id).Open(
            new("Acme", "billing@acme.example", null, "DE", [account.Plan], "v1", "pm_card_visa", true, $"open {account.Id}"));
        return Final(answer.Refusal, answer);
    }

    private static async Task<object?> Change(SimulatedSilo silo, string account, SentChange change)
    {
        var grain = silo.Grains.GetGrain<IMerchantAccountGrain>(account);
        var answer = change switch
        {
            { Plan: { } plan, When: { } when } => await grain.ChangePlans(new([new(ModelCatalog.Desk, plan)], null, when, "They asked for it.", false, change.Id)),
            { Automatic: { } automatic } => await grain.ChangeSettings(new(automatic, "They asked for it.", false, change.Id)),
            _ => await grain.UndoPlanChange(new(ModelCatalog.Desk, null)),
        };
        change.Acknowledged |= answer.Change is not null;
        return Final(answer.Refusal, answer);
    }

    private static async Task<object?> Cancel(SimulatedSilo silo, string account)
    {
        var answer = await silo.Grains.GetGrain<IMerchantAccountGrain>(account).Cancel(new("The shop closes.", false, $"cancel {account}"));
        return Final(answer.Refusal, answer);
    }

    private static async Task<object?> Undo(SimulatedSilo silo, string account)
    {
        var answer = await silo.Grains.GetGrain<IMerchantAccountGrain>(account).UndoCancellation(new("It goes on."));
        return Final(answer.Refusal, answer);
    }

    private static object? Final(Refusal? refusal, object answer) => refusal is { Kind: RefusalKind.Retry } ? null : answer;

    private void At(long ticks, object what, Func<Task> send)
    {
        Unanswered.Add(what);
        world.After(process, ticks - world.Now, () => process.Begin(async () =>
        {
            await send();
            Unanswered.RemoveAll(waiting => ReferenceEquals(waiting, what));
        }));
    }

    private async Task<T> Until<T>(Func<SimulatedSilo, Task<T?>> serve)
        where T : class
    {
        for (var pause = FirstPause; ; pause = long.Min(2 * pause, LongestPause))
        {
            if (await network.Call(anySilo(), serve) is { } answer) return answer;
            world.Trace.Count("sent again");
            await world.Delay(process, world.From(pause / 2, pause));
        }
    }

    private async Task Deliver(SentBody body)
    {
        var result = await Until<IngestResult>(async silo =>
        {
            // As the endpoint does, which gives its buffer back when the ingest has answered.
            var bytes = body.Bytes;
            var ingest = silo.Ingest.Ingest(body.Format, bytes, body.KeepBodies, body.WantReceipts);
            if (fault == PlantedFault.AnsweredBeforeDurable) return AllAccepted(body);
            var answer = await ingest;
            Array.Fill(bytes, (byte)'#');
            return answer.Refusal is null ? answer : null;
        });
        foreach (var count in result.Counts) world.Trace.Add(count);
        var receipts = result.Receipts.Count > 0 ? result.Receipts.Count : body.Events.Length;
        if (receipts != body.Events.Length || result.Counts.Sum() != body.Events.Length)
            throw new SimulationException($"I2: {body.Events.Length} events were answered with {receipts} receipts and {result.Counts.Sum()} outcomes.");
        for (var i = 0; i < body.Events.Length; i++)
        {
            body.Events[i].Acknowledged = true;
            if (result.Receipts.Count == 0) continue;
            body.Events[i].Answers.Add(result.Receipts[i].Receipt.Outcome);
            world.Trace.Count($"answered {result.Receipts[i].Receipt.Outcome}");
        }
    }

    private static IngestResult AllAccepted(SentBody body)
    {
        var answer = new IngestResult();
        answer.Counts[(int)UsageOutcome.Accepted] = body.Events.Length;
        return answer;
    }
}
