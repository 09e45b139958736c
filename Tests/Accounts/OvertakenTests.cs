using Billing.Accounts;
using Billing.Journal;
using Billing.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace Billing.Tests.Accounts;

/// <summary>F19: an activation that another one has overtaken must not sleep over what only that one knows.</summary>
public sealed class OvertakenTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse(TestPlatform.Start);

    [Fact]
    public async Task WokenForWhatItDoesNotKnow_ItStepsDownAndTheNextOneKnows()
    {
        using var folder = new TemporaryFolder();
        await using var platform = await TestPlatform.Open(folder);
        await platform.Api.Open("acme", "desk-basic");
        var account = platform.Services.GetRequiredService<IGrainFactory>().GetGrain<IMerchantAccountGrain>("acme");
        await Eventually.True(async () => (await platform.Api.Get("/v1/accounts/acme/invoices")).Json.GetProperty("items")[0].GetProperty("status").GetString() == "paid", "its first invoice is charged");
        Assert.Null((await account.CatchUp(Now, mayCall: false)).Refusal);

        Assert.Equal(Appended.Yes, await AppendFromElsewhere(platform));

        Assert.Equal(RefusalKind.Retry, (await account.CatchUp(Now, mayCall: false)).Refusal?.Kind);
        Assert.Null((await account.CatchUp(Now, mayCall: false)).Refusal);
        Assert.Equal(ScheduledChangeKind.Cancellation, Assert.Single((await account.GetAccount()).Account!.Subscriptions).ScheduledChange?.Kind);
    }

    private static async Task<Appended> AppendFromElsewhere(TestPlatform platform)
    {
        var journal = platform.Services.GetRequiredService<IJournal>();
        var last = (await journal.ReadAll("acme", default)).Entries.Count;
        var end = Now.AddMonths(1);
        var facts = new FactWriter();
        facts.Begin(Now);
        facts.Write(new AccountFact.CancellationScheduled(end, "The shop closes.", Now));
        return await journal.Append(new("acme", last + 1, Now, facts.Entry, default, end, null));
    }
}
