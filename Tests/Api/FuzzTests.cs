using System.Globalization;
using System.Text;
using Billing.Tests.Support;

namespace Billing.Tests.Api;

/// <summary>
/// Right requests made wrong by chance, 500 of them from one seed. Whatever comes, the answer is a success or a problem that names
/// the caller's fault, never a failure of the platform. <c>BILLING_TEST_SEED</c> gives another seed.
/// </summary>
public sealed class FuzzTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    private const int Requests = 500;

    private static readonly string[] Pieces =
    [
        "null", "{}", "[]", "\"\"", "-1", "1e999", "\"\\ud800\"", "\0", "\u00a0", "%00", "%2f", "..", "\"plans\":[null]", "2147483647", "9223372036854775808", "\"time\":0", ",", "\n", "😀",
    ];

    [Fact]
    public async Task MutatedRequests_AreNeverAFailureOfThePlatform()
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("BILLING_TEST_SEED") ?? "20260101", CultureInfo.InvariantCulture);
        var random = new Random(seed);
        await platform.Api.Open("fuzz", "desk-basic", "voice-payg");
        var now = await platform.Api.Now();
        var statuses = new HashSet<int>();
        for (var i = 0; i < Requests; i++)
        {
            var (method, path, body, contentType) = Right(random, now, i);
            switch (random.Next(4))
            {
                case 0:
                    path = MutatePath(path, random);
                    break;
                case 1 when body is null:
                    path = MutatePath(path, random);
                    break;
                case 1:
                    contentType = random.Next(2) == 0 ? contentType : "application/x-ndjson";
                    body = Mutate(body, random);
                    break;
                default:
                    if (body is null) path = MutatePath(path, random);
                    else body = Mutate(body, random);
                    break;
            }

            var key = random.Next(5) == 0 ? $"fuzz {random.Next(10)}" : null;
            var answer = await platform.Api.Send(method, path, body, contentType, idempotencyKey: key);

            Assert.True(
                answer.Status is >= 200 and < 500 or 501,
                $"Seed {seed}, request {i}: {method} {path} ({contentType}) {Convert.ToHexString(body ?? [])} gave {answer.Status}: {answer.Text}");
            if (answer.Status >= 400 && answer.Text.Length > 0) Assert.Equal("application/problem+json", answer.ContentType?.MediaType);
            statuses.Add(answer.Status);
        }

        // The mutations reach past the first check: some are still right, some name a field, some name nothing that is.
        Assert.Superset(new HashSet<int> { 200, 400, 404 }, statuses);
        Assert.Equal(200, (await platform.Api.Get("/v1/accounts/fuzz")).Status);
    }

    private static (string Method, string Path, byte[]? Body, string ContentType) Right(Random random, DateTimeOffset now, int i)
    {
        var e = ApiCaller.Event("fuzz", $"e{i}", now, random.Next(2) == 0 ? "ticket.sent" : "call.ended", """{"minutes":1.25,"list":[1,{"a":"b"}]}""");
        return random.Next(15) switch
        {
            0 => ("POST", "/v1/accounts", Encoding.UTF8.GetBytes(ApiCaller.Account($"fuzz{i}", "desk-basic")), "application/json"),
            1 => ("POST", "/v1/events", Encoding.UTF8.GetBytes(e), ApiCaller.Single),
            2 => ("POST", "/v1/events?receipts=none", Encoding.UTF8.GetBytes($"[{e},{e}]"), ApiCaller.Batch),
            3 => ("POST", "/v1/events", Encoding.UTF8.GetBytes($"{e}\n{e}"), ApiCaller.Lines),
            4 => ("GET", "/v1/accounts?query=fuzz&status=active&plan=desk-basic&limit=10&cursor=ZnV6eg", null, ""),
            5 => ("GET", "/v1/accounts/fuzz/usage?meter=desk.tickets&from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z&limit=5&cursor=MA", null, ""),
            6 => ("GET", "/v1/accounts/fuzz/invoices?limit=10&cursor=MA", null, ""),
            7 => ("GET", "/v1/accounts/fuzz/invoices/1", null, ""),
            8 => ("POST", "/v1/accounts/fuzz/cancel", """{"reason":"The shop closes.","dry_run":true}"""u8.ToArray(), "application/json"),
            9 => ("POST", "/v1/accounts/fuzz/plans", """{"changes":[{"product":"desk","plan":"desk-pro"}],"when":"now","reason":"r"}"""u8.ToArray(), "application/json"),
            10 => ("GET", "/v1/accounts/fuzz/ledger?limit=10&cursor=MA", null, ""),
            11 => ("GET", "/v1/accounts/fuzz/invoices/1/lines/1/events?limit=10&cursor=MA", null, ""),
            12 => ("GET", "/v1/accounts/fuzz/events/a%2Fb/e1", null, ""),
            13 => ("GET", "/v1/feed?limit=5&account=fuzz&type=account_opened&after=MA", null, ""),
            _ => ("POST", "/v1/sandbox/clock", """{"advance":"PT0S"}"""u8.ToArray(), "application/json"),
        };
    }

    private static byte[] Mutate(byte[] body, Random random)
    {
        var bytes = body.ToList();
        for (var times = random.Next(1, 4); times > 0 && bytes.Count > 0; times--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, int.Min(random.Next(1, 20), bytes.Count - at));
                    break;
                case 2:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)]));
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, int.Min(random.Next(1, 40), bytes.Count - at)));
                    break;
                case 4:
                    var colon = bytes.IndexOf((byte)':', at);
                    if (colon >= 0) bytes.InsertRange(colon + 1, Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)]));
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }

        return [.. bytes];
    }

    private static string MutatePath(string path, Random random)
    {
        var at = random.Next(1, path.Length);
        var piece = Uri.EscapeDataString(random.Next(3) == 0 ? $"{(char)random.Next(1, 0x2000)}" : Pieces[random.Next(Pieces.Length)].Replace("\\ud800", "\u0001", StringComparison.Ordinal));
        return random.Next(3) switch
        {
            0 => path[..at] + piece + path[at..],
            1 => path[..at] + piece + path[int.Min(path.Length, at + 3)..],
            _ => path[..at] + path[int.Min(path.Length, at + random.Next(1, 8))..],
        };
    }
}
