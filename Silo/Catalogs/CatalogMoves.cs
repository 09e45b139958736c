using Billing.Accounts;
using Billing.Http;
using Billing.Silo.Checking;
using Billing.Silo.Storage;
using Orleans;

namespace Billing.Silo.Catalogs;

/// <summary>
/// Moves accounts from one catalogue version to another, each account by its own change of plans. A job that was cut off is begun again: an
/// account that moves already has nothing to change.
/// </summary>
internal sealed partial class CatalogMoves(IGrainFactory grains, AccountListing listing, TimeProvider time, ILogger<CatalogMoves> log) : AccountJobs<CatalogMoveJob>(time, log)
{
    private static readonly AccountQuery Everybody = new(null, null, null);

    /// <inheritdoc/>
    protected override async Task Run(CatalogMoveJob job, CancellationToken cancellation)
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

    private async Task MoveAll(string[] accounts, CatalogMoveJob job, CancellationToken cancellation) =>
        job.Add((await ForEach(accounts, account => MoveOne(account, job), cancellation)).OfType<AccountMove>());

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
}
