using System.Collections.Frozen;
using System.Globalization;
using Billing.Accounts;
using Billing.Http;
using Billing.Journal;
using Billing.Silo.Feed;
using Billing.Silo.Security;

namespace Billing.Silo.Api;

/// <summary>The feed of facts over HTTP.</summary>
internal static class FeedEndpoint
{
    private const int WaitMax = 30;
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(250);

    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapGet("/v1/feed", Get)
        .RequireAuthorization(Scopes.Read)
        .WithSummary("The facts of all accounts in the order in which they were stored, without a gap and without a repetition. Every page has a next, the last one too: ask with it again.")
        .WithQuery("after", "The next of the page before, or the position of an item. Left out, the feed begins with the first fact.")
        .WithQuery("limit", "How many items at the most: 1 to 1,000, 50 when left out. A page may have fewer, or none, before the end.")
        .WithQuery("account", "Accounts, separated by commas: the facts of these alone.")
        .WithQuery("type", "Types, separated by commas: facts of these alone, and entries that cannot be read.")
        .WithQuery("wait", "Seconds to wait for a fact when there is none yet: 0 to 30, 0 when left out.")
        .Produces<FeedList>()
        .Produces<Problem>(400, "application/problem+json")
        .Produces<Problem>(409, "application/problem+json");

    private static async Task<IResult> Get(HttpRequest request, FactFeed feed, TimeProvider time, IHostApplicationLifetime lifetime, CancellationToken cancellation)
    {
        var limit = RequestReading.Limit(request);
        var after = After(request);
        var filter = new FeedFilter(Names(request, "account"), Types(request));
        var wait = Wait(request);
        var began = time.GetTimestamp();
        try
        {
            while (true)
            {
                if (await feed.Read(after, filter, limit, cancellation) is not { } page)
                {
                    return Problems.Conflict(
                        "The store holds no entry where this cursor is: it is of another store, or a backup was put back that lacks it. Begin again without it, or from an earlier position that you know.", "after");
                }

                after = page.Next;
                if (page.Items.Count == 0 && page.IsEnd && time.GetElapsedTime(began).TotalSeconds < wait && await Passes(AskEvery, time, cancellation, lifetime.ApplicationStopping)) continue;
                return Results.Json(new FeedList([.. page.Items], RequestReading.ToCursor(FeedCursor.ToText(after))), BillingJson.Web.FeedList);
            }
        }
        catch (JournalDamagedException damaged)
        {
            return Problems.Of(new(RefusalKind.Damaged, damaged.Message));
        }
    }

    // False when the platform stops: what it has is the answer.
    private static async Task<bool> Passes(TimeSpan delay, TimeProvider time, CancellationToken aborted, CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(aborted, stopping);
        await Task.Delay(delay, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        aborted.ThrowIfCancellationRequested();
        return !stopping.IsCancellationRequested;
    }

    private static FeedCursor? After(HttpRequest request)
    {
        if (RequestReading.Cursor(request, "after") is not { } text) return null;
        return FeedCursor.TryParse(text, out var cursor) ? cursor : throw RequestReading.WrongCursor("after");
    }

    private static FrozenSet<string>? Types(HttpRequest request)
    {
        var types = Names(request, "type");
        return types?.FirstOrDefault(t => t != FactFeed.Unreadable && !FeedFacts.Types.Contains(t)) is { } unknown
            ? throw new BadRequest(Problems.Invalid($"\"{unknown}\" is no type of the feed. It has {string.Join(", ", FeedFacts.Types.Order(StringComparer.Ordinal))}.", "type"))
            : types;
    }

    private static FrozenSet<string>? Names(HttpRequest request, string parameter)
    {
        var names = string.Join(',', request.Query[parameter].ToArray()).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return names.Length == 0 ? null : names.ToFrozenSet(StringComparer.Ordinal);
    }

    private static int Wait(HttpRequest request)
    {
        var text = request.Query["wait"].ToString();
        if (text.Length == 0) return 0;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var wait) && wait <= WaitMax
            ? wait
            : throw new BadRequest(Problems.Invalid($"wait is a whole number of seconds from 0 to {WaitMax}.", "wait"));
    }
}
