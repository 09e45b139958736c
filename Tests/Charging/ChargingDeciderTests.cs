using Billing.Accounts;
using Billing.Charging;
using Billing.Invoices;
using Billing.Ledger;
using Billing.Tests.Lifecycle;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Charging;

/// <summary>Each finalised invoice is charged once, for its amount, whatever fails.</summary>
public sealed class ChargingDeciderTests
{
    [Fact]
    public void AnInvoiceBecomesFinal_IsChargedStepByStep()
    {
        var desk = new ChargeDesk().Run();

        Assert.Equal(
            [
                (StripeCallKind.CreateCustomer, "acme/customer"), (StripeCallKind.AttachPaymentMethod, "acme/payment-method/1"),
                (StripeCallKind.SetDefaultPaymentMethod, "acme/default-payment-method/1"), (StripeCallKind.CreateInvoice, "acme/1/1/draft"),
                (StripeCallKind.AddLines, "acme/1/1/lines"), (StripeCallKind.ReadInvoice, null), (StripeCallKind.FinalizeInvoice, "acme/1/1/finalize"),
                (StripeCallKind.ReadInvoice, null), (StripeCallKind.PayInvoice, "acme/1/1/pay/1"), (StripeCallKind.ReadInvoice, null),
            ],
            desk.Calls.Select(c => (c.Kind, c.Key)));
        Assert.Equal((ChargeState.Settled, ChargeVerdict.Proven, 2_500L), (desk.Charge.State, desk.Charge.Verdict, desk.Charge.Amount));
        Assert.Equal((InvoiceStatus.Paid, Anchor), (desk.Invoice.Status, desk.Invoice.PaidAt));
        Assert.Equal([(1, "acme/1/1/pay/1", "settled")], desk.Charge.Attempts.Select(a => (a.N, a.Key, a.Outcome)));
        Assert.Null(desk.Account.NextCall());
    }

    // Stripe may still do what it took: only by its own clock is it sure that an hour is over.
    [Theory]
    [InlineData(StripeCallKind.CreateInvoice, "acme/1/1/draft/2")]
    [InlineData(StripeCallKind.CreateCustomer, "acme/customer/2")]
    [InlineData(StripeCallKind.PayInvoice, "acme/1/1/pay/2")]
    public void OurClockIsSetAhead_AStepGoesOutAgainOnlyAnHourLaterByStripesClock(StripeCallKind lost, string nextKey)
    {
        var desk = new ChargeDesk { StripeTime = Anchor };
        desk.RunBut(lost, StripeOutcome.Unknown, done: false);

        desk.StripeTime = Anchor.AddSeconds(10);
        desk.At(Anchor.AddDays(2));
        Assert.DoesNotContain(nextKey, desk.Calls.Select(c => c.Key));

        desk.StripeTime = Anchor.AddHours(1).AddSeconds(10);
        desk.At(Anchor.AddDays(2).AddHours(1));
        Assert.Single(desk.Calls, c => c.Key == nextKey);
        Assert.Equal((ChargeState.Settled, 1), (desk.Charge.State, desk.Invoices.Count));
    }

    // The payment was made and its answer lost; before it is looked up, the usage of the period trips a breaker.
    [Fact]
    public void ChargeUnderWay_WhenALaterInvoiceTripsABreaker_IsBroughtToItsEnd()
    {
        var desk = new ChargeDesk(LifeRun.Begun("desk-1")).Run().At(Anchor.AddMonths(3).AddDays(4));
        var final = Anchor.AddMonths(4).AddHours(72);
        desk.Account.Send([.. Enumerable.Range(0, 3_000).Select(i => Event.Message($"m{i}", desk.Account.Now, $"{i}"))]);
        desk.At(final.AddSeconds(-2));

        desk.Account.Add("voice", "voice-1");
        desk.RunBut(StripeCallKind.PayInvoice, StripeOutcome.Unknown, done: true);
        Assert.Equal(ChargeState.Unknown, desk.Account.Charges[^1].State);
        desk.At(final.AddDays(2));

        Assert.Equal(ChargeState.Parked, desk.Account.Charges[^1].State);
        Assert.Equal((ChargeState.Settled, ChargeVerdict.Proven), (desk.Account.Charges[^2].State, desk.Account.Charges[^2].Verdict));
    }

    [Fact]
    public void ASettledCharge_IsCashInTheLedger()
    {
        var desk = new ChargeDesk().Run();

        var balances = LedgerEntries.Balances(LedgerEntries.Of(desk.Account.State));
        Assert.Equal((2_500L, 0L), (balances.Cash, balances.Receivable));
        Assert.Equal(LedgerEntryKind.ChargeSettled, Assert.Single(desk.Charge.Ledger).Kind);
    }

