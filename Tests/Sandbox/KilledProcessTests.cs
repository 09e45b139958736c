using System.Text.Json.Nodes;
using Billing.Tests.Support;

namespace Billing.Tests.Sandbox;

/// <summary>The real process, killed while it works: every call that was answered is there, and its key gives the same answer.</summary>
public sealed class KilledProcessTests
{
    [Fact]
    public async Task KilledWhileCallsAreUnderWay_KeepsEveryAnswer()
    {
        const int Senders = 4;
        const int AnsweredBeforeTheKill = 40;
        using var folder = new TemporaryFolder();
        var catalog = folder.File("catalog.json");
        await File.WriteAllTextAsync(catalog, TestCatalog.Json);
        await using var silo = await SiloProcess.StartAsync(catalog, new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var answered = new System.Collections.Concurrent.ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        var killed = false;

        var senders = Enumerable.Range(0, Senders).Select(async sender =>
        {
            using var http = new HttpClient();
            for (var i = 0; !Volatile.Read(ref killed); i++)
            {
                try
                {
                    answered[$"{sender}/{i}"] = await Post(http, silo.SandboxUrl, $"{sender}/{i}");
                }
                catch (HttpRequestException)
                {
                    return;
                }
            }
        }).ToList();
        await Eventually.True(() => answered.Count >= AnsweredBeforeTheKill, "enough calls are answered");
        silo.Kill();
        Volatile.Write(ref killed, true);
        await Task.WhenAll(senders);
        await silo.StartAgainAsync();

        using var client = new HttpClient();
        foreach (var (key, body) in answered) Assert.Equal(body, await Post(client, silo.SandboxUrl, key));
        using var api = silo.CreateClient();
        var held = JsonNode.Parse(await api.GetStringAsync("/v1/sandbox/stripe"))!;
        var ids = held["customers"]!.AsArray().Select(c => (string)c!["id"]!).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.Equal([], answered.Values.Select(b => (string)JsonNode.Parse(b)!["id"]!).Except(ids));
    }

    private static async Task<string> Post(HttpClient http, Uri sandbox, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(sandbox, "/v1/customers"));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer sk_test_1");
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        request.Content = new FormUrlEncodedContent([new("name", key)]);
        using var response = await http.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStringAsync();
    }
}
