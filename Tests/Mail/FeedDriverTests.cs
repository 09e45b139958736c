using System.Net;
using System.Text;
using Billing.Feeder;

namespace Billing.Tests.Mail;

public class FeedDriverTests
{
    private const string Event = """{"receivedat":"2001-06-25T13:00:00Z","subject":"a"}""";
    private const string NextEvent = """{"receivedat":"2001-06-26T13:00:00Z","subject":"a"}""";
    private const string OneReceipt = """{"accepted":1,"receipts":[{"outcome":"accepted"}]}""";

    private readonly ScriptedPlatform platform = new();

    [Fact]
    public async Task Job_MakesAccountsThenMovesTheClockBeforeEachGroupAndToTheEnd()
    {
        var summary = await FeedAsync(Job(Event, NextEvent) with
        {
            Accounts = [new("a", "{}"u8.ToArray())],
            Until = new(2001, 7, 1, 0, 0, 0, TimeSpan.Zero),
        });

        Assert.Equal(
            [
                "/v1/accounts {}",
                """/v1/sandbox/clock {"now":"2001-06-26T00:00:00Z"}""",
                $"/v1/events {Event}\n",
                """/v1/sandbox/clock {"now":"2001-06-27T00:00:00Z"}""",
                $"/v1/events {NextEvent}\n",
                """/v1/sandbox/clock {"now":"2001-07-01T00:00:00Z"}""",
            ],
            platform.Requests);
        Assert.Equal((1, 0, 2, 2), (summary.AccountsMade, summary.AccountsThere, summary.Sent, summary.Groups));
        Assert.Equal(2, summary.Outcomes["accepted"]);
    }

    [Fact]
    public async Task AccountThatIsThereAlready_IsFine()
    {
        platform.Next.Enqueue(() => Answer(HttpStatusCode.Conflict));

        var summary = await FeedAsync(Job(Event) with { Accounts = [new("a", "{}"u8.ToArray())] });

        Assert.Equal((0, 1, 1), (summary.AccountsMade, summary.AccountsThere, summary.Sent));
    }

    [Fact]
    public async Task PlatformThatIsRestarted_GetsTheSameBytesAgain()
    {
        platform.Next.Enqueue(() => throw new HttpRequestException("Connection refused"));
        platform.Next.Enqueue(() => Answer(HttpStatusCode.OK));
        platform.Next.Enqueue(() => Answer(HttpStatusCode.ServiceUnavailable));
        platform.Next.Enqueue(() => throw new IOException("Connection reset"));

        var summary = await FeedAsync(Job(Event));

        var clock = """/v1/sandbox/clock {"now":"2001-06-26T00:00:00Z"}""";
        Assert.Equal([clock, clock, $"/v1/events {Event}\n", $"/v1/events {Event}\n", $"/v1/events {Event}\n"], platform.Requests);
        Assert.Equal((3, 1), (summary.Retries, summary.Sent));
    }

