using Billing.Accounts;
using Billing.Charging;
using Billing.Http;
using Billing.Invoices;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Charging;

/// <summary>A declined charge is tried again on days 1, 3, 5 and 7; then the account is suspended, until it pays.</summary>
public sealed class DunningTests
{
    [Fact]
    public void ASoftDecline_IsTriedAgainOnDays1357ThenSuspended()
    {
        var desk = new ChargeDesk { Declines = "insufficient_funds" };
        desk.Run();
        Assert.Equal(AccountStatus.PastDue, desk.Account.State.Status);

        desk.At(Anchor.AddDays(7).AddTicks(-1));
        Assert.Equal(AccountStatus.PastDue, desk.Account.State.Status);

        desk.At(Anchor.AddDays(7));
        Assert.Equal(
            [(1, 0), (2, 1), (3, 3), (4, 5), (5, 7)],
            desk.Charge.Attempts.Select(a => (a.N, (a.SentAt - Anchor).Days)));
        Assert.All(desk.Charge.Attempts, a => Assert.Equal(("declined", "insufficient_funds"), (a.Outcome, a.Code)));
        Assert.Equal(AccountStatus.Suspended, desk.Account.State.Status);
        Assert.Null(desk.Charge.NextAt);
    }

    [Theory]
    [InlineData("stolen_card")]
    [InlineData("expired_card")]
    public void AHardDecline_IsNotTriedAgainAndSuspendedOnDay7(string code)
    {
        var desk = new ChargeDesk { Declines = code };

        desk.At(Anchor.AddDays(7));

        Assert.Single(desk.Charge.Attempts);
        Assert.Equal(AccountStatus.Suspended, desk.Account.State.Status);
    }

    [Fact]
    public void TheMerchantHasToAct_IsTriedOnTheDaysOfDunning()
    {
        var desk = new ChargeDesk();
        desk.Run(c => c.Kind == StripeCallKind.PayInvoice ? new(c.N, StripeOutcome.RequiresAction, "authentication_required", null, null, null, [], null) : null);
        Assert.Equal((ChargeState.Declined, Anchor.AddDays(1)), (desk.Charge.State, desk.Charge.NextAt));

        desk.At(Anchor.AddDays(1));

        Assert.Equal(ChargeState.Settled, desk.Charge.State);
        Assert.Equal(["requires_action", "settled"], desk.Charge.Attempts.Select(a => a.Outcome));
    }

    [Fact]
    public void ANewPaymentMethod_IsTriedAtOnceAndTheAccountIsActive()
    {
        var desk = new ChargeDesk { Declines = "stolen_card" };
        desk.At(Anchor.AddDays(2));
        desk.Declines = null;

        Assert.Null(desk.Account.Pay("pm_card_visa").Refusal);
        desk.Run();

        Assert.Equal((ChargeState.Settled, AccountStatus.Active), (desk.Charge.State, desk.Account.State.Status));
        Assert.Equal(("acme/1/1/pay/2", "pm_card_visa_attached"), (desk.Charge.Attempts[1].Key, desk.Calls.Last(c => c.Kind == StripeCallKind.PayInvoice).PaymentMethod));
        Assert.Equal(Anchor.AddDays(2), desk.Invoice.PaidAt);
    }

    [Fact]
    public void ThePaymentMethodCannotBeAttached_TheChargeIsDeclinedWithoutAnAttempt()
    {
        var desk = new ChargeDesk();

        desk.Run(c => c.Kind == StripeCallKind.AttachPaymentMethod ? new(c.N, StripeOutcome.Declined, "card_declined", "Your card was declined.", null, null, [], null) : null);

        Assert.Equal((ChargeState.Declined, "card_declined"), (desk.Charge.State, desk.Charge.Evidence));
        Assert.Empty(desk.Charge.Attempts);
        Assert.Equal(AccountStatus.PastDue, desk.Account.State.Status);
    }

    // What failed before is not what came of the new try: that one was paid, and nobody heard of it.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TheAnswerToANewTryIsLost_TheFailedOneBeforeIsNotTakenForIt(bool stripeNamesTheFailedCharge)
    {
        var desk = new ChargeDesk { Declines = "insufficient_funds" };
        desk.Run(call => call.Kind == StripeCallKind.PayInvoice && !stripeNamesTheFailedCharge ? desk.CarryOut(call) with { Id = null } : null);
        desk.Declines = null;
        desk.Account.Pay("pm_card_visa");

        desk.RunBut(StripeCallKind.PayInvoice, StripeOutcome.Unknown, done: false);
        Assert.Equal(ChargeState.Unknown, desk.Charge.State);
        desk.At(Anchor.AddMinutes(59));
        Assert.Equal((ChargeState.Unknown, "unknown"), (desk.Charge.State, desk.Charge.Attempts[^1].Outcome));
        desk.CarryOut(desk.Calls.Last(c => c.Kind == StripeCallKind.PayInvoice));
        desk.At(Anchor.AddHours(2));

        Assert.Equal((ChargeState.Settled, AccountStatus.Active), (desk.Charge.State, desk.Account.State.Status));
        Assert.Equal(["declined", "settled"], desk.Charge.Attempts.Select(a => a.Outcome));
        Assert.Null(desk.Charge.Evidence);
    }

