using System.Text;
using Billing.Accounts;
using Billing.Http;
using Billing.Silo.Hosting;
using Billing.Tests.Support;

namespace Billing.Tests.Http;

/// <summary>The typed client against the real HTTP server: both speak the same contract.</summary>
public sealed class BillingClientTests : IAsyncLifetime
{
    private const string Key = "a-key-of-the-client-tests";
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("billing-client-");
    private readonly HttpClient _http = new();
    private Platform _platform = null!;

    public async Task InitializeAsync()
    {
        _platform = await Platform.Start(
        [
            $"--BILLING_DATA={_data.FullName}", "--BILLING_URL=http://127.0.0.1:0", "--BILLING_SANDBOX_URL=http://127.0.0.1:0", $"--BILLING_ADMIN_KEY={Key}",
            "--BILLING_CLOCK=2026-11-01T00:00:00Z",
        ]);
        _http.BaseAddress = new(_platform.Addresses.First());
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _platform.DisposeAsync();
        _data.Delete(recursive: true);
    }

    // 250 minutes over an allowance of 0 at the volume price of 0.0185: 462.5 cents, half to even 462.
    [Fact]
    public async Task EventsOfAPeriod_AreOnTheInvoiceAfterIt()
    {
        var client = new BillingClient(_http, Key);
        await client.OpenAccount(new("acme", "Acme", "billing@acme.example", null, null, ["helpdesk-pro", "voice-payg"], "pm_card_visa", null));

        var answer = await client.RecordEvents(Encoding.UTF8.GetBytes(
            """{"specversion":"1.0","id":"call-1","source":"phone","type":"voice.call.ended","subject":"acme","time":"2026-11-01T00:00:00Z","data":{"minutes":250}}"""));
        await client.MoveClock(new(2026, 12, 4, 0, 0, 0, TimeSpan.Zero));
        var invoice = await client.GetInvoice("acme", 2);

        Assert.Equal(1, answer.Accepted);
        Assert.Equal(462, Assert.Single(invoice.Lines, l => l.Meter == "voice.minutes").Amount);
        Assert.Equal(Quantity.Of(250), (await client.GetUsage("acme", "voice.minutes")).Items[0].Quantity);
        Assert.Equal(["acme"], (await client.ListAccounts(query: "ACME")).Items.Select(a => a.Id));
        Assert.Equal([1, 2], (await client.ListInvoices("acme")).Items.Select(i => i.Number!.Value));
        var page = await client.ReadFeed(limit: 1, accounts: "acme", types: "invoice_finalized");
        Assert.Equal(1, Assert.Single(page.Items).Data["invoice"]!["number"]!.GetValue<int>());
        Assert.Equal(2, Assert.Single((await client.ReadFeed(page.Next, wait: 1, types: "invoice_finalized")).Items).Data["invoice"]!["number"]!.GetValue<int>());
    }

    // A product added in the first second of a period costs the whole 360.00.
    [Fact]
    public async Task ActsOnAnAccount_AnswerWithWhatTheyChange()
    {
        var client = new BillingClient(_http, Key);
        await client.OpenAccount(new("acme", "Acme", "billing@acme.example", null, null, ["voice-payg"], "pm_card_visa", null));

        var added = await client.ChangePlans("acme", new([new("helpdesk", "helpdesk-pro")], null, "now", "They asked for it."), "key-1");
        var cancelled = await client.CancelAccount("acme", new("The shop closes."));
        var scheduled = (await client.GetAccount("acme")).Subscriptions[0].ScheduledChange;
        var undone = await client.UndoCancellation("acme", "The shop stays.");

        Assert.Equal((36_000L, 2), (added.Total, added.Invoice));
        Assert.Equal((ScheduledChangeKind.Cancellation, cancelled.EffectiveAt), (scheduled!.Kind, scheduled.At));
        Assert.False(undone.DryRun);
        Assert.Null((await client.GetAccount("acme")).Subscriptions[0].ScheduledChange);
    }

    [Fact]
    public async Task AnAccount_IsMovedToAnotherCatalogueVersion()
    {
        var client = new BillingClient(_http, Key);
        var account = await client.OpenAccount(new("acme", "Acme", "billing@acme.example", null, null, ["voice-payg"], "pm_card_visa", null));
        var version = account.Subscriptions[0].CatalogVersion;
        await client.DraftCatalog(Encoding.UTF8.GetBytes((await client.GetCatalog(version)).Catalog.GetRawText().Replace(version, "next", StringComparison.Ordinal)));
        await client.PublishCatalog("next");

        var begun = await client.MoveToCatalog("next", new(version, false, "voice-payg"), "key-1");
        await Eventually.True(async () => (await client.GetCatalogMove(begun.Id)).Status == JobStatus.Done, "the move is done");

        Assert.Equal(AccountMoveOutcome.Moved, Assert.Single((await client.GetCatalogMove(begun.Id)).Items).Outcome);
        Assert.Equal("next", (await client.GetAccount("acme")).Subscriptions[0].ScheduledChange!.CatalogVersion);
    }

    [Fact]
    public async Task ARefusal_ArrivesAsItsProblem()
    {
        var client = new BillingClient(_http, Key);

        var refused = await Assert.ThrowsAsync<BillingProblemException>(() => client.GetAccount("nobody"));

        Assert.Equal(404, refused.Problem.Status);
        Assert.Contains("nobody", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheSameCallUnderOneIdempotencyKey_GetsTheFirstAnswer()
    {
        var client = new BillingClient(_http, Key);
        var request = new OpenAccountRequest("acme", "Acme", "billing@acme.example", null, null, [], null, null);

        var first = await client.OpenAccount(request, "key-1");
        var second = await client.OpenAccount(request, "key-1");

        Assert.Equal(first.CreatedAt, second.CreatedAt);
        Assert.Equal(409, (await Assert.ThrowsAsync<BillingProblemException>(() => client.OpenAccount(request))).Problem.Status);
    }
}
