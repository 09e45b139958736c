using Billing.Accounts;
using Billing.Tests.Support;
using Billing.Usage;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace Billing.Tests.Accounts;

/// <summary>An account on a silo that has not heard yet that another one moved the billing clock.</summary>
public sealed class SiloBehindTests
{
    private static readonly DateTimeOffset Moved = DateTimeOffset.Parse(TestPlatform.Start).AddDays(34);

    [Fact]
    public async Task AccountThatIsWoken_DoesWhatIsDueByTheClockOfWhoWakesIt()
    {
        using var folder = new TemporaryFolder();
        await using var platform = await TestPlatform.Open(folder);
        var account = await Opened(platform);

        var answer = await account.CatchUp(Moved, mayCall: true);

        Assert.Null(answer.Refusal);
        Assert.True(answer.NextDueAt > Moved, $"{answer.NextDueAt:o}");
        Assert.Equal([1, 2], (await account.ListInvoices(0, 10)).Items.Select(i => i.Number).OfType<int>());
    }

    [Fact]
    public async Task Event_IsReceivedWhenTheSiloThatReceivedItSays()
    {
        using var folder = new TemporaryFolder();
        await using var platform = await TestPlatform.Open(folder);
        var account = await Opened(platform);

        Assert.Equal(UsageOutcome.Quarantined, await Record(account, null));
        Assert.Equal(UsageOutcome.Accepted, await Record(account, Moved));
    }

    private static async Task<IMerchantAccountGrain> Opened(TestPlatform platform)
    {
        await platform.Api.Open("acme", "desk-basic");
        return platform.Services.GetRequiredService<IGrainFactory>().GetGrain<IMerchantAccountGrain>("acme");
    }

    private static async Task<UsageOutcome> Record(IMerchantAccountGrain account, DateTimeOffset? receivedAt)
    {
        var writer = new UsageBatchWriter();
        writer.Add(new() { KeyHash = 1, TimeTicks = Moved.UtcTicks, Type = "ticket.sent"u8, Source = "shop"u8, Id = "e1"u8, Data = default, Body = "{}"u8 });
        var result = await account.RecordUsage(writer.ToBatch(keepBodies: false, wantReceipts: false) with { ReceivedAt = receivedAt });
        Assert.Null(result.Refusal);
        return (UsageOutcome)result.Outcomes.Span[0];
    }
}
