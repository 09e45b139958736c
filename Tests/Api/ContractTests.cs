using System.Text.Json;
using System.Text.RegularExpressions;
using Billing.Silo.Api;
using Billing.Tests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Billing.Tests.Api;

/// <summary>What holds for all calls: problems where nothing is, 501 where nothing is yet, and the API's description.</summary>
public sealed partial class ContractTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    public static TheoryData<string, string> NotBuilt
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var (method, route, _) in NotBuiltEndpoints.Calls) data.Add(method, Parameter().Replace(route, "1"));
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(NotBuilt))]
    public async Task CallThatIsNotBuilt_SaysSo(string method, string path)
    {
        foreach (var body in new[] { null, "", "{}", "{", "\0" })
            (await platform.Api.Send(method, path, body)).IsProblem(501);
    }

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/v1")]
    [InlineData("GET", "/v1/nothing")]
    [InlineData("POST", "/v2/events")]
    [InlineData("DELETE", "/v1/accounts/a/b/c/d")]
    [InlineData("GET", "/openapi/v9.json")]
    public async Task UnknownRoute_IsNotFound(string method, string path) => (await platform.Api.Send(method, path)).IsProblem(404);

    [Theory]
    [InlineData("GET", "/v1/events")]
    [InlineData("PUT", "/v1/accounts")]
    [InlineData("DELETE", "/v1/accounts/a")]
    [InlineData("PATCH", "/v1/accounts/a/invoices/1")]
    [InlineData("POST", "/v1/accounts/a/usage")]
    [InlineData("GET", "/v1/sandbox/clock")]
    [InlineData("POST", "/healthz")]
    public async Task WrongMethod_IsRefused(string method, string path) => (await platform.Api.Send(method, path)).IsProblem(405);

    [Fact]
    public async Task Description_ListsEveryCallThatIsServed()
    {
        var answer = await platform.Api.Get("/openapi/v1.json");
        var described = answer.Json.GetProperty("paths").EnumerateObject()
            .SelectMany(p => p.Value.EnumerateObject().Select(m => $"{m.Name.ToUpperInvariant()} {p.Name}"))
            .ToHashSet(StringComparer.Ordinal);

        var served = platform.Platform.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.RoutePattern.RawText != "/openapi/v1.json")
            .SelectMany(e => e.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods.Select(m => $"{m} {e.RoutePattern.RawText}"))
            .ToList();

        Assert.Equal(200, answer.Status);
        Assert.True(served.Count > 50, $"{served.Count} calls");
        Assert.Equal([], served.Except(described));
        Assert.Equal([], described.Except(served));
    }

    [Fact]
    public async Task DescribedSchemas_ResolveAndQuantitiesAreText()
    {
        var document = (await platform.Api.Get("/openapi/v1.json")).Json;
        var schemas = document.GetProperty("components").GetProperty("schemas");

        var references = References(document).Distinct().ToList();

        Assert.NotEmpty(references);
        Assert.All(references.Where(r => r.StartsWith("#/components/schemas/", StringComparison.Ordinal)), r => Assert.True(schemas.TryGetProperty(r.Split('/')[^1], out _), r));
        Assert.Equal("string", schemas.GetProperty("Quantity").GetProperty("type").GetString());
    }

    [Fact]
    public async Task DescribedInvoices_AreTheOnesServed()
    {
        var invoice = (await platform.Api.Get("/openapi/v1.json")).Json.GetProperty("components").GetProperty("schemas").GetProperty("InvoiceView");
        var properties = invoice.GetProperty("properties");

        Assert.True(properties.TryGetProperty("drafted_at", out _));
        Assert.Equal("integer", properties.GetProperty("total").GetProperty("type").GetString());
        var required = invoice.GetProperty("required").EnumerateArray().Select(r => r.GetString()).ToList();
        Assert.Contains("number", required);
        Assert.DoesNotContain("finalized_at", required);
    }

    private static IEnumerable<string> References(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => json.EnumerateObject().SelectMany(m =>
            m.Name == "$ref" && m.Value.ValueKind == JsonValueKind.String ? [m.Value.GetString()!] : References(m.Value)),
        JsonValueKind.Array => json.EnumerateArray().SelectMany(References),
        _ => [],
    };

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Parameter();
}
