using Billing.Rating;

namespace Billing.Accounts;

/// <summary>Decides what the merchant wants of the platform. Pure.</summary>
internal static class SettingsDecider
{
    private const int AlertsMax = 20;
    private const int PercentMax = 1_000;

    /// <summary>Changes settings; those that are not named stay.</summary>
    public static AccountChangeAnswer Decide(AccountState account, ChangeSettings command, DateTimeOffset now, FactWriter facts)
    {
        var isRepeated = !command.DryRun && command.CommandId is { } id && account.Settings?.CommandId == id;
        if (!isRepeated)
        {
            if (AccountDecider.ReasonRefused(command.Reason, needed: true) is { } noReason) return new(noReason, null);
            if (Wrong(account, command) is { } refusal) return new(refusal, null);
            AccountDecider.Emit(account, facts, new AccountFact.SettingsChanged(
                command.Reason!, now, command.AutomaticPlanChanges, command.CommandId, command.Alerts.IsDefault ? null : command.Alerts, command.SpendCap, command.RemoveSpendCap ? true : null));
        }

        return new(null, new(account.Id, string.Join(" ", Sentences(account, command)), now, false, account.Profile!.Currency, 0, [], null));
    }

    private static Refusal? Wrong(AccountState account, ChangeSettings command)
    {
        if (command is { AutomaticPlanChanges: null, Alerts.IsDefault: true, SpendCap: null, RemoveSpendCap: false })
            return Invalid("There is no setting to change. Nothing was changed; name automatic_plan_changes, alerts or spend_cap.", "automatic_plan_changes");
        if (account.Cancelled is not null) return new(RefusalKind.Conflict, $"The account {account.Id} is cancelled. Nothing was changed.");
        if (command.SpendCap is { Amount: <= 0 }) return Invalid("A spend cap is an amount above zero, in minor units. Nothing was changed; to remove the cap, set spend_cap to null.", "spend_cap.amount");
        if (command.Alerts.IsDefault) return null;
        if (command.Alerts.Length > AlertsMax) return Invalid($"An account has at most {AlertsMax} alerts of its own. Nothing was changed.", "alerts");
        for (var i = 0; i < command.Alerts.Length; i++)
        {
            var alert = command.Alerts[i];
            if (alert is null or { Percent: null, Amount: null } or { Percent: not null, Amount: not null } or { Amount: not null, Meter: not null })
                return Invalid("An alert is a percentage of an allowance, with a meter if it is for one only, or an amount. Nothing was changed.", $"alerts[{i}]");
            if (alert.Percent is < 1 or > PercentMax) return Invalid($"A threshold of {alert.Percent} % tells nothing: it is 1 to {PercentMax} % of an allowance. Nothing was changed.", $"alerts[{i}].percent");
            if (alert.Amount is <= 0) return Invalid($"A threshold of {alert.Amount} tells nothing: an amount is above zero, in minor units. Nothing was changed.", $"alerts[{i}].amount");
            if (alert.Meter is { } meter && !account.Subscriptions.Any(s => account.CatalogOf(s.CatalogVersion).Catalog.MetersOf(s.Product).Any(m => m.Id == meter)))
                return Invalid($"The account {account.Id} subscribes to no product with a meter {meter}. Nothing was changed.", $"alerts[{i}].meter");
        }

        return null;
    }

    private static IEnumerable<string> Sentences(AccountState account, ChangeSettings command)
    {
        if (command.AutomaticPlanChanges == true) yield return "Usage may move the account's plans from now on.";
        if (command.AutomaticPlanChanges == false) yield return "Usage does not move the account's plans any more. A plan that usage has moved in the running period settles at its end.";
        if (!command.Alerts.IsDefault) yield return command.Alerts.IsEmpty ? "The account has no alerts of its own any more." : $"The account has {command.Alerts.Length} alerts of its own beside 50, 80 and 100 % of each allowance.";
        if (command.SpendCap is { } cap)
        {
            yield return $"When a period costs {Currencies.Format(cap.Amount, account.Profile!.Currency)}, "
                + (cap.Kind == SpendCapKind.Hard ? "it is told and the entitlements to all meters are off for the rest of it." : "it is told.");
        }
        else if (command.RemoveSpendCap)
        {
            yield return "The account has no spend cap any more.";
        }
    }

    private static Refusal Invalid(string detail, string field) => new(RefusalKind.Invalid, detail, field);
}