    [Fact]
    public void AMethodGivenWhileATryIsUnknown_IsTriedAtOnceWhenThatTurnsOutDeclined()
    {
        var desk = new ChargeDesk { Declines = "lost_card" };
        desk.RunBut(StripeCallKind.PayInvoice, StripeOutcome.Unknown, done: true);
        Assert.Equal(ChargeState.Unknown, desk.Charge.State);
        desk.Account.Pay("pm_card_visa");
        desk.Run();
        desk.Declines = null;

        desk.At(Anchor.AddMinutes(1));

        Assert.Equal((ChargeState.Settled, AccountStatus.Active), (desk.Charge.State, desk.Account.State.Status));
        Assert.Equal([("declined", "lost_card"), ("settled", null)], desk.Charge.Attempts.Select(a => (a.Outcome, a.Code)));
    }

    [Fact]
    public void TheMerchantHadToAct_TheNewTryWhoseAnswerIsLostIsNotTakenForDeclined()
    {
        var desk = new ChargeDesk();
        desk.Run(call =>
        {
            if (call.Kind != StripeCallKind.PayInvoice) return null;
            desk.Change(call.Invoice!, i => i with { Payment = new("pi_1", "requires_action", null, null, false, null) });
            return new(call.N, StripeOutcome.RequiresAction, "authentication_required", null, null, null, [], null);
        });
        desk.Account.Pay("pm_card_visa");

        desk.RunBut(StripeCallKind.PayInvoice, StripeOutcome.Unknown, done: false);
        desk.At(Anchor.AddMinutes(59));
        Assert.Equal(ChargeState.Unknown, desk.Charge.State);
        desk.At(Anchor.AddHours(2));

        Assert.Equal(ChargeState.Settled, desk.Charge.State);
        Assert.Equal(["requires_action", "not_done", "settled"], desk.Charge.Attempts.Select(a => a.Outcome));
    }

    [Fact]
    public void ADebitFailsDaysAfterItWasTaken_ItsAttemptWasProcessingAndIsDeclined()
    {
        var desk = new ChargeDesk();
        desk.Run(call =>
        {
            if (call.Kind != StripeCallKind.PayInvoice) return null;
            desk.Change(call.Invoice!, i => i with { Payment = new("pi_1", "processing", "py_1", desk.Account.Now, false, null) });
            return new(call.N, StripeOutcome.Done, null, null, null, call.Invoice, [desk.Invoices[0]], null);
        });
        Assert.Equal("processing", Assert.Single(desk.Charge.Attempts).Outcome);

        desk.Change("in_1", i => i with { Payment = new("pi_1", "requires_payment_method", "py_1", desk.Account.Now, true, "insufficient_funds") });
        desk.At(Anchor.AddDays(1));

        Assert.Equal(("declined", "insufficient_funds"), (desk.Charge.Attempts[0].Outcome, desk.Charge.Attempts[0].Code));
    }

    [Fact]
    public void ResumedByAnOperator_TheAccountIsPastDueAndSuspendedAgainAfterSevenMoreDays()
    {
        var desk = new ChargeDesk { Declines = "insufficient_funds" };
        desk.At(Anchor.AddDays(9));
        Assert.Equal(AccountStatus.Suspended, desk.Account.State.Status);

        var shown = desk.Account.Resume(dryRun: true).Change!;
        var resumed = desk.Account.Resume().Change!;

        Assert.Equal(shown.Description, resumed.Description);
        Assert.EndsWith($"Unless it is paid, the account is suspended again at {UtcJsonConverter.ToText(Anchor.AddDays(16))}.", resumed.Description, StringComparison.Ordinal);
        desk.At(Anchor.AddDays(16).AddTicks(-1));
        Assert.Equal(AccountStatus.PastDue, desk.Account.State.Status);
        desk.At(Anchor.AddDays(16));
        Assert.Equal((AccountStatus.Suspended, Anchor.AddDays(16)), (desk.Account.State.Status, desk.Account.State.Suspension!.At));
    }

    [Fact]
    public void SuspendedAndResumedWhilePastDue_ItIsPastDueStill()
    {
        var desk = new ChargeDesk { Declines = "insufficient_funds" };
        desk.At(Anchor.AddDays(2));

        Assert.Null(desk.Account.Suspend().Refusal);
        Assert.Null(desk.Account.Resume().Refusal);

        Assert.Equal(AccountStatus.PastDue, desk.Account.State.Status);
    }

