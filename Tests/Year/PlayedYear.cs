using System.Text.Json;
using Billing.Tests.Support;

namespace Billing.Tests.Year;

/// <summary>
/// The year of all merchants, played once on one platform by HTTP and the sandbox clock: the clock is moved to the instant of each act in
/// turn, and at last to the end. Keeps what was answered on the way.
/// </summary>
public sealed class PlayedYear : IAsyncLifetime
{
    /// <summary>The last invoices of the year are final by then, and none of the next month is.</summary>
    private const string End = "2027-01-05";

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<Act, string> _answers = new(ReferenceEqualityComparer.Instance);
    private TestPlatform? _platform;

    internal static IReadOnlyList<Merchant> Merchants { get; } =
    [
        MovedByUsage.Steady, MovedByUsage.Grower, MovedByUsage.Shrinker, MovedByUsage.Spiker, OptedOut.Merchant, MovedByHand.Mover,
        MovedByHand.Waverer, Trials.Tester, Trials.Tourist, PaidByTheYear.Merchant, Debtor.Merchant, Leaver.Merchant,
    ];

    internal ApiCaller Api => _platform!.Api;

    public async Task InitializeAsync()
    {
        _platform = await TestPlatform.Open(_folder, catalogJson: YearCatalog.Json);
        foreach (var (merchant, act) in Merchants.SelectMany(m => m.Acts.Select(a => (Merchant: m, Act: a))).OrderBy(a => a.Act.At))
        {
            await MoveTo(act.At);
            _answers[act] = await act.Do(Api, merchant.Id);
        }

        await MoveTo(Acts.Utc(End));
    }

    public async Task DisposeAsync()
    {
        await _platform!.DisposeAsync();
        _folder.Dispose();
    }

    internal static Merchant Find(string id) => Merchants.Single(m => m.Id == id);

    internal string AnswerTo(Act act) => _answers[act];

    /// <summary>All items of a list, which fits on one page.</summary>
    internal async Task<List<JsonElement>> List(string path)
    {
        var answer = (await Api.Get($"{path}?limit=1000")).Json;
        Assert.False(answer.TryGetProperty("next", out _));
        return [.. answer.GetProperty("items").EnumerateArray()];
    }

    private async Task MoveTo(DateTimeOffset at)
    {
        var answer = await Api.Post("/v1/sandbox/clock", $$"""{"now":"{{at:yyyy-MM-dd'T'HH:mm:ss'Z'}}"}""");
        Assert.True(answer.Status == 200 && !answer.Json.TryGetProperty("held", out _), answer.Text);
    }
}
