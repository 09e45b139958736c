using System.Text;
using Billing.Tests.Support;

namespace Billing.Tests.Faults;

/// <summary>One request of a script. Sent again, with the same bytes, it leaves the platform as if it had been sent once.</summary>
/// <param name="Path">The path.</param>
/// <param name="Body">The body.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Events">The events in it, one JSON text each; empty for any other request.</param>
internal sealed record ScriptRequest(string Path, string Body, string ContentType, IReadOnlyList<ScriptEvent> Events)
{
    public Task<ApiAnswer> Send(ApiCaller api) => api.Send("POST", Path, Encoding.UTF8.GetBytes(Body), ContentType);

    /// <summary>Sends it until it is taken: 503 asks for the same again, as an activation that lost its account is read anew.</summary>
    public async Task<ApiAnswer> SendUntilTaken(ApiCaller api)
    {
        ApiAnswer? answer = null;
        await Eventually.True(async () => (answer = await Send(api)).Status != 503, $"{Path} is taken");
        Assert.True(answer!.Status is 200 or 201 or 409, answer.Text);
        return answer;
    }

    /// <summary>Opens an account on <c>desk-basic</c>.</summary>
    public static ScriptRequest Open(string account) => new("/v1/accounts", ApiCaller.Account(account, "desk-basic"), "application/json", []);

    public static ScriptRequest ClockTo(DateTimeOffset instant) =>
        new("/v1/sandbox/clock", $$"""{"now":"{{instant:yyyy-MM-dd'T'HH:mm:ss'Z'}}"}""", "application/json", []);

    public static ScriptRequest Of(IReadOnlyList<ScriptEvent> events) =>
        new("/v1/events?receipts=none", string.Join('\n', events.Select(e => e.Json)), ApiCaller.Lines, events);
}

/// <summary>One ticket of an account.</summary>
internal sealed record ScriptEvent(string Account, string Id, DateTimeOffset Time)
{
    public string Json => ApiCaller.Event(Account, Id, Time);
}

/// <summary>A sequence of requests whose outcome is known, and what the platform shows at its end.</summary>
internal sealed class Script(IReadOnlyList<string> accounts, IReadOnlyList<ScriptRequest> requests)
{
    public IReadOnlyList<string> Accounts { get; } = accounts;

    public IReadOnlyList<ScriptRequest> Requests { get; } = requests;

    /// <summary>A month of five accounts: duplicates inside bodies and between them, late ones in the grace and behind it, two invoices each.</summary>
    public static Script Month { get; } = MakeMonth();

    /// <summary>One account with so many events that its snapshots are written and its ids sealed as the days go by, and one with few.</summary>
    public static Script Snapshots { get; } = MakeSnapshots();

    /// <summary>All that the platform shows of the accounts, one text each.</summary>
    public async Task<IReadOnlyList<string>> Show(ApiCaller api)
    {
        var shown = new List<string>();
        foreach (var account in Accounts)
        {
            var text = new StringBuilder();
            foreach (var path in new[] { "", "/usage?meter=desk.tickets&granularity=period", "/invoices", "/ledger?limit=1000" })
            {
                var answer = await api.Get($"/v1/accounts/{account}{path}");
                Assert.True(answer.Status == 200, answer.Text);
                text.AppendLine(answer.Text);
            }

            shown.Add(text.ToString());
        }

        return shown;
    }

    /// <summary>Holds the usage to what counting the distinct events by hand gives (I1).</summary>
    public async Task IsCountedOnce(ApiCaller api)
    {
        foreach (var account in Accounts)
        {
            var wanted = Requests.SelectMany(r => r.Events).Where(e => e.Account == account).DistinctBy(e => e.Id)
                .GroupBy(e => new DateTimeOffset(e.Time.Year, e.Time.Month, 1, 0, 0, 0, TimeSpan.Zero))
                .ToDictionary(g => g.Key, g => g.Count());
            var items = (await api.Get($"/v1/accounts/{account}/usage?meter=desk.tickets&granularity=period")).Json.GetProperty("items");
            var counted = items.EnumerateArray()
                .Select(i => (Start: i.GetProperty("period").GetProperty("start").GetDateTimeOffset(), Quantity: int.Parse(i.GetProperty("quantity").GetString()!)))
                .Where(i => i.Quantity > 0)
                .ToDictionary(i => i.Start, i => i.Quantity);
            Assert.Equal(wanted.OrderBy(w => w.Key), counted.OrderBy(c => c.Key));
        }
    }

    private static Script MakeMonth()
    {
        var random = new Random(20260101);
        string[] accounts = [.. Enumerable.Range(0, 5).Select(a => $"shop-{a}")];
        var requests = accounts.Select(ScriptRequest.Open).ToList();
        var sent = new List<ScriptEvent>();
        var clock = FaultStore.Start;
        Batches(3);
        MoveTo(FaultStore.Start.AddDays(14));
        Batches(3);
        MoveTo(FaultStore.Start.AddMonths(1));
        Batches(2, FaultStore.Start.AddDays(20));
        MoveTo(FaultStore.Start.AddMonths(1).AddHours(72));
        Batches(2, FaultStore.Start.AddDays(25));
        MoveTo(FaultStore.Start.AddDays(35));
        return new(accounts, requests);

        void MoveTo(DateTimeOffset instant) => requests.Add(ScriptRequest.ClockTo(clock = instant));

        void Batches(int count, DateTimeOffset? late = null)
        {
            for (var b = 0; b < count; b++)
            {
                var batch = new List<ScriptEvent>();
                for (var i = 0; i < 20; i++)
                {
                    var again = random.Next(5);
                    batch.Add(again == 0 && sent.Count > 0 ? sent[random.Next(sent.Count)]
                        : again == 1 && batch.Count > 0 ? batch[random.Next(batch.Count)]
                        : new(accounts[random.Next(accounts.Length)], $"e{requests.Count}.{i}", i % 2 == 0 ? late ?? clock : clock));
                }

                sent.AddRange(batch);
                requests.Add(ScriptRequest.Of(batch));
            }
        }
    }

    private static Script MakeSnapshots()
    {
        string[] accounts = ["large", "small"];
        var requests = accounts.Select(ScriptRequest.Open).ToList();
        for (var day = 0; day < 6; day++)
        {
            var clock = FaultStore.Start.AddDays(day);
            if (day > 0) requests.Add(ScriptRequest.ClockTo(clock));
            for (var b = 0; b < 2; b++)
            {
                requests.Add(ScriptRequest.Of(
                    [.. Enumerable.Range(0, 800).Select(i => new ScriptEvent(i % 100 == 0 ? "small" : "large", $"e{day}.{b}.{i}", clock))]));
            }
        }

        requests.Add(ScriptRequest.ClockTo(FaultStore.Start.AddMonths(1).AddHours(72)));
        return new(accounts, requests);
    }
}