    [Fact]
    public void TheIntent_IsInTheEntryThatFinalisesTheInvoice()
    {
        var account = Opened();

        Assert.Single(account.Entries);
        Assert.Equal((ChargeState.Requested, "acme/1/1"), (account.Charges[0].State, account.Charges[0].Intent));
    }

    [Theory]
    [InlineData(StripeCallKind.CreateInvoice)]
    [InlineData(StripeCallKind.AddLines)]
    [InlineData(StripeCallKind.FinalizeInvoice)]
    [InlineData(StripeCallKind.PayInvoice)]
    public void AStepIsDoneAndTheAnswerLost_IsFoundAndNotSentAgain(StripeCallKind lost)
    {
        var desk = new ChargeDesk().RunBut(lost, StripeOutcome.Unknown, done: true);
        Assert.Equal((ChargeState.Unknown, ChargeVerdict.Unknown), (desk.Charge.State, desk.Charge.Verdict));

        desk.At(Anchor.AddSeconds(5));

        Assert.Equal(ChargeState.Settled, desk.Charge.State);
        Assert.Equal(1, desk.Kinds.Count(k => k == lost));
        Assert.Equal(1, desk.Kinds.Count(k => k == StripeCallKind.FindInvoices));
        Assert.Single(desk.Invoices);
    }

    [Theory]
    [InlineData(StripeCallKind.CreateInvoice, "acme/1/1/draft/2")]
    [InlineData(StripeCallKind.AddLines, "acme/1/1/lines/2")]
    [InlineData(StripeCallKind.FinalizeInvoice, "acme/1/1/finalize/2")]
    [InlineData(StripeCallKind.PayInvoice, "acme/1/1/pay/2")]
    public void AStepWasNotDone_GoesOutUnderTheNextKeyAnHourLaterAndNotBefore(StripeCallKind lost, string nextKey)
    {
        var desk = new ChargeDesk().RunBut(lost, StripeOutcome.Unknown, done: false);

        desk.At(Anchor.AddMinutes(59));
        Assert.Equal(1, desk.Kinds.Count(k => k == lost));

        desk.At(Anchor.AddHours(1));
        Assert.Equal(nextKey, desk.Calls.Last(c => c.Kind == lost).Key);
        Assert.Equal(ChargeState.Settled, desk.Charge.State);
        Assert.Equal(4, desk.Kinds.Count(k => k == StripeCallKind.FindInvoices));
    }

    [Fact]
    public void NoAnswerComesAtAll_IsUnknownAfterFiveMinutes()
    {
        var account = Opened();
        var first = account.NextCall()!;
        Assert.Null(account.NextCall());

        account.At(Anchor.AddMinutes(5));

        Assert.Null(account.NextCall());
        account.At(Anchor.AddMinutes(5).AddSeconds(5));
        Assert.Equal(StripeCallKind.FindCustomer, account.NextCall()!.Kind);
        Assert.NotNull(account.Answer(new(account.State.Charging.Calls, StripeOutcome.Done, null, null, null, "cus_1", [], null)));
        Assert.Equal("cus_1", account.State.Charging.Customer);
        Assert.Equal(1, first.N);
    }

    [Fact]
    public void AnAnswerComesAfterItWasGivenUp_ChangesNothing()
    {
        var desk = new ChargeDesk().RunBut(StripeCallKind.FinalizeInvoice, StripeOutcome.Unknown, done: false);
        var late = desk.Calls[^1];
        var before = desk.Account.Entries.Count;

        desk.Account.Answer(new(late.N, StripeOutcome.Done, null, null, null, late.Invoice, [], null));

        Assert.Equal(before, desk.Account.Entries.Count);
        Assert.Equal(ChargeState.Unknown, desk.Charge.State);
    }

    [Fact]
    public void StripeIsBusy_SendsTheSameKeyAgainAfterItsTime()
    {
        var desk = new ChargeDesk().RunBut(StripeCallKind.PayInvoice, StripeOutcome.NotDone, done: false, "rate_limit", TimeSpan.FromSeconds(30));
        Assert.Equal(Anchor.AddSeconds(30), desk.Charge.NextAt);

        desk.At(Anchor.AddSeconds(30));

        Assert.Equal(["acme/1/1/pay/1", "acme/1/1/pay/1"], desk.Calls.Where(c => c.Kind == StripeCallKind.PayInvoice).Select(c => c.Key));
        Assert.Equal([(1, "settled")], desk.Charge.Attempts.Select(a => (a.N, a.Outcome)));
    }

    [Fact]
    public void StripeIsBusyForTwentyHours_LooksUpBeforeTheKeyIsSentAgain()
    {
        var desk = new ChargeDesk();
        desk.Run(call => call.Kind == StripeCallKind.CreateInvoice ? new(call.N, StripeOutcome.NotDone, null, null, TimeSpan.FromHours(21), null, [], null) : null);

        desk.At(Anchor.AddHours(21));

        Assert.Equal(["acme/1/1/draft", "acme/1/1/draft/2"], desk.Calls.Where(c => c.Kind == StripeCallKind.CreateInvoice).Select(c => c.Key));
        Assert.Contains(StripeCallKind.FindInvoices, desk.Kinds);
        Assert.Equal(ChargeState.Settled, desk.Charge.State);
    }

