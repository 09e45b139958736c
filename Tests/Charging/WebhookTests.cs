using Billing.Silo.Storage;
using Billing.Silo.Storage.Sqlite;
using Billing.Tests.Support;

namespace Billing.Tests.Charging;

/// <summary>Which webhooks are taken, and that one is stored before it is answered.</summary>
public sealed class WebhookTests : IAsyncLifetime
{
    private const string Body = """{"id":"evt_1","object":"event","type":"invoice.paid","created":1767225600,"data":{"object":{"object":"invoice","id":"in_1"}}}""";

    private readonly TemporaryFolder _folder = new();
    private WebhookRun? _run;

    private WebhookRun Run => _run!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_run is not null) await _run.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task WebhookThatIsNotStripes_IsRefusedAndCountedAndNotStored()
    {
        _run = await WebhookRun.Open(_folder);
        var now = WebhookRun.Start;
        var right = WebhookRun.Signed(Body, now);

        await Refused("no_match", Body, WebhookRun.Signed(Body, now, "whsec_of_somebody_else"));
        await Refused("no_match", Body.Replace("in_1", "in_2", StringComparison.Ordinal), right);
        await Refused("no_match", Body[..^1], right);
        await Refused("no_match", Body + " ", right);
        await Refused("no_match", "", right);
        await Refused("not_fresh", Body, WebhookRun.Signed(Body, now.AddSeconds(-301)));
        await Refused("not_fresh", Body, WebhookRun.Signed(Body, now.AddSeconds(301)));
        await Refused("no_header", Body, null);
        await Refused("malformed", Body, right[..^1]);
        await Refused("malformed", Body, right[(right.IndexOf(',') + 1)..]);

        Assert.Equal((5, 2, 1, 2, 0), (Run.Count("no_match"), Run.Count("not_fresh"), Run.Count("no_header"), Run.Count("malformed"), Run.Count("stored")));
        Assert.Equal(StripeEventNews.New, await Run.Events.Add(new("evt_1", "invoice.paid", 1_767_225_600, now, "in_1", null, null, null)));
    }

    [Fact]
    public async Task WebhookOverheardAndSentAgainLater_IsRefused()
    {
        _run = await WebhookRun.Open(_folder);
        var signature = WebhookRun.Signed(Body, WebhookRun.Start);
        await Taken("stored", Body, signature);
        await Run.Api.MoveClock("PT5M");
        await Taken("duplicate", Body, signature);

        await Run.Api.MoveClock("PT1S");

        await Refused("not_fresh", Body, signature);
    }

    [Fact]
    public async Task SecretThatIsBeingRolled_IsTakenBesideTheNewOne()
    {
        _run = await WebhookRun.Open(_folder, isOwnSandbox: true, "whsec_new", "whsec_old");
        var other = WebhookRun.Event("evt_2");
        var both = WebhookRun.Event("evt_3");
        var now = WebhookRun.Start;

        await Taken("stored", Body, WebhookRun.Signed(Body, now, "whsec_old"));
        await Taken("stored", other.Replace("in_1", "in_2", StringComparison.Ordinal), WebhookRun.Signed(other.Replace("in_1", "in_2", StringComparison.Ordinal), now, "whsec_new"));
        await Taken("duplicate", both, $"{WebhookRun.Signed(both, now, "whsec_gone")},{WebhookRun.Signed(both, now, "whsec_old").Split(',')[1]}");

        await Refused("no_match", Body, WebhookRun.Signed(Body, now));
    }

    [Fact]
    public async Task WithoutTheOwnSandbox_TheMachinesTimeCounts()
    {
        _run = await WebhookRun.Open(_folder, isOwnSandbox: false);

        await Refused("not_fresh", Body, WebhookRun.Signed(Body, WebhookRun.Start));
        await Taken("stored", Body, WebhookRun.Signed(Body, TimeProvider.System.GetUtcNow()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"id":"in_1","object":"invoice","type":"x","created":1,"data":{"object":{}}}""")]
    [InlineData("""{"object":"event","type":"x","created":1,"data":{"object":{}}}""")]
    [InlineData("""{"id":"evt_1/2","object":"event","type":"x","created":1,"data":{"object":{}}}""")]
    [InlineData("""{"id":"evt_1","object":"event","type":"","created":1,"data":{"object":{}}}""")]
    [InlineData("""{"id":"evt_1","object":"event","type":"\u0000","created":1,"data":{"object":{}}}""")]
    [InlineData("""{"id":"evt_1","object":"event","type":"x","created":"1","data":{"object":{}}}""")]
    [InlineData("""{"id":"evt_1","object":"event","type":"x","created":1,"data":{}}""")]
    [InlineData("""{"id":"evt_1","object":"event","type":"x","created":1,"data":{"object":{"id":"a b"}}}""")]
    [InlineData("""{"id":"evt_1","object":"event","type":"x","created":1,"data":{"object":{}}""")]
    public async Task SignedBodyThatIsNoEvent_IsRefusedAndCounted(string body)
    {
        _run = await WebhookRun.Open(_folder);

        (await Run.Webhook(body, WebhookRun.Signed(body, WebhookRun.Start))).IsProblem(400);

        Assert.Equal(1, Run.Count("no_event"));
        Assert.Empty(await Run.Events.Pending("", 1));
    }

    [Theory]
    [InlineData(256 << 10, 200)]
    [InlineData((256 << 10) + 1, 413)]
    public async Task BodyBeyondItsBound_IsRefusedAndCounted(int bytes, int status)
    {
        _run = await WebhookRun.Open(_folder);
        var body = Body + new string(' ', bytes - Body.Length);

        var answer = await Run.Webhook(body, WebhookRun.Signed(body, WebhookRun.Start));

        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 413 ? 1 : 0, Run.Count("too_large"));
    }

    [Fact]
    public async Task EventToldTwice_IsNotedOnce()
    {
        _run = await WebhookRun.Open(_folder);
        var now = WebhookRun.Start;
        var sameFact = WebhookRun.Event("evt_2");
        var later = WebhookRun.Event("evt_3", created: 1_767_225_601);

        await Taken("stored", Body, WebhookRun.Signed(Body, now));
        await Taken("duplicate", Body, WebhookRun.Signed(Body, now.AddSeconds(1)));
        await Taken("duplicate", sameFact, WebhookRun.Signed(sameFact, now));
        await Taken("stored", later, WebhookRun.Signed(later, now));
    }

    // An Idempotency-Key is not Stripe's to send, and would repeat an answer without a look at the signature.
    [Fact]
    public async Task IdempotencyKey_ChangesNothing()
    {
        _run = await WebhookRun.Open(_folder);

        (await Run.Api.Post("/v1/stripe/webhook", Body, "k")).IsProblem(400, "Stripe-Signature");
        (await Run.Api.Post("/v1/stripe/webhook", Body + " ", "k")).IsProblem(400, "Stripe-Signature");

        Assert.Equal(2, Run.Count("no_header"));
    }

    [Fact]
    public async Task KilledAfterItsAnswer_TheEventIsInTheStore()
    {
        var catalog = _folder.File("catalog.json");
        await File.WriteAllTextAsync(catalog, TestCatalog.Json);
        await using (var silo = await SiloProcess.StartAsync(
            catalog, WebhookRun.Start, _folder.File("data"), new Dictionary<string, string> { ["STRIPE_WEBHOOK_SECRET"] = WebhookRun.Secret }))
        {
            using var http = new HttpClient();
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(silo.Url, "/v1/stripe/webhook")) { Content = new StringContent(Body) };
            request.Headers.TryAddWithoutValidation("Stripe-Signature", WebhookRun.Signed(Body, WebhookRun.Start));
            using var response = await http.SendAsync(request);
            silo.Kill();
            Assert.Equal((200, "{}"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
        }

        await using var store = await SqliteStore.Open(_folder.File("data"));
        Assert.Equal(StripeEventNews.Duplicate, await ((IStripeEvents)store).Add(new("evt_1", "other", 1, WebhookRun.Start, null, null, null, null)));
    }

    private async Task Refused(string outcome, string body, string? signature)
    {
        var before = Run.Count(outcome);
        (await Run.Webhook(body, signature)).IsProblem(400, "Stripe-Signature");
        Assert.Equal(before + 1, Run.Count(outcome));
    }

    private async Task Taken(string outcome, string body, string signature)
    {
        var before = Run.Count(outcome);
        var answer = await Run.Webhook(body, signature);
        Assert.Equal((200, "{}"), (answer.Status, answer.Text));
        Assert.Equal(before + 1, Run.Count(outcome));
    }
}
