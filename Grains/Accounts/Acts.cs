namespace Billing.Accounts;

/// <summary>
/// The acts of operators, each with what follows from it in its instant. A dry run carries the act out on a copy that nobody keeps, so it
/// shows what the act does, to the line. Pure.
/// </summary>
internal static class Acts
{
    /// <summary>Decides an act.</summary>
    /// <param name="account">The account, caught up to now.</param>
    /// <param name="isDryRun">Whether it is only to be shown: the account stays as it is.</param>
    /// <param name="now">The billing clock.</param>
    /// <param name="facts">Takes the facts; none for a dry run.</param>
    /// <param name="act">Decides for an account; it writes its facts and folds them in.</param>
    public static AccountChangeAnswer Decide(
        AccountState account, bool isDryRun, DateTimeOffset now, FactWriter facts, Func<AccountState, FactWriter, AccountChangeAnswer> act)
    {
        if (!isDryRun) return Carry(account, now, facts, act);
        var (copy, unkept) = AccountDecider.Unkept(account, now);
        var answer = Carry(copy, now, unkept, act);
        return answer.Change is { } change ? new(null, change with { DryRun = true, Invoice = null }) : answer;
    }

    private static AccountChangeAnswer Carry(AccountState account, DateTimeOffset now, FactWriter facts, Func<AccountState, FactWriter, AccountChangeAnswer> act)
    {
        var invoices = account.Invoices.Count;
        var decisions = account.Subscriptions.ToDictionary(s => s.Product, s => s.Decision, StringComparer.Ordinal);
        var answer = act(account, facts);
        if (answer.Change is not { } change) return answer;
        AccountDecider.CatchUp(account, now, facts);

        var moves = account.Subscriptions
            .Where(s => s.Decision is not null && s.Decision != decisions.GetValueOrDefault(s.Product))
            .Select(s => $" Usage so far moves the plan at once: {s.Decision!.Text}");
        var made = account.Invoices.Skip(invoices).ToList();
        change = change with { Description = change.Description + string.Concat(moves) };
        return new(null, made.Count == 0 ? change : change with
        {
            Total = made.Sum(i => i.Total),
            Lines = [.. made.SelectMany(i => i.Lines).Select((l, i) => l with { N = i + 1 })],
            Invoice = made[0].Number,
        });
    }
}
