using Billing.Feeder;
using Billing.Tests.Support;

namespace Billing.Tests.Mail;

/// <summary>A run over the mail events: what the feeder was told, and what the platform then served.</summary>
internal sealed record MailRun
{
    private static readonly TimeSpan Step = TimeSpan.FromHours(12);
    private static readonly TimeSpan RetryFor = TimeSpan.FromSeconds(120);

    public required FeedSummary Summary { get; init; }

    /// <summary>Each line sent with its receipt, in sending order.</summary>
    public required IReadOnlyList<(EventLine Line, Receipt Receipt)> Receipts { get; init; }

    /// <summary>By account id.</summary>
    public required IReadOnlyDictionary<string, ServedAccount> Accounts { get; init; }

    /// <summary>The groups that the feeder makes of the mail events.</summary>
    public static IReadOnlyList<FeedGroup> Groups() => FeedPlan.Group(LineFile.ReadEvents(MailData.EventsPath), Step);

    /// <summary>Starts a silo, feeds it all mail events and reads what it serves.</summary>
    /// <param name="order">How the lines of a half-day are sent.</param>
    /// <param name="kills">The feeding requests during which the silo is killed, as <see cref="KillingHandler"/> numbers them.</param>
    /// <param name="database">The store: <c>sqlite</c>, or a connection string.</param>
    public static async Task<MailRun> DriveAsync(FeedOrder order, IReadOnlyDictionary<int, TimeSpan> kills, string database = "sqlite")
    {
        await using var silo = await SiloProcess.StartAsync(
            MailData.CatalogPath, MailData.Anchor, with: new Dictionary<string, string> { ["BILLING_DATABASE"] = database });
        var killer = new KillingHandler(silo, kills);
        using var feeding = new HttpClient(killer) { BaseAddress = silo.Url, Timeout = Timeout.InfiniteTimeSpan };
        var receipts = new List<(EventLine, Receipt)>();
        var groups = Groups();
        var driver = new FeedDriver(
            new PlatformClient(feeding, silo.Key, RetryFor, TimeProvider.System),
            onReceipt: (line, receipt) => receipts.Add((line, receipt)));
        try
        {
            var summary = await driver.RunAsync(new()
            {
                Accounts = AccountList.FromEvents(groups.SelectMany(group => group.Lines), ["mail-flat"], "pm_card_visa"),
                Groups = groups,
                Order = order,
                Until = MailData.End,
            });
            if (killer.Killed != kills.Count)
                throw new InvalidOperationException($"The silo was killed {killer.Killed} times, not {kills.Count}.");

            using var client = silo.CreateClient();
            var accounts = new Dictionary<string, ServedAccount>(StringComparer.Ordinal);
            foreach (var account in MailData.Accounts(MailData.InOrder()))
                accounts.Add(account, await ServedAccount.ReadAsync(client, account));

            return new() { Summary = summary, Receipts = receipts, Accounts = accounts };
        }
        catch (Exception failed) when (failed is FeederException or HttpRequestException)
        {
            throw new SiloFailedException($"{failed.Message} The silo's log:\n{silo.Log}");
        }
    }
}
