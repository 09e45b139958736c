using System.Security.Claims;
using System.Text.Encodings.Web;
using Billing.Silo.Api;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Billing.Silo.Security;

/// <summary>Signs a request in by its <c>Authorization: Bearer</c> key and answers refusals with a problem.</summary>
internal sealed class ApiKeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory log, UrlEncoder encoder, ApiKeys keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, log, encoder)
{
    public const string SchemeName = "ApiKey";
    public const string ScopeClaim = "scope";
    private const string Bearer = "Bearer ";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return Task.FromResult(AuthenticateResult.NoResult());
        var key = header[Bearer.Length..].Trim();
        if (key.Length is 0 or > 256 || keys.ScopesOf(key) is not { } scopes) return Task.FromResult(AuthenticateResult.Fail("unknown key"));
        var identity = new ClaimsIdentity(
            scopes.Select(s => new Claim(ScopeClaim, s)).Append(new(ClaimTypes.NameIdentifier, ApiKeys.HashOf(key)[..16])), SchemeName);
        return Task.FromResult(AuthenticateResult.Success(new(new ClaimsPrincipal(identity), SchemeName)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = "Bearer";
        return Problems.Make(
                401,
                "unauthenticated",
                "A key is needed",
                "Send a valid API key as \"Authorization: Bearer <key>\". Nothing was stored.",
                "Authorization")
            .ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Problems.Make(
            403,
            "forbidden",
            "The key may not do this",
            $"The key lacks the scope that {Request.Method} {Request.Path} needs. Nothing was stored.",
            "Authorization")
        .ExecuteAsync(Context);

    /// <summary>Adds the scheme and a policy per scope.</summary>
    public static void Add(IServiceCollection services)
    {
        services.AddWebEncoders();
        services.AddTransient<ApiKeyAuthentication>();
        services.AddAuthenticationCore(options =>
        {
            options.DefaultScheme = SchemeName;
            options.AddScheme<ApiKeyAuthentication>(SchemeName, null);
        });
        var authorization = services.AddAuthorizationBuilder();
        foreach (var scope in Scopes.All) authorization.AddPolicy(scope, policy => policy.RequireClaim(ScopeClaim, scope));
    }
}