    [Fact]
    public async Task PlatformThatStaysDown_IsGivenUpAfterTheTimeToRetry()
    {
        platform.Usual = _ => throw new HttpRequestException("Connection refused");

        var failed = await Assert.ThrowsAsync<FeederException>(() => FeedAsync(Job(Event)));

        Assert.Equal(FeederExit.PlatformFailed, failed.Exit);
        Assert.StartsWith("The platform at http://platform.example/ could not be reached for 1", failed.Message);
        Assert.InRange(platform.Requests.Count, 100, 130); // a pause of at most a second, for 120 seconds
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized, "The platform refused the key (401)")]
    [InlineData(HttpStatusCode.Forbidden, "The platform refused the key (403)")]
    [InlineData(HttpStatusCode.NotImplemented, "(501): no reason given")]
    [InlineData(HttpStatusCode.NotFound, "(404): no reason given")]
    public async Task RefusalThatWillNotPass_IsToldAtOnce(HttpStatusCode status, string message)
    {
        platform.Usual = _ => Answer(status);

        var failed = await Assert.ThrowsAsync<FeederException>(() => FeedAsync(Job(Event)));

        Assert.Equal(FeederExit.PlatformFailed, failed.Exit);
        Assert.Contains(message, failed.Message);
        Assert.Single(platform.Requests);
    }

    [Fact]
    public async Task ResumedJob_SkipsTheGroupsThatTheClockHasPassed()
    {
        platform.Next.Enqueue(() => Answer(HttpStatusCode.BadRequest, """{"detail":"The clock never moves back."}"""));

        var summary = await FeedAsync(Job(Event, NextEvent) with { Resume = true });

        Assert.Equal((1, 1, 1), (summary.Groups, summary.GroupsSkipped, summary.Sent));
        Assert.Equal($"/v1/events {NextEvent}\n", platform.Requests[^1]);
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest, """{"detail":"The clock never moves back."}""", "The clock never moves back.")]
    [InlineData(HttpStatusCode.OK, """{"now":"2001-06-28T00:00:00Z"}""", "it stands at 2001-06-28T00:00:00Z.")]
    public async Task ClockThatStandsLater_EndsAJobThatIsNotResumed(HttpStatusCode status, string answer, string reason)
    {
        platform.Next.Enqueue(() => Answer(status, answer));

        var failed = await Assert.ThrowsAsync<FeederException>(() => FeedAsync(Job(Event)));

        Assert.Contains($"The platform did not move its clock to 2001-06-26T00:00:00Z: {reason}", failed.Message);
    }

    [Fact]
    public async Task MissingReceipt_EndsTheJob()
    {
        platform.Next.Enqueue(() => Answer(HttpStatusCode.OK));
        platform.Next.Enqueue(() => Answer(HttpStatusCode.OK, """{"receipts":[]}"""));

        var failed = await Assert.ThrowsAsync<FeederException>(() => FeedAsync(Job(Event)));

        Assert.Contains("0 receipts for 1 lines", failed.Message);
    }

    private static FeedJob Job(params string[] lines) => new()
    {
        Groups = FeedPlan.Group(lines.Select((line, at) => EventLine.Read(at + 1, Encoding.UTF8.GetBytes(line))), TimeSpan.FromHours(12)),
    };

    private static HttpResponseMessage Answer(HttpStatusCode status, string body = "") => new(status) { Content = new StringContent(body) };

    private Task<FeedSummary> FeedAsync(FeedJob job)
    {
        var http = new HttpClient(platform) { BaseAddress = new Uri("http://platform.example/") };
        return new FeedDriver(new(http, "key", TimeSpan.FromSeconds(120), new HastyTime())).RunAsync(job);
    }

    // Answers each request with the next of the script, then as usual.
    private sealed class ScriptedPlatform : HttpMessageHandler
    {
        public Queue<Func<HttpResponseMessage>> Next { get; } = new();

        public Func<string, HttpResponseMessage> Usual { get; set; } = path => path switch
        {
            "/v1/accounts" => Answer(HttpStatusCode.Created),
            "/v1/events" => Answer(HttpStatusCode.OK, OneReceipt),
            _ => Answer(HttpStatusCode.OK),
        };

        public List<string> Requests { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Assert.Equal("Bearer key", request.Headers.Authorization!.ToString());
            Requests.Add($"{request.RequestUri!.AbsolutePath} {await request.Content!.ReadAsStringAsync(cancellationToken)}");
            return Next.TryDequeue(out var next) ? next() : Usual(request.RequestUri.AbsolutePath);
        }
    }

    // Time in which every pause is over at once.
    private sealed class HastyTime : TimeProvider
    {
        private long now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref now);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Interlocked.Add(ref now, dueTime.Ticks);
            ThreadPool.QueueUserWorkItem(_ => callback(state));
            return new EndedTimer();
        }

        private sealed class EndedTimer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => false;

            public void Dispose()
            {
                // Nothing is held.
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