    // Whether the try of day 1 was made cannot be seen for ten days; then it shows that it was declined.
    [Fact]
    public void ADeclineThatBecomesKnownAfterTheLastDay_SuspendsThen()
    {
        var desk = new ChargeDesk { Declines = "insufficient_funds" };
        desk.Run();
        var known = Anchor.AddDays(10);
        desk.At(known.AddTicks(-1), call => call.Kind switch
        {
            StripeCallKind.PayInvoice => Lost(desk, call),
            _ => new(call.N, StripeOutcome.NotDone, "rate_limit", "Not now.", null, null, [], null),
        });
        Assert.Equal((ChargeState.Unknown, AccountStatus.PastDue), (desk.Charge.State, desk.Account.State.Status));

        desk.At(known.AddDays(1));

        Assert.Equal((ChargeState.Declined, AccountStatus.Suspended), (desk.Charge.State, desk.Account.State.Status));
        Assert.InRange(desk.Account.State.Suspension!.At, known, known.AddDays(1));

        static StripeAnswer Lost(ChargeDesk desk, StripeCall call)
        {
            desk.CarryOut(call);
            return new(call.N, StripeOutcome.Unknown, null, "The connection broke.", null, null, [], null);
        }
    }

    [Fact]
    public void ASuspendedAccountsPeriodEnds_ItsUsageIsInvoicedAndNoPeriodBegins()
    {
        var desk = new ChargeDesk { Declines = "stolen_card" };
        desk.At(Anchor.AddDays(8));
        desk.Account.Send(Event.Message("m1", desk.Account.Now, "1"), Event.Message("m2", desk.Account.Now, "2"), Event.Message("m3", desk.Account.Now, "3"));

        desk.At(FirstEnd.AddDays(4));

        var last = desk.Account.Invoices[1];
        Assert.Equal((InvoiceStatus.Paid, 40L), (last.Status, last.Total));
        Assert.DoesNotContain(last.Lines, l => l.Kind == InvoiceLineKind.Base);
        Assert.Equal("no_subscription", desk.Account.SendOne(Event.Message("m4", desk.Account.Now, "4")).Reason);
        Assert.Equal(2, desk.Account.Invoices.Length);
    }

    [Fact]
    public void ASuspendedAccountPaysAfterItsPeriodEnded_NewPeriodsBeginThen()
    {
        var desk = new ChargeDesk { Declines = "stolen_card" };
        var resumed = FirstEnd.AddDays(10).AddMilliseconds(300);
        desk.At(resumed);
        desk.Declines = null;

        desk.Account.Pay("pm_card_visa");
        desk.Run();

        var anchor = FirstEnd.AddDays(10);
        Assert.Equal(AccountStatus.Active, desk.Account.State.Status);
        var first = desk.Account.Invoices.Single(i => i.Period.Start == anchor);
        Assert.Equal((2_500L, new BillingPeriod(anchor, anchor.AddMonths(1)), InvoiceStatus.Paid), (first.Total, first.Period, first.Status));
        Assert.Equal("accepted", desk.Account.SendOne(Event.Message("m9", anchor.AddDays(-1), "1")).Outcome.ToString().ToLowerInvariant());
        Assert.Equal(Tickets, desk.Account.SendOne(Event.Message("m10", resumed, "2")).Meters[0].Meter);
    }

    [Fact]
    public void AnOperatorSuspendsAndResumesInTheSamePeriod_NothingIsInvoicedForThat()
    {
        var desk = new ChargeDesk();
        desk.At(Anchor.AddDays(3));

        Assert.Null(desk.Account.Suspend().Refusal);
        Assert.Equal(AccountStatus.Suspended, desk.Account.State.Status);
        Assert.Equal(RefusalKind.Conflict, desk.Account.Suspend().Refusal!.Kind);
        desk.At(Anchor.AddDays(4));
        Assert.Null(desk.Account.Resume().Refusal);

        Assert.Equal(AccountStatus.Active, desk.Account.State.Status);
        desk.At(FirstEnd);
        Assert.Equal([InvoiceStatus.Paid, InvoiceStatus.Draft], desk.Account.Invoices.Select(i => i.Status));
    }

    [Fact]
    public void AnOperatorSuspendsAndTheMerchantPays_StaysSuspended()
    {
        var desk = new ChargeDesk { Declines = "stolen_card" };
        desk.At(Anchor.AddDays(1));
        desk.Account.Suspend();
        desk.Declines = null;

        desk.Account.Pay("pm_card_visa");
        desk.Run();

        Assert.Equal((ChargeState.Settled, AccountStatus.Suspended), (desk.Charge.State, desk.Account.State.Status));
    }
}