    [Fact]
    public void TwoDraftsOfOneIntent_OneIsDeletedBeforeFinalising()
    {
        var desk = new ChargeDesk();
        desk.RunBut(StripeCallKind.CreateInvoice, StripeOutcome.Unknown, done: true);
        desk.Add(new("in_9", "cus_1", "acme/1/1", "draft", "USD", 0, 0, 0, [], null));

        desk.At(Anchor.AddSeconds(5));

        Assert.Equal("in_9", desk.Calls.Single(c => c.Kind == StripeCallKind.DeleteDraft).Invoice);
        Assert.Equal("paid", Assert.Single(desk.Invoices).Status);
    }

    [Fact]
    public void HalfOfTheLinesWereAdded_OnlyTheMissingOnesAreSentAgain()
    {
        var account = Opened("desk-1", "free-1");
        var desk = new ChargeDesk(account);
        desk.Run(call =>
        {
            if (call.Kind != StripeCallKind.AddLines || call.Key != "acme/1/1/lines") return null;
            desk.CarryOut(call with { Lines = [call.Lines[1]] });
            return new(call.N, StripeOutcome.Unknown, null, null, null, null, [], null);
        });

        desk.At(Anchor.AddHours(1));

        Assert.Equal([1], desk.Calls.Last(c => c.Kind == StripeCallKind.AddLines).Lines.Select(l => l.N));
        Assert.Equal(ChargeState.Settled, desk.Charge.State);
    }

    [Theory]
    [InlineData("currency")]
    [InlineData("total")]
    [InlineData("balance")]
    [InlineData("line twice")]
    [InlineData("paid in part")]
    public void StripeHasSomethingElse_IsParkedWithTheEvidence(string what)
    {
        var desk = new ChargeDesk();
        desk.Run(call =>
        {
            if (call.Kind != StripeCallKind.ReadInvoice) return null;
            desk.Change(call.Invoice!, i => what switch
            {
                "currency" => i with { Currency = "EUR" },
                "total" => i with { Total = 2_600, AmountDue = 2_600 },
                "balance" => i with { AmountDue = 2_400 },
                "line twice" => i with { Lines = [.. i.Lines, i.Lines[0]] },
                _ => i with { Status = "paid", AmountPaid = 100 },
            });
            return null;
        });

        Assert.Equal((ChargeState.Parked, ChargeVerdict.Mismatch), (desk.Charge.State, desk.Charge.Verdict));
        Assert.Contains("in_1", desk.Charge.Evidence);
        Assert.DoesNotContain(StripeCallKind.PayInvoice, desk.Kinds);
        Assert.Contains("parked", Assert.Single(AccountViews.Account(desk.Account.State, desk.Account.Now).Holds));
    }

    [Fact]
    public void AMismatchIsMendedAndReleased_IsLookedUpAndGoesOn()
    {
        var desk = new ChargeDesk();
        desk.Run(call =>
        {
            if (call.Kind == StripeCallKind.ReadInvoice) desk.Change(call.Invoice!, i => i with { Currency = "EUR" });
            return null;
        });
        desk.Change("in_1", i => i with { Currency = "USD" });

        Assert.Null(desk.Account.Release().Refusal);
        desk.Run();

        Assert.Contains(StripeCallKind.FindInvoices, desk.Kinds);
        Assert.Equal(ChargeState.Settled, desk.Charge.State);
        Assert.Equal(RefusalKind.Conflict, desk.Account.Release().Refusal!.Kind);
    }

    [Fact]
    public void StripeRefusesAStepForGood_IsParkedOnceALookUpShowsThatItIsNotDone()
    {
        var desk = new ChargeDesk().RunBut(StripeCallKind.FinalizeInvoice, StripeOutcome.Refused, done: false, "invoice_not_editable");

        Assert.Equal(ChargeState.Parked, desk.Charge.State);
        Assert.Contains("invoice_not_editable", desk.Charge.Evidence);
    }

    [Fact]
    public void StripeRefusesAStepThatIsDone_GoesOn()
    {
        var desk = new ChargeDesk().RunBut(StripeCallKind.PayInvoice, StripeOutcome.Refused, done: true, "invoice_already_paid");

        Assert.Equal(ChargeState.Settled, desk.Charge.State);
        Assert.Equal("settled", Assert.Single(desk.Charge.Attempts).Outcome);
    }

