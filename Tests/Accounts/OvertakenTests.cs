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
        Assert.Null((await account.CatchUp(Now, mayCall: false)).Refusal);

        Assert.Equal(Appended.Yes, await AppendFromElsewhere(platform));

        Assert.Equal(RefusalKind.Retry, (await account.CatchUp(Now, mayCall: false)).Refusal?.Kind);
        Assert.Null((await account.CatchUp(Now, mayCall: false)).Refusal);
        Assert.Equal(ScheduledChangeKind.Cancellation, Assert.Single((await account.GetAccount()).Account!.Subscriptions).ScheduledChange?.Kind);
    }

    private static Task<Appended> AppendFromElsewhere(TestPlatform platform)
    {
        var end = Now.AddMonths(1);
        var facts = new FactWriter();
        facts.Begin(Now);
        facts.Write(new AccountFact.CancellationScheduled(end, "The shop closes.", Now));
        return platform.Services.GetRequiredService<IJournal>().Append(new("acme", 2, Now, facts.Entry, default, end, null));
    }
}
