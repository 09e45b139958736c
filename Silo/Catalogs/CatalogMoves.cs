using Billing.Accounts;
using Billing.Http;
using Billing.Silo.Checking;
using Billing.Silo.Storage;
using Orleans;

namespace Billing.Silo.Catalogs;

/// <summary>
/// Moves accounts from one catalogue version to another in the background, one job after the other, each account by its own change of plans.
/// Jobs are in memory. One that was cut off is begun again: an account that moves already has nothing to change.
/// </summary>
internal sealed partial class CatalogMoves(IGrainFactory grains, AccountListing listing, TimeProvider time, ILogger<CatalogMoves> log) : BackgroundService
{
    /// <summary>How many accounts are asked at once: there is other work to do.</summary>
    private const int AtOnce = 2;

    private const int PageSize = 100;
    private static readonly AccountQuery Everybody = new(null, null, null);

    private readonly JobList<CatalogMoveJob> _jobs = new();

    /// <summary>Begins a job behind those that were begun before.</summary>
    /// <returns>The job, or the one of the same id that is known; null when as many wait as are kept.</returns>
    public CatalogMoveJob? Begin(CatalogMoveJob job) => _jobs.Begin(job);

    /// <summary>A job of this silo; null when it is not known, or not any more.</summary>
    public CatalogMoveJob? Find(string id) => _jobs.Find(id);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var job in _jobs.Waiting(stoppingToken))
        {
            try
            {
                await Run(job, stoppingToken);
                job.End(time.GetUtcNow(), isDone: true);
            }
            catch (Exception failed) when (!stoppingToken.IsCancellationRequested)
            {
                LogStopped(failed, job.Id);
                job.End(time.GetUtcNow(), isDone: false);
            }
        }
    }

    private async Task Run(CatalogMoveJob job, CancellationToken cancellation)
    {
        if (job.Accounts is { } named)
        {
            foreach (var some in named.Chunk(PageSize)) await MoveAll(some, job, cancellation);
            return;
        }

        string? after = null;
        while (await listing.List(Everybody, after, PageSize) is [.., var last] page)
        {
            await MoveAll([.. page.Where(a => a.Summary is not { } summary || job.Move.MayConcern(summary)).Select(a => a.Id)], job, cancellation);
            after = last.Id;
        }
    }

    private async Task MoveAll(string[] accounts, CatalogMoveJob job, CancellationToken cancellation)
    {
        var results = new AccountMove?[accounts.Length];
        await Parallel.ForAsync(0, accounts.Length, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (i, _) =>
            results[i] = await MoveOne(accounts[i], job));
        job.Add(results.OfType<AccountMove>());
    }

    // Null for an account that has nothing to do with the move.
    private async Task<AccountMove?> MoveOne(string account, CatalogMoveJob job)
    {
        try
        {
            var grain = grains.GetGrain<IMerchantAccountGrain>(account);
            var seen = await grain.GetAccount();
            if (seen.Refusal is { Kind: RefusalKind.Retry }) seen = await grain.GetAccount();
            if (seen.Account is not { } view) return Refused(seen.Refusal!.Detail);
            var step = job.Move.StepOf(view);
            if (!step.IsConcerned && job.Accounts is null) return null;
            if (step.Problem is { } problem) return Refused(problem);
            if (step.Changes.IsEmpty)
                return new(account, AccountMoveOutcome.Unchanged, step.IsConcerned ? $"Nothing to change: {step.Done}" : $"Nothing to change: the account has no subscription on the catalogue {job.Move.From.Version} that this move takes.", []);

            var command = new ChangePlans(step.Changes, job.Move.To.Version, PlanChangeTime.PeriodEnd, job.Reason, job.IsDryRun, $"move {job.Id}");
            var answer = await grain.ChangePlans(command);
            if (answer.Refusal is { Kind: RefusalKind.Retry }) answer = await grain.ChangePlans(command);
            return answer.Change is { } change
                ? new(account, job.IsDryRun ? AccountMoveOutcome.WouldMove : AccountMoveOutcome.Moved, change.Description, step.Products, change)
                : Refused(answer.Refusal!.Detail);
        }
        catch (Exception failed)
        {
            LogFailed(failed, account);
            return Refused("The platform failed on this account and logged why. Whether it moves is not known; look at it, or begin the move again, which changes nothing twice.");
        }

        AccountMove Refused(string why) => new(account, AccountMoveOutcome.Refused, why, []);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The account {Account} could not be moved to another catalogue version.")]
    private partial void LogFailed(Exception exception, string account);

    [LoggerMessage(Level = LogLevel.Error, Message = "The move {Job} to another catalogue version did not come to its end. Begin it again: what moves already is not changed twice.")]
    private partial void LogStopped(Exception exception, string job);
}
