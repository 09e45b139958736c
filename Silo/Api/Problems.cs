using System.Globalization;
using Billing.Http;

namespace Billing.Silo.Api;

/// <summary>Problem details (RFC 9457), each with a stable type and a sentence that a person can act on.</summary>
internal static class Problems
{
    private const string Prefix = "urn:orleans-billing:problem:";

    // Seconds. What waits for a person, as a damaged store does, is not worth asking for sooner.
    private const int Soon = 1;
    private const int ForAPerson = 3600;

    public static IResult Of(Refusal refusal) => refusal.Kind switch
    {
        RefusalKind.NotFound => NotFound(refusal.Detail, refusal.Field),
        RefusalKind.Conflict => Conflict(refusal.Detail, refusal.Field),
        RefusalKind.NotBuilt => NotBuilt(refusal.Detail, refusal.Field),
        RefusalKind.Retry => Retry(refusal.Detail),
        RefusalKind.Unavailable => Unavailable(refusal.Detail),
        RefusalKind.Failed => Failed(refusal.Detail),
        RefusalKind.Damaged => new Later(Make(503, "damaged", "What was asked for is damaged", refusal.Detail), ForAPerson),
        RefusalKind.Held => new Later(Make(503, "held", "The account is held", refusal.Detail), ForAPerson),
        _ => Invalid(refusal.Detail, refusal.Field),
    };

    public static IResult Invalid(string detail, string? field) => Make(400, "invalid", "The request is not valid", detail, field);

    public static IResult NotFound(string detail, string? field = null) => Make(404, "not-found", "There is no such thing", detail, field);

    public static IResult Conflict(string detail, string? field = null) => Make(409, "conflict", "The request contradicts what is so", detail, field);

    public static IResult TooLarge(string detail) => Make(413, "too-large", "The request is too large", detail);

    public static IResult MediaType(string detail) => Make(415, "media-type", "The media type is not read here", detail, "Content-Type");

    public static IResult NotBuilt(string detail, string? field = null) => Make(501, "not-built", "This is not built yet", detail, field);

    public static IResult Retry(string detail) => new Later(Make(503, "retry", "Nothing can be said to be stored", detail), Soon);

    public static IResult Unavailable(string detail) => new Later(Make(503, "unavailable", "The store cannot be reached", detail), Soon);

    public static IResult Failed(string detail) => Make(503, "failed", "The platform failed", detail);

    public static IResult Make(int status, string type, string title, string detail, string? field = null) => Results.Json(
        new Problem(Prefix + type, title, status, detail, field), BillingJson.Web.Problem, "application/problem+json", status);

    /// <summary>An answer that says when to send again.</summary>
    private sealed class Later(IResult answer, int seconds) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            return answer.ExecuteAsync(httpContext);
        }
    }
}
