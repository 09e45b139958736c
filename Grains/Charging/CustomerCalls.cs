using Billing.Accounts;

namespace Billing.Charging;

/// <summary>The calls about the customer and its payment method. Made twice they do no harm, so they are repeated under a new key; only a customer is looked for first.</summary>
internal static class CustomerCalls
{
    public static StripeCall Next(AccountState account, CustomerStep step)
    {
        var (charging, profile) = (account.Charging, account.Profile!);
        var bare = new StripeCall(charging.Calls + 1, default, null, account.Id, null, charging.Customer, null, 0, null, null, null, null, []);
        return step switch
        {
            CustomerStep.Create => bare with { Kind = StripeCallKind.CreateCustomer, Key = Key("customer"), Name = profile.Name, Email = profile.Email },
            CustomerStep.Find => bare with { Kind = StripeCallKind.FindCustomer, Email = profile.Email },
            CustomerStep.Attach => bare with { Kind = StripeCallKind.AttachPaymentMethod, Key = Key($"payment-method/{charging.MethodsGiven}"), PaymentMethod = charging.Method!.Given },
            _ => bare with { Kind = StripeCallKind.SetDefaultPaymentMethod, Key = Key($"default-payment-method/{charging.MethodsGiven}"), PaymentMethod = charging.ChargedMethod },
        };

        string Key(string what) => charging.CustomerTry > 1 ? $"{account.Id}/{what}/{charging.CustomerTry}" : $"{account.Id}/{what}";
    }

    public static void Take(AccountState account, CallUnderWay call, StripeAnswer answer, DateTimeOffset now, FactWriter facts)
    {
        // Another payment method was given meanwhile: this answer is about the one before.
        var charging = account.Charging;
        if (call.Kind is StripeCallKind.AttachPaymentMethod or StripeCallKind.SetDefaultPaymentMethod && call.Key != Next(account, charging.CustomerStep ?? default).Key) return;
        switch (call.Kind, answer.Outcome)
        {
            case (StripeCallKind.CreateCustomer, StripeOutcome.Done):
                Emit(new AccountFact.CustomerCreated(answer.Id!, now));
                break;

            case (StripeCallKind.CreateCustomer, StripeOutcome.Unknown):
                Emit(new AccountFact.CustomerStepPut(CustomerStep.Find, charging.CustomerTry, LookUps.NextAt(now, now), now));
                break;

            case (StripeCallKind.FindCustomer, StripeOutcome.Done):
                if (answer.Id is { } found) Emit(new AccountFact.CustomerCreated(found, now));
                else if (LookUps.IsProof(charging.CustomerSentAt, charging.CustomerSeen, now)) Emit(new AccountFact.CustomerStepPut(CustomerStep.Create, charging.CustomerTry + 1, now, now));
                else Emit(new AccountFact.CustomerStepPut(CustomerStep.Find, charging.CustomerTry, LookUps.NextUnproven(charging.CustomerSentAt ?? now, charging.CustomerSentAt ?? now, now), now));
                break;

            case (StripeCallKind.AttachPaymentMethod, StripeOutcome.Done):
                var card = answer.Card!;
                Emit(new AccountFact.PaymentMethodAttached(card.Id, card.Type, card.Brand, card.LastFour, now));
                Lifecycle.LifecycleDecider.BeginPending(account, now, facts);
                break;

            case (StripeCallKind.AttachPaymentMethod, StripeOutcome.Declined or StripeOutcome.Refused or StripeOutcome.RequiresAction):
                Emit(new AccountFact.PaymentMethodRefused(charging.Method!.Given, answer.Code ?? Dunning.RequiresAction, answer.Message, now));
                break;

            // Each payment names its payment method, so a default that Stripe refuses keeps nothing from being paid.
            case (StripeCallKind.SetDefaultPaymentMethod, StripeOutcome.Done or StripeOutcome.Refused or StripeOutcome.Declined or StripeOutcome.RequiresAction):
                Emit(new AccountFact.PaymentMethodSet(now));
                break;

            case (_, StripeOutcome.NotDone):
                Emit(new AccountFact.CustomerStepPut(charging.CustomerStep!.Value, charging.CustomerTry, now + LookUps.WaitAfterNotDone(answer.RetryAfter, charging.CustomerNotDone), now));
                break;

            case (_, StripeOutcome.Unknown):
                Emit(new AccountFact.CustomerStepPut(charging.CustomerStep!.Value, charging.CustomerTry + 1, now + LookUps.WaitAfterNotDone(null, charging.CustomerNotDone), now));
                break;

            default:
                Emit(new AccountFact.CustomerStepPut(CustomerStep.Create, charging.CustomerTry + 1, null, now));
                foreach (var charge in charging.Charges.Where(c => !c.IsOver && c.Parked is null))
                    Emit(new AccountFact.ChargeParked(charge.Intent, ParkReason.Refused, $"Stripe refused to make the customer: {answer.Code} {answer.Message}", now, HoldsAccount: true));
                break;
        }

        void Emit(AccountFact fact) => AccountDecider.Emit(account, facts, fact);
    }
}
