using System.Text;
using Billing.Tests.Support;

namespace Billing.Tests.Api;

/// <summary>Events over HTTP: what is counted, what is refused and how it is told.</summary>
public sealed class EventsCallTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse(TestPlatform.Start);

    [Theory]
    [InlineData(ApiCaller.Single)]
    [InlineData(ApiCaller.Batch)]
    [InlineData(ApiCaller.Lines)]
    [InlineData(ApiCaller.Single + "; charset=utf-8")]
    [InlineData(ApiCaller.Lines + ";charset=\"UTF-8\"")]
    [InlineData("Application/X-NDJSON")]
    public async Task EachContentType_IsCountedOnce(string contentType)
    {
        var account = await Opened();
        var e = ApiCaller.Event(account, "e1", Now);

        var first = await Send(contentType, e);
        var again = await Send(contentType, e);

        Assert.Equal((1, 0), (first.Count("accepted"), first.Count("duplicate")));
        Assert.Equal((0, 1), (again.Count("accepted"), again.Count("duplicate")));
        Assert.Equal("1", await Quantity(account));

        Task<ApiAnswer> Send(string type, string json) => type == ApiCaller.Batch
            ? platform.Api.Events(type, json)
            : platform.Api.Send("POST", "/v1/events", json, type);
    }

    [Fact]
    public async Task Receipt_NamesTheEventItsMeterAndItsInvoice()
    {
        var account = await Opened();

        var receipt = (await platform.Api.Events(ApiCaller.Single, ApiCaller.Event(account, "e1", Now))).Json.GetProperty("receipts")[0];

        Assert.Equal("""
            {"source":"shop","id":"e1","outcome":"accepted","meters":[{"meter":"desk.tickets","quantity":"1","period":{"start":"2026-01-01T00:00:00Z","end":"2026-02-01T00:00:00Z"}}],"billed_on":{"kind":"usage","invoice_period":{"start":"2026-02-01T00:00:00Z","end":"2026-03-01T00:00:00Z"}}}
            """, receipt.GetRawText());
    }

    [Fact]
    public async Task DuplicateReceipt_IsTheFirstOneButForItsOutcome()
    {
        var account = await Opened();
        var e = ApiCaller.Event(account, "e1", Now);

        var first = await platform.Api.Events(ApiCaller.Single, e);
        var again = await platform.Api.Events(ApiCaller.Single, e);

        Assert.Equal(
            first.Json.GetProperty("receipts")[0].GetRawText().Replace("accepted", "duplicate", StringComparison.Ordinal),
            again.Json.GetProperty("receipts")[0].GetRawText());
    }

    [Theory]
    [InlineData(ApiCaller.Batch, "[]")]
    [InlineData(ApiCaller.Batch, " [ ] ")]
    [InlineData(ApiCaller.Lines, "")]
    [InlineData(ApiCaller.Lines, "\n\r\n  \n")]
    public async Task EmptyBatch_IsFine(string contentType, string body)
    {
        var answer = await platform.Api.Send("POST", "/v1/events", body, contentType);

        Assert.Equal(200, answer.Status);
        Assert.Equal("""{"accepted":0,"duplicate":0,"conflict":0,"quarantined":0,"rejected":0,"receipts":[]}""", answer.Text);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    [InlineData("application/cloudevents+json; charset=latin1")]
    [InlineData("application/cloudevents")]
    [InlineData("///")]
    public async Task AnotherContentType_IsRefused(string? contentType) =>
        (await platform.Api.Send("POST", "/v1/events", "{}", contentType)).IsProblem(415, "Content-Type");

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("hello")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("{\"specversion\":\"1.0\"}")]
    public async Task SingleBodyThatIsNoEvent_IsRejectedWithAReason(string body)
    {
        var answer = await platform.Api.Send("POST", "/v1/events", body, ApiCaller.Single);

        Assert.Equal(200, answer.Status);
        Assert.Equal(1, answer.Count("rejected"));
        Assert.NotEmpty(answer.Json.GetProperty("receipts")[0].GetProperty("reason").GetString()!);
    }

    [Fact]
    public async Task BadEventsAmongGoodOnes_SpoilNone_AndReceiptsKeepTheOrder()
    {
        var account = await Opened();
        var other = await Opened();
        string[] events =
        [
            ApiCaller.Event(account, "a1", Now),
            "{ not json",
            ApiCaller.Event(other, "b1", Now),
            ApiCaller.Event(account, "a1", Now),
            ApiCaller.Event(account, "a2", Now).Replace("\"time\":\"2026", "\"time\":\"26", StringComparison.Ordinal),
            ApiCaller.Event("unknown-account", "u1", Now),
            ApiCaller.Event(account, "a1", Now, data: """{"other":true}"""),
            ApiCaller.Event(account, "a3", Now).Replace($"\"subject\":\"{account}\",", "", StringComparison.Ordinal),
            ApiCaller.Event(other, "b2", Now.AddDays(-36)),
            ApiCaller.Event(account, "a4", Now, "call.ended", """{"minutes":"five"}"""),
            ApiCaller.Event(account, "a5", Now, data: $"\"{new string('x', 300 << 10)}\""),
            ApiCaller.Event(account, "a6", Now, "something.else"),
            ApiCaller.Event(other, "b3", Now),
        ];

        var answer = await platform.Api.Events(ApiCaller.Lines, events);

        Assert.Equal(200, answer.Status);
        Assert.Equal(
            ["accepted", "rejected", "accepted", "duplicate", "rejected", "quarantined", "conflict", "rejected", "quarantined", "rejected", "rejected", "accepted", "accepted"],
            answer.Outcomes);
        Assert.Equal(
            ["a1", null, "b1", "a1", "a2", "u1", "a1", "a3", "b2", "a4", "a5", "a6", "b3"],
            answer.Json.GetProperty("receipts").EnumerateArray().Select(r => r.GetProperty("id").GetString()));
        Assert.All(
            answer.Json.GetProperty("receipts").EnumerateArray().Where(r => r.GetProperty("outcome").GetString() is not ("accepted" or "duplicate")),
            r => Assert.NotEmpty(r.GetProperty("reason").GetString()!));
        Assert.Equal((4, 1, 1, 2, 5), (answer.Count("accepted"), answer.Count("duplicate"), answer.Count("conflict"), answer.Count("quarantined"), answer.Count("rejected")));
        Assert.Equal(("1", "2"), (await Quantity(account), await Quantity(other)));
    }

    [Fact]
    public async Task ReceiptsNone_LeavesThemOutAndCounts()
    {
        var account = await Opened();

        var answer = await platform.Api.Send("POST", "/v1/events?receipts=none", ApiCaller.Event(account, "e1", Now) + "\nbad", ApiCaller.Lines);

        Assert.Equal("""{"accepted":1,"duplicate":0,"conflict":0,"quarantined":0,"rejected":1,"receipts":[]}""", answer.Text);
    }

    [Theory]
    [InlineData("some")]
    [InlineData("NONE")]
    public async Task OtherReceipts_AreRefused(string receipts) =>
        (await platform.Api.Send("POST", $"/v1/events?receipts={receipts}", "", ApiCaller.Lines)).IsProblem(400, "receipts");

    [Theory]
    [InlineData("[{0},", 2)]
    [InlineData("[{0}", 2)]
    [InlineData("[{0} {1}]", 2)]
    [InlineData("[{0},{1}", 3)]
    [InlineData("[{0},{1}]]", 3)]
    [InlineData("[{0},{1}] x", 3)]
    [InlineData("{0}", 1)]
    public async Task BrokenArray_KeepsTheEventsBeforeTheBreak(string form, int receipts)
    {
        var account = await Opened();
        var body = form
            .Replace("{0}", ApiCaller.Event(account, "e0", Now), StringComparison.Ordinal)
            .Replace("{1}", ApiCaller.Event(account, "e1", Now), StringComparison.Ordinal);

        var answer = await platform.Api.Send("POST", "/v1/events", body, ApiCaller.Batch);

        Assert.Equal(200, answer.Status);
        Assert.Equal(Enumerable.Repeat("accepted", receipts - 1).Append("rejected"), answer.Outcomes);
        var reason = answer.Json.GetProperty("receipts")[receipts - 1].GetProperty("reason").GetString()!;
        Assert.Contains("at byte ", reason, StringComparison.Ordinal);
        Assert.DoesNotContain("..", reason, StringComparison.Ordinal);
        Assert.Equal($"{receipts - 1}", await Quantity(account));
    }

    [Fact]
    public async Task BodyOver32MiB_IsTooLargeAndStoresNothing()
    {
        var account = await Opened();
        var body = Encoding.UTF8.GetBytes(ApiCaller.Event(account, "e1", Now) + "\n" + new string(' ', 32 << 20));

        (await platform.Api.Send("POST", "/v1/events", body, ApiCaller.Lines)).IsProblem(413);

        Assert.Equal("0", await Quantity(account));
    }

    [Fact]
    public async Task BodyOfExactly32MiB_IsRead()
    {
        var account = await Opened();
        var line = ApiCaller.Event(account, "e1", Now) + "\n";

        var answer = await platform.Api.Send("POST", "/v1/events", line + new string(' ', (32 << 20) - line.Length), ApiCaller.Lines);

        Assert.Equal(1, answer.Count("accepted"));
    }

    // The window holds both its ends: 35 days back, 5 minutes ahead.
    [Theory]
    [InlineData("2025-11-27T00:00:00Z", "accepted")]
    [InlineData("2025-11-26T23:59:59.9999999Z", "quarantined")]
    [InlineData("2026-01-01T00:05:00Z", "accepted")]
    [InlineData("2026-01-01T00:05:00.0000001Z", "quarantined")]
    [InlineData("2026-01-01T02:05:00+02:00", "accepted")]
    [InlineData("0001-01-01T00:00:00Z", "quarantined")]
    [InlineData("0001-01-01T00:00:00+14:00", "quarantined")]
    [InlineData("9999-12-31T23:59:59Z", "quarantined")]
    [InlineData("9999-12-31T23:59:59-14:00", "quarantined")]
    [InlineData("yesterday", "rejected")]
    public async Task Time_IsHeldAgainstTheWindow(string time, string outcome)
    {
        var account = await Opened();
        var e = ApiCaller.Event(account, "e1", Now).Replace("2026-01-01T00:00:00Z", time, StringComparison.Ordinal);

        Assert.Equal([outcome], (await platform.Api.Events(ApiCaller.Single, e)).Outcomes);
    }

    [Fact]
    public async Task EventOfAnUnknownAccount_WaitsAndIsCountedWhenItIsSentAgain()
    {
        var account = $"late-{Guid.NewGuid():N}";
        var e = ApiCaller.Event(account, "e1", Now);
        Assert.Equal(["quarantined"], (await platform.Api.Events(ApiCaller.Single, e)).Outcomes);
        Assert.Equal(["quarantined"], (await platform.Api.Events(ApiCaller.Single, e)).Outcomes);

        await platform.Api.Open(account, "desk-basic");

        Assert.Equal(["accepted"], (await platform.Api.Events(ApiCaller.Single, e)).Outcomes);
        Assert.Equal(["duplicate"], (await platform.Api.Events(ApiCaller.Single, e)).Outcomes);
        Assert.Equal("1", await Quantity(account));
    }

    // F24
    public static TheoryData<string, string> Poison => new()
    {
        { "10 MB", $"\"{new string('x', 10 << 20)}\"" },
        { "10,000 levels", new string('[', 10_000) + new string(']', 10_000) },
        { "10,000 levels left open", new string('[', 10_000) },
        { "doubled keys", """{"minutes":1,"minutes":2}""" },
        { "NaN", """{"minutes":NaN}""" },
        { "1e400", """{"minutes":1e400}""" },
        { "29 digits", """{"minutes":12345678901234567890123456789}""" },
        { "negative", """{"minutes":-1}""" },
        { "text", """{"minutes":"1"}""" },
        { "missing", "{}" },
        { "lone surrogate", """{"minutes":1,"x":"\ud800"}""" },
        { "NUL", "{\"minutes\":1,\"x\":\"\0\"}" },
    };

    [Theory]
    [MemberData(nameof(Poison))]
    public async Task PoisonInData_IsRejectedAndDelaysNobody(string what, string data)
    {
        var account = await Opened();

        var answer = await platform.Api.Events(
            ApiCaller.Batch,
            ApiCaller.Event(account, "before", Now, "call.ended", """{"minutes":1.5}"""),
            ApiCaller.Event(account, "poison", Now, "call.ended", data));
        var after = await platform.Api.Events(ApiCaller.Single, ApiCaller.Event(account, "after", Now, "call.ended", """{"minutes":9007199254740993}"""));

        Assert.True(answer.Outcomes is ["accepted", "rejected"], $"{what}: {answer.Text}");
        Assert.Equal(["accepted"], after.Outcomes);
        Assert.Equal("9007199254740994.5", await Quantity(account, "voice.minutes"));
    }

    [Theory]
    [InlineData("-0")]
    [InlineData("0")]
    [InlineData("0.0e5")]
    public async Task Zero_CountsAsNothing(string minutes)
    {
        var account = await Opened();

        Assert.Equal(["accepted"], (await platform.Api.Events(
            ApiCaller.Single, ApiCaller.Event(account, "e1", Now, "call.ended", $$"""{"minutes":{{minutes}}}"""))).Outcomes);
        Assert.Equal("0", await Quantity(account, "voice.minutes"));
    }

    [Fact]
    public async Task ByteOrderMarkAndBytesThatAreNoUtf8_AreRejected()
    {
        var account = await Opened();
        var e = Encoding.UTF8.GetBytes(ApiCaller.Event(account, "e1", Now));
        var latin = Encoding.Latin1.GetBytes(ApiCaller.Event(account, "e2", Now, data: "\"ü\""));

        var answer = await platform.Api.Send("POST", "/v1/events", [0xef, 0xbb, 0xbf, .. e, (byte)'\n', .. latin, (byte)'\n', .. e], ApiCaller.Lines);

        Assert.Equal(["rejected", "rejected", "accepted"], answer.Outcomes);
    }

    [Fact]
    public async Task SameEventManyTimesAtOnce_IsCountedOnce()
    {
        var account = await Opened();
        var e = ApiCaller.Event(account, "e1", Now);

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => platform.Api.Events(ApiCaller.Single, e)));

        Assert.Equal((1, 39), (answers.Sum(a => a.Count("accepted")), answers.Sum(a => a.Count("duplicate"))));
        Assert.Equal("1", await Quantity(account));
    }

    [Fact]
    public async Task AccountTheEventsName_MayHaveAnyText()
    {
        var answer = await platform.Api.Events(ApiCaller.Single, ApiCaller.Event("../\\\" 𝄞 %2f", "e1", Now).Replace("\\\"", "\\\\\\\"", StringComparison.Ordinal));

        Assert.Equal(["quarantined"], answer.Outcomes);
    }

    private async Task<string> Opened()
    {
        var account = $"shop-{Guid.NewGuid():N}";
        await platform.Api.Open(account, "desk-basic", "voice-payg");
        return account;
    }

    private async Task<string?> Quantity(string account, string meter = "desk.tickets") =>
        (await platform.Api.Get($"/v1/accounts/{account}/usage?meter={meter}")).Json.GetProperty("items")[0].GetProperty("quantity").GetString();
}