    [Fact]
    public void AWebhookComesBeforeTheAnswer_BothLeadToOneSettlement()
    {
        var desk = new ChargeDesk();
        desk.Run(call =>
        {
            if (call.Kind != StripeCallKind.PayInvoice) return null;
            var answer = desk.CarryOut(call);
            Assert.Null(desk.Account.Notice("in_1"));
            return answer;
        });

        Assert.Equal(ChargeState.Settled, desk.Charge.State);
        Assert.Single(desk.Charge.Ledger);
    }

    [Fact]
    public void AWebhookTellsOfAPaymentThatIsWaitedFor_IsReadAndSettled()
    {
        var desk = new ChargeDesk { Declines = "insufficient_funds" };
        desk.Run();
        desk.Change("in_1", i => i with { Status = "paid", AmountPaid = 2_500, Payment = new("pi_2", "succeeded", "ch_paid", desk.Account.Now, false, null) });

        var call = desk.Account.Notice("in_1");

        Assert.Equal(StripeCallKind.ReadInvoice, call!.Kind);
        desk.Account.Answer(desk.CarryOut(call));
        Assert.Equal((ChargeState.Settled, "ch_paid"), (desk.Charge.State, desk.Charge.Stripe.Charge));
        Assert.Equal(AccountStatus.Active, desk.Account.State.Status);
    }

    // The answer was given before the payment, the webhook after it, and the webhook arrives first.
    [Fact]
    public void AWebhookTellsOfAPaymentWhileTheInvoiceIsRead_IsReadAgainAndSettled()
    {
        var desk = new ChargeDesk { Declines = "insufficient_funds" };
        desk.Run();
        var stale = desk.CarryOut(desk.Account.Notice("in_1")!);
        desk.Change("in_1", i => i with { Status = "paid", AmountPaid = 2_500, Payment = new("pi_2", "succeeded", "ch_paid", desk.Account.Now, false, null) });
        Assert.Null(desk.Account.Notice("in_1"));
        Assert.Null(desk.Account.Notice("in_1"));

        var call = desk.Account.Answer(stale);

        Assert.Equal(StripeCallKind.ReadInvoice, call!.Kind);
        Assert.Null(desk.Account.Answer(desk.CarryOut(call)));
        Assert.Equal((ChargeState.Settled, "ch_paid"), (desk.Charge.State, desk.Charge.Stripe.Charge));
    }

    [Fact]
    public void AWebhookTellsOfADeclineWeKnow_ChangesNoDay()
    {
        var desk = new ChargeDesk { Declines = "insufficient_funds" };
        desk.Run();
        var retry = desk.Charge.NextAt;

        desk.Account.Answer(desk.CarryOut(desk.Account.Notice("in_1")!));

        Assert.Equal((ChargeState.Declined, retry), (desk.Charge.State, desk.Charge.NextAt));
    }

    [Fact]
    public void ReadingTheJournalAgain_GivesTheSameCharges()
    {
        var desk = new ChargeDesk { Declines = "insufficient_funds" };
        desk.At(Anchor.AddDays(4));
        var snapshot = desk.Account.Snapshot();

        for (var after = 0; after <= desk.Account.Entries.Count; after++)
            Assert.Equal(snapshot, Canonical(desk.Account.ReadAgain(after), desk.Account.Now));
    }

    [Fact]
    public void TheLookUpIsRefused_TheChargeWaitsForAPerson()
    {
        var desk = new ChargeDesk().RunBut(StripeCallKind.FinalizeInvoice, StripeOutcome.Unknown, done: false);
        var before = desk.Calls.Count;

        desk.At(Anchor.AddMinutes(1), call => call.Kind == StripeCallKind.FindInvoices ? new(call.N, StripeOutcome.Refused, "resource_missing", "No such customer: cus_1.", null, null, [], null) : null);

        Assert.Equal((ChargeState.Parked, "Stripe refused to show the customer's invoices: resource_missing No such customer: cus_1."), (desk.Charge.State, desk.Charge.Evidence));
        Assert.Equal(before + 1, desk.Calls.Count);
    }

    [Fact]
    public void TheCustomerHasABalanceAtStripe_TheChargeIsParkedBeforeFinalising()
    {
        var desk = new ChargeDesk();
        desk.Run(call =>
        {
            if (call.Kind == StripeCallKind.ReadInvoice) desk.Change(call.Invoice!, i => i with { StartingBalance = -1_000 });
            return null;
        });
        Assert.Equal((ChargeState.Parked, "draft"), (desk.Charge.State, desk.Invoices[0].Status));
        Assert.Contains("balance of -10.00 USD at Stripe", desk.Charge.Evidence, StringComparison.Ordinal);

        desk.Change("in_1", i => i with { StartingBalance = 0 });
        desk.Account.Release();
        desk.Run();

        Assert.Equal((ChargeState.Settled, 1), (desk.Charge.State, desk.Invoices.Count));
    }
}
