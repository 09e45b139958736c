using Billing.Silo.Api;
using Billing.Silo.Security;
using Billing.Tests.Support;

namespace Billing.Tests.Api;

/// <summary>F27: who may call what. Every call of the contract is tried with no key, an unknown one and each wrong scope.</summary>
public sealed class AuthorizationTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    private static readonly (string Method, string Route, string? Scope)[] Built =
    [
        ("POST", "/v1/events", Scopes.Ingest),
        ("POST", "/v1/accounts", Scopes.Operate),
        ("POST", "/v1/accounts/{id}/plans", Scopes.Operate),
        ("POST", "/v1/accounts/{id}/cancel", Scopes.Operate),
        ("DELETE", "/v1/accounts/{id}/cancel", Scopes.Operate),
        ("GET", "/v1/accounts", Scopes.Read),
        ("GET", "/v1/accounts/{id}", Scopes.Read),
        ("GET", "/v1/accounts/{id}/usage", Scopes.Read),
        ("GET", "/v1/accounts/{id}/invoices", Scopes.Read),
        ("GET", "/v1/accounts/{id}/invoices/preview", Scopes.Read),
        ("GET", "/v1/accounts/{id}/invoices/{number}", Scopes.Read),
        ("GET", "/v1/accounts/{id}/ledger", Scopes.Read),
        ("GET", "/v1/catalogs", Scopes.Read),
        ("GET", "/v1/catalogs/{version}", Scopes.Read),
        ("POST", "/v1/catalogs", Scopes.Admin),
        ("POST", "/v1/catalogs/{version}/publish", Scopes.Admin),
        ("POST", "/v1/catalogs/{version}/backtest", Scopes.Operate),
        ("POST", "/v1/catalogs/{version}/simulate", Scopes.Operate),
        ("GET", "/v1/catalogs/backtests/{id}", Scopes.Read),
        ("POST", "/v1/catalogs/{version}/move", Scopes.Admin),
        ("GET", "/v1/catalogs/moves/{id}", Scopes.Read),
        ("GET", "/v1/feed", Scopes.Read),
        ("POST", "/v1/check", Scopes.Admin),
        ("GET", "/v1/check", Scopes.Admin),
        ("POST", "/v1/sandbox/clock", Scopes.Admin),
        ("POST", "/v1/sandbox/faults", Scopes.Admin),
        ("GET", "/v1/sandbox/stripe", Scopes.Admin),
    ];

    public static TheoryData<string, string> Calls => Data<TheoryData<string, string>>((data, call) => data.Add(call.Method, Filled(call.Route)));

    public static TheoryData<string, string, string> ScopedCalls =>
        Data<TheoryData<string, string, string>>((data, call) => data.Add(call.Method, Filled(call.Route), call.Scope!));

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task WithoutAKey_IsRefused(string method, string path)
    {
        (await platform.Api.Send(method, path, BodyOf(method), authorization: "")).IsProblem(401, "Authorization");
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task WithAnUnknownKey_IsRefused(string method, string path)
    {
        (await platform.Api.Send(method, path, BodyOf(method), authorization: "Bearer key-nobody-made-ever")).IsProblem(401, "Authorization");
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task WithAKeyInTheQuery_IsRefused(string method, string path)
    {
        var key = TestPlatform.Key;
        var answer = await platform.Api.Send(method, $"{path}?key={key}&api_key={key}&access_token={key}&authorization=Bearer%20{key}", BodyOf(method), authorization: "");

        answer.IsProblem(401, "Authorization");
        Assert.DoesNotContain(key, answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(ScopedCalls))]
    public async Task WithAnotherScope_IsForbidden_AndWithItsOwnNot(string method, string path, string scope)
    {
        foreach (var other in Scopes.All.Where(s => s != scope))
            (await platform.Api.Send(method, path, BodyOf(method), authorization: $"Bearer {TestPlatform.KeyFor(other)}")).IsProblem(403, "Authorization");

        var own = await platform.Api.Send(method, path, BodyOf(method), authorization: $"Bearer {TestPlatform.KeyFor(scope)}");
        Assert.False(own.Status is 401 or 403, own.Text);
    }

    [Theory]
    [InlineData("Basic a2V5LW9mLWEtdGVzdC1wbGF0Zm9ybTo=")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("key-of-a-test-platform")]
    [InlineData("Bearer key-of-a-test-platforn")]
    [InlineData("Bearer KEY-OF-A-TEST-PLATFORM")]
    [InlineData("Bearer key-of-a-test-platform, Bearer key-of-a-test-platform")]
    public async Task HeaderThatIsNoBearerKey_IsRefused(string header) =>
        (await platform.Api.Send("GET", "/v1/accounts", authorization: header)).IsProblem(401, "Authorization");

    [Fact]
    public async Task SchemeIsReadWithoutCase() =>
        Assert.Equal(200, (await platform.Api.Send("GET", "/v1/accounts", authorization: $"bearer {TestPlatform.Key}")).Status);

    [Theory]
    [InlineData("/v1/accounts/../catalogs")]
    [InlineData("/v1//accounts")]
    [InlineData("/v1/accounts/%2e%2e/catalogs")]
    [InlineData("/V1/ACCOUNTS")]
    [InlineData("/v1/accounts/")]
    [InlineData("/v1/accounts;x=1")]
    public async Task PathTricks_OpenNothing(string path) =>
        Assert.True((await platform.Api.Send("GET", path, authorization: "")).Status is 401 or 404, path);

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    [InlineData("/openapi/v1.json")]
    public async Task HealthAndDescription_NeedNoKey(string path) =>
        Assert.Equal(200, (await platform.Api.Send("GET", path, authorization: "")).Status);

    [Fact]
    public async Task RefusedRequest_ChangesNothing()
    {
        await platform.Api.Send("POST", "/v1/accounts", ApiCaller.Account("refused", "desk-basic"), authorization: $"Bearer {TestPlatform.KeyFor(Scopes.Read)}");

        (await platform.Api.Get("/v1/accounts/refused")).IsProblem(404, "id");
    }

    private static T Data<T>(Action<T, (string Method, string Route, string? Scope)> add)
        where T : new()
    {
        var data = new T();
        foreach (var call in Built.Concat(NotBuiltEndpoints.Calls))
            if (call.Scope is not null) add(data, call);
        return data;
    }

    private static string? BodyOf(string method) => method == "POST" ? "{}" : null;

    private static string Filled(string route) => System.Text.RegularExpressions.Regex.Replace(route, @"\{\w+\}", "1");
}
