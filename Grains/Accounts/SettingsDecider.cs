namespace Billing.Accounts;

/// <summary>Decides what the merchant wants of the platform. Pure.</summary>
internal static class SettingsDecider
{
    /// <summary>Changes settings; those that are not named stay.</summary>
    public static AccountChangeAnswer Decide(AccountState account, ChangeSettings command, DateTimeOffset now, FactWriter facts)
    {
        var isRepeated = !command.DryRun && command.CommandId is { } id && account.Settings?.CommandId == id;
        if (!isRepeated)
        {
            if (AccountDecider.ReasonRefused(command.Reason, needed: true) is { } refusal) return new(refusal, null);
            if (command.AutomaticPlanChanges is null)
                return new(new(RefusalKind.Invalid, "There is no setting to change. Nothing was changed; name automatic_plan_changes.", "automatic_plan_changes"), null);
            if (account.Cancelled is not null) return new(new(RefusalKind.Conflict, $"The account {account.Id} is cancelled. Nothing was changed."), null);
            if (!command.DryRun)
                AccountDecider.Emit(account, facts, new AccountFact.SettingsChanged(command.Reason!, now, command.AutomaticPlanChanges, command.CommandId));
        }

        var text = command.AutomaticPlanChanges switch
        {
            true => "Usage may move the account's plans from now on.",
            false => "Usage does not move the account's plans any more. A plan that usage has moved in the running period settles at its end.",
            _ => "Nothing changes.",
        };
        return new(null, new(account.Id, text, now, command.DryRun, account.Profile!.Currency, 0, [], null));
    }
}
