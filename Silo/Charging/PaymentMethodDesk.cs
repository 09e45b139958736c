using Billing.Accounts;
using Billing.Charging;
using Billing.Journal;
using Billing.Silo.Stripe;
using Orleans;

namespace Billing.Silo.Charging;

/// <summary>Gives accounts payment methods: Stripe is asked before anything is stored, and who gave one hears what Stripe says to it.</summary>
internal sealed class PaymentMethodDesk(StripeConnection stripe, IGrainFactory grains, StripeWork calls, IBillingClock clock, TimeProvider time)
{
    private static readonly TimeSpan AnsweredWithin = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LooksEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>Why a payment method cannot be taken: Stripe has none of that id. Null when it has, or does not answer now.</summary>
    public async Task<Refusal?> Refused(string method, CancellationToken cancellation)
    {
        if (!StripePath.IsId(method)) return NoneOfThatId(method);
        var read = await stripe.Client.Get(StripePaths.PaymentMethod(method), null, cancellation);
        return read.Outcome == StripeOutcome.Refused ? NoneOfThatId(method) : null;
    }

    /// <summary>Gives an account another payment method.</summary>
    /// <returns>The change once Stripe has taken it; when Stripe does not answer within seconds, that it will be.</returns>
    public async Task<AccountChangeAnswer> Change(string account, ChangePaymentMethod command, CancellationToken cancellation)
    {
        var grain = grains.GetGrain<IMerchantAccountGrain>(account);
        var tried = await grain.ChangePaymentMethod(command with { DryRun = true });
        if (tried.Refusal is not null) return tried;
        if (await Refused(command.PaymentMethod!, cancellation) is { } refusal) return new(refusal, null);
        var answer = await grain.ChangePaymentMethod(command);
        if (answer.Refusal is not null || command.DryRun) return answer;

        var begun = time.GetTimestamp();
        while (!calls.IsStopping && time.GetElapsedTime(begun) < AnsweredWithin)
        {
            await calls.Follow(() => grain.CatchUp(clock.Now, mayCall: true));
            switch ((await grain.GetPaymentMethod()).Method)
            {
                case { State: PaymentMethodState.Attached }:
                    return answer;
                case { State: PaymentMethodState.Refused, Code: var code }:
                    return new(new(RefusalKind.Conflict, $"Stripe did not take the payment method {command.PaymentMethod}: {code}. It is noted and never charged; give another one.", "payment_method"), null);
            }

            await Task.Delay(LooksEvery, time, cancellation);
        }

        return answer with { Change = answer.Change! with { Description = $"{answer.Change.Description} Stripe has not answered yet: it is stored, and is done when Stripe answers." } };
    }

    private static Refusal NoneOfThatId(string method) =>
        new(RefusalKind.Invalid, $"Stripe has no payment method {method}. Nothing was stored; give the id of one that exists.", "payment_method");
}
