using Billing.Accounts;
using Billing.Silo.Charging;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Sqlite;
using Billing.Silo.Stripe;
using Billing.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Billing.Tests.Charging;

/// <summary>What becomes of events that are stored: the accounts read at Stripe what they are about.</summary>
public sealed class StripeEventWorkTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private WebhookRun? _run;

    private WebhookRun Run => _run!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_run is not null) await _run.DisposeAsync();
        _folder.Dispose();
    }

    // The clock stands still and Stripe is asked for nothing by itself: only the webhook can tell.
    [Fact]
    public async Task DeclinedInvoicePaidAtStripe_IsSettledThroughTheWebhook()
    {
        _run = await WebhookRun.Open(_folder);
        await Run.OpenAccount("a", "pm_card_chargeCustomerFail");
        await Run.Api.MoveClock("P3DT1H");
        Assert.Equal(["declined"], await Run.Charges("a"));
        var customer = (await Run.Held("customers")).Single().GetProperty("id").GetString()!;
        var invoice = (await Run.Held("invoices")).Single().GetProperty("id").GetString()!;

        var method = (await Run.AtStripe("/v1/payment_methods/pm_card_visa/attach", $"customer={customer}")).GetProperty("id").GetString();
        await Run.AtStripe($"/v1/invoices/{invoice}/pay", $"payment_method={method}");

        await Eventually.True(async () => await Run.Charges("a") is ["settled"], "the charge is settled");
        await Run.Api.MoveClock("P10D");
        Assert.Equal(["settled"], await Run.Charges("a"));
        Assert.Single(await Run.Held("charges"), c => c.GetProperty("status").GetString() == "succeeded");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task WebhooksLostLateDoubledAndReordered_EachInvoiceIsChargedOnce(int seed)
    {
        string[] accounts = ["a", "b", "c", "d", "e"];
        _run = await WebhookRun.Open(_folder);
        var faults = await Run.Api.Post("/v1/sandbox/faults", $$"""{"kinds":["webhook_lost","webhook_late","webhook_doubled","webhook_reordered"],"probability":0.9,"seed":{{seed}}}""");
        Assert.Equal(200, faults.Status);
        foreach (var account in accounts) await Run.OpenAccount(account, account == "a" ? "pm_usBankAccount" : "pm_card_visa");

        await Run.Api.MoveClock("P2M15D");

        Assert.Empty(await Run.Events.Pending("", 1));
        Assert.True(Run.Count("stored") > 20 && Run.Count("duplicate") > 0, $"{Run.Count("stored")} stored, {Run.Count("duplicate")} duplicates");
        foreach (var account in accounts) Assert.Equal(["settled", "settled", "settled"], await Run.Charges(account));
        var charged = (await Run.Held("charges")).Where(c => c.GetProperty("status").GetString() == "succeeded").Select(c => c.GetProperty("metadata").GetProperty("intent").GetString()!).ToList();
        Assert.Equal((15, 15), (charged.Count, charged.Distinct(StringComparer.Ordinal).Count()));
    }

    [Fact]
    public async Task EventsLeftFromBefore_AreProcessedAtStart()
    {
        await using (var store = await SqliteStore.Open(_folder.File("data")))
        {
            IStripeEvents events = store;
            await events.Add(Told("evt_1", null, null));
            await events.Add(Told("evt_2", "in_of_nobody", null));
            await events.Add(Told("evt_3", "in_of_an_unknown_account", "nobody"));
        }

        _run = await WebhookRun.Open(_folder);

        await Eventually.True(async () => (await Run.Events.Pending("", 10)).Count == 0, "all are processed");
        (await Run.Api.Get("/v1/accounts/nobody")).IsProblem(404, "id");
    }

    [Fact]
    public async Task EventsThatAnAccountRefuses_StayPendingAndHoldUpNoOther()
    {
        await using var store = await SqliteStore.Open(_folder.Path);
        IStripeEvents events = store;
        var held = true;
        var told = new List<string>();
        using var work = Work(store, (account, invoice, intent) =>
        {
            if (account == "held" && held) return new CatchUpAnswer(new(RefusalKind.Held, "The account is held."), null);
            lock (told) told.Add($"{account} {invoice} {intent}");
            return new CatchUpAnswer(null, null);
        });
        await events.Add(Told("evt_1", "in_1", "held"));
        await events.Add(Told("evt_2", "in_2", "other"));
        await events.Add(Told("evt_3", "in_2", "other"));
        await events.Add(Told("evt_4", null, null));

        Assert.Equal(3, await work.CarryOutDueAsync(default));
        Assert.Equal(["evt_1"], (await events.Pending("", 10)).Select(e => e.Id));
        Assert.Equal(0, await work.CarryOutDueAsync(default));
        held = false;
        Assert.Equal(1, await work.CarryOutDueAsync(default));

        Assert.Empty(await events.Pending("", 10));
        Assert.Equal(["other in_2 the intent", "held in_1 the intent"], told);
    }

    [Fact]
    public async Task MoreEventsThanAreReadAtOnce_AreAllProcessed()
    {
        await using var store = await SqliteStore.Open(_folder.Path);
        IStripeEvents events = store;
        using var work = Work(store, (account, _, _) => new CatchUpAnswer(account == "held" ? new(RefusalKind.Held, "The account is held.") : null, null));
        await Task.WhenAll(Enumerable.Range(0, 600).Select(i => events.Add(Told($"evt_{i}", i < 550 ? $"in_{i}" : null, i < 300 ? "held" : "other"))));

        Assert.Equal(300, await work.CarryOutDueAsync(default));

        Assert.Equal(300, (await events.Pending("", 1000)).Count);
    }

    private static StripeEvent Told(string id, string? invoice, string? account) =>
        new(id, "invoice.paid", 1, WebhookRun.Start, id, invoice, account, account is null ? null : "the intent");

    private static StripeEventWork Work(IStripeEvents events, Func<string, string, string?, CatchUpAnswer> notice)
    {
        var grains = AccountDouble.Factory(account => AccountDouble.Account(notice: (invoice, intent) => Task.FromResult(notice(account, invoice, intent))));
        var options = new StripeOptions { SecretKey = "sk_test_sandbox", BaseAddress = new("http://127.0.0.1:9") };
        var stripe = new StripeConnection(options, new ServiceCollection().BuildServiceProvider(), TimeProvider.System, NullLogger<StripeClient>.Instance);
        return new(events, stripe, grains, NoStripe.Work(grains), TimeProvider.System, NullLogger<StripeEventWork>.Instance);
    }
}
