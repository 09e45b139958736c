using Billing.Accounts;
using Billing.Silo.Storage;
using Orleans;

namespace Billing.Silo.Catalogs;

/// <summary>Runs histories of accounts again by other rules or prices: of a few at once, of all of them as a job.</summary>
internal sealed partial class BackTests(IGrainFactory grains, IAccountDirectory directory, TimeProvider time, ILogger<BackTests> log) : AccountJobs<BackTestJob>(time, log)
{
    private static readonly AccountQuery Everybody = new(null, null, null);

    /// <summary>Runs the histories of some accounts.</summary>
    /// <returns>What came of it, in the order of the accounts.</returns>
    public async Task<IReadOnlyList<AccountBackTest>> Run(IReadOnlyList<string> accounts, BackTestQuestion question, CancellationToken cancellation) =>
        await ForEach(accounts, account => RunOne(account, question), cancellation);

    /// <inheritdoc/>
    protected override async Task Run(BackTestJob job, CancellationToken cancellation)
    {
        string? after = null;
        while (await directory.List(Everybody, after, PageSize) is [.., var last] page)
        {
            job.Add(await Run([.. page.Select(a => a.Id)], job.Question, cancellation));
            after = last.Id;
        }
    }

    private async Task<AccountBackTest> RunOne(string account, BackTestQuestion question)
    {
        try
        {
            return await grains.GetGrain<IAccountHistoryGrain>(account).BackTest(question);
        }
        catch (Exception failed)
        {
            LogFailed(failed, account);
            return new(account, null, 0, 0, 0, [], [], [], "The platform failed to run the history of this account and logged why. Nothing of the account was changed.");
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The history of account {Account} could not be run again.")]
    private partial void LogFailed(Exception exception, string account);
}
