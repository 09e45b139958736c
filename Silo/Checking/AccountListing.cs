using Billing.Accounts;
using Billing.Silo.Storage;
using Orleans;

namespace Billing.Silo.Checking;

/// <summary>Lists accounts, each with what holds it. Rows that are damaged in the store are made anew from their accounts.</summary>
internal sealed partial class AccountListing(IAccountDirectory directory, IGrainFactory grains, Holds holds, ILogger<AccountListing> log)
{
    /// <summary>Accounts in the order of their ids, from the one after <paramref name="after"/> on.</summary>
    /// <returns>Those that match; without a summary those whose row is damaged and whose account cannot be read now.</returns>
    public async Task<IReadOnlyList<ListedAccount>> List(AccountQuery query, string? after, int limit)
    {
        var found = await directory.List(query, after, limit);
        if (found.Any(a => a.Summary is null))
        {
            // Made anew, they may match no more.
            foreach (var damaged in found.Where(a => a.Summary is null)) await Mend(damaged.Id);
            found = await directory.List(query, after, limit);
        }

        return [.. found.Select(a => a.Summary is { } summary && holds.Of(a.Id) is { } why ? a with { Summary = summary with { Holds = summary.Holds.Insert(0, why) } } : a)];
    }

    /// <summary>Makes the row of an account anew from the account.</summary>
    /// <returns>Whether it could be; else the account cannot be read now.</returns>
    public async Task<bool> Mend(string account)
    {
        var grain = grains.GetGrain<IMerchantAccountGrain>(account);
        var answer = await grain.GetAccount();
        if (answer.Refusal is { Kind: RefusalKind.Retry }) answer = await grain.GetAccount();
        if (answer.Refusal is { Kind: not RefusalKind.NotFound } refusal)
        {
            LogNotMended(account, refusal.Detail);
            return false;
        }

        await directory.MendSummary(account, answer.Account is { } view ? SummaryOf(view) : null);
        LogMended(account);
        return true;
    }

    private static AccountSummary SummaryOf(AccountView view) => new(
        view.Id, view.Name, view.Email, view.Status, view.Currency, view.CreatedAt, [.. view.Subscriptions.Select(s => s.Plan).Order(StringComparer.Ordinal)], view.Holds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Account {Account}: its row for lists was damaged in the store. It was made anew from the account; nothing is lost.")]
    private partial void LogMended(string account);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Account {Account}: its row for lists is damaged in the store, and cannot be made anew now. {Detail}")]
    private partial void LogNotMended(string account, string detail);
}
