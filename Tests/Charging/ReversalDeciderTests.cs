using Billing.Accounts;
using Billing.Charging;
using Billing.Invoices;
using Billing.Ledger;
using FsCheck.Fluent;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Charging;

/// <summary>What goes back at Stripe is an entry of the ledger and waits for a person; nothing is charged for it.</summary>
public sealed class ReversalDeciderTests
{
    private static readonly StripeReversal Disputed = new(ReversalKind.Dispute, "dp_1", 2_500, "USD", "fraudulent", "needs_response", 2_500);

    [Fact]
    public void ARefundOfAPart_IsAnEntryAndWaitsForAPersonAndTheInvoiceStaysPaid()
    {
        var desk = new ChargeDesk().Run();

        desk.Tell(Refund("re_1", 700));

        Assert.Equal((1_800L, 700L, 0L), Money(desk));
        Assert.Equal((ChargeState.Settled, ChargeVerdict.Proven, InvoiceStatus.Paid), (desk.Charge.State, desk.Charge.Verdict, desk.Invoice.Status));
        Assert.Equal("The charge of invoice 1 was refunded at Stripe: re_1, 7.00 USD, succeeded; 7.00 USD went back.", Assert.Single(Holds(desk)));
        Assert.Equal((ReversalKind.Refund, 700L, 700L, true), Shown(Assert.Single(desk.Charge.Reversals!.Value)));
        Assert.Equal([LedgerEntryKind.ChargeSettled, LedgerEntryKind.Refund], desk.Charge.Ledger.Select(e => e.Kind));
        Assert.Equal("7.00 USD of invoice 1 went back by the refund re_1 at Stripe.", desk.Charge.Ledger[1].Text);
        Assert.Equal(0, desk.Account.State.Balance);
        Assert.Single(desk.Kinds, StripeCallKind.PayInvoice);
    }

    [Fact]
    public void ARefundOfAllInTwoParts_TakesAllCashAndChargesNothingAnew()
    {
        var desk = new ChargeDesk().Run();

        desk.Tell(Refund("re_1", 700)).Tell(Refund("re_2", 1_800)).At(FirstEnd.AddDays(-1));

        Assert.Equal((0L, 2_500L, 0L), Money(desk));
        Assert.Equal(InvoiceStatus.Paid, desk.Invoice.Status);
        Assert.Single(desk.Account.Charges);
        Assert.Equal(2, Holds(desk).Length);
    }

    [Fact]
    public void TheSameToldAgain_MakesNoFact()
    {
        var desk = new ChargeDesk().Run().Tell(Refund("re_1", 700)).Tell(Disputed);
        var (money, facts) = (Money(desk), Told(desk).Count);

        desk.Tell().Tell().At(Anchor.AddDays(2)).Tell();

        Assert.Equal(money, Money(desk));
        Assert.Equal((2, facts), (facts, Told(desk).Count));
    }

    [Fact]
    public void ADisputeThatIsLost_StaysTakenAndWaitsUntilItIsSeen()
    {
        var desk = new ChargeDesk().Run().Tell(Disputed);
        Assert.Equal("The charge of invoice 1 is disputed: dp_1, 25.00 USD, fraudulent, needs_response; 25.00 USD went back.", Assert.Single(Holds(desk)));

        desk.Tell(Disputed with { Status = "lost" });

        Assert.Equal((0L, 2_500L, 0L), Money(desk));
        Assert.Equal(["ChargeDisputed", "ChargeDisputeClosed"], Told(desk).Select(f => f.GetType().Name));
        Assert.Equal("The charge of invoice 1 was disputed: dp_1, 25.00 USD, fraudulent, lost; 25.00 USD went back.", Assert.Single(Holds(desk)));
        Assert.Equal((ChargeState.Settled, AccountStatus.Active), (desk.Charge.State, desk.Account.State.Status));
    }

    [Fact]
    public void ADisputeThatIsWon_IsCashAgain()
    {
        var desk = new ChargeDesk().Run().Tell(Disputed).Tell(Disputed with { Status = "under_review" });

        desk.Tell(Disputed with { Status = "won", Taken = 0 });

        Assert.Equal((2_500L, 0L, 0L), Money(desk));
        Assert.Equal("25.00 USD of invoice 1 came again from the dispute dp_1.", desk.Charge.Ledger[^1].Text);
        Assert.Equal(3, Told(desk).Count);
    }

    [Fact]
    public void AnInquiry_TakesNothingAndWaitsForAPerson()
    {
        var desk = new ChargeDesk().Run();

        desk.Tell(Disputed with { Status = "warning_needs_response", Taken = 0 });

        Assert.Equal((2_500L, 0L, 0L), Money(desk));
        Assert.Single(desk.Charge.Ledger);
        Assert.Contains("nothing of it has gone back", Assert.Single(Holds(desk)), StringComparison.Ordinal);
    }

    [Fact]
    public void ARefundThatFails_IsCashAgain()
    {
        var desk = new ChargeDesk().Run().Tell(Refund("re_1", 700, "pending"));
        Assert.Equal((1_800L, 700L, 0L), Money(desk));

        desk.Tell(Refund("re_1", 700, "failed") with { Taken = 0 });

        Assert.Equal((2_500L, 0L, 0L), Money(desk));
        Assert.Equal("7.00 USD of invoice 1 came again: the refund re_1 at Stripe failed.", desk.Charge.Ledger[^1].Text);
    }

    // The webhook of the dispute is there before anybody knows that the invoice was paid.
    [Fact]
    public void ADisputeToldBeforeTheChargeIsKnown_IsReadOnceItIs()
    {
        var desk = new ChargeDesk().RunBut(StripeCallKind.PayInvoice, StripeOutcome.Unknown, done: true);
        Assert.Equal(ChargeState.Unknown, desk.Charge.State);

        desk.Tell(Disputed);

        Assert.Equal([StripeCallKind.FindInvoices, StripeCallKind.ReadReversals], desk.Kinds.TakeLast(2));
        Assert.Equal(ChargeState.Settled, desk.Charge.State);
        Assert.Equal((0L, 2_500L, 0L), Money(desk));
    }

    [Fact]
    public void ADisputeToldWhileTheInvoiceIsPaid_IsReadBehindIt()
    {
        var desk = new ChargeDesk();
        desk.Reversals["in_1"] = [Disputed];
        desk.Run(call =>
        {
            if (call.Kind != StripeCallKind.PayInvoice) return null;
            var answer = desk.CarryOut(call);
            Assert.Null(desk.Account.NoticeReversal("in_1"));
            return answer;
        });

        Assert.Equal([StripeCallKind.PayInvoice, StripeCallKind.ReadInvoice, StripeCallKind.ReadReversals], desk.Kinds.TakeLast(3));
        Assert.Equal((0L, 2_500L, 0L), Money(desk));
    }

    // What is read was answered before the dispute was won, and its webhook comes before the answer.
    [Fact]
    public void ToldWhileItIsRead_IsReadAgain()
    {
        var desk = new ChargeDesk().Run();
        desk.Reversals["in_1"] = [Disputed];
        var stale = desk.CarryOut(desk.Account.NoticeReversal("in_1")!);
        desk.Reversals["in_1"] = [Disputed with { Status = "won", Taken = 0 }];
        Assert.Null(desk.Account.NoticeReversal("in_1"));
        Assert.Null(desk.Account.NoticeReversal("in_1"));

        var call = desk.Account.Answer(stale);

        Assert.Equal(StripeCallKind.ReadReversals, call!.Kind);
        Assert.Null(desk.Account.Answer(desk.CarryOut(call)));
        Assert.Equal((2_500L, 0L, 0L), Money(desk));
    }

    [Theory]
    [InlineData(StripeOutcome.NotDone, 30)]
    [InlineData(StripeOutcome.Unknown, 1)]
    [InlineData(StripeOutcome.Refused, 86_400)]
    public void AReadThatFails_IsDoneAgainLater(StripeOutcome outcome, int seconds)
    {
        var desk = new ChargeDesk().Run();
        desk.Reversals["in_1"] = [Disputed];
        var call = desk.Account.NoticeReversal("in_1")!;

        Assert.Null(desk.Account.Answer(new(call.N, outcome, null, null, outcome == StripeOutcome.NotDone ? TimeSpan.FromSeconds(30) : null, null, [], null)));

        Assert.Equal(Anchor.AddSeconds(seconds), desk.Account.State.NextDueAt);
        desk.At(Anchor.AddSeconds(seconds));
        Assert.Equal((0L, 2_500L, 0L), Money(desk));
    }

    [Fact]
    public void AReadThatIsNeverAnswered_IsDoneAgain()
    {
        var desk = new ChargeDesk().Run();
        desk.Reversals["in_1"] = [Disputed];
        Assert.Equal(StripeCallKind.ReadReversals, desk.Account.NoticeReversal("in_1")!.Kind);

        desk.At(Anchor.AddMinutes(6));

        Assert.Equal((0L, 2_500L, 0L), Money(desk));
    }

    [Fact]
    public void WhatIsReleased_IsSeenAsItIsAndAnOpenDisputeWaitsOn()
    {
        var desk = new ChargeDesk().Run().Tell(Refund("re_1", 700)).Tell(Disputed with { Amount = 1_800, Taken = 1_800 });

        Assert.Equal("Noted as seen, as they are now: re_1 (succeeded), dp_1 (needs_response).", desk.Account.Release().Change!.Description);

        Assert.StartsWith("The charge of invoice 1 is disputed", Assert.Single(Holds(desk)), StringComparison.Ordinal);
        Assert.Equal(RefusalKind.Conflict, desk.Account.Release().Refusal!.Kind);
        desk.Tell(Disputed with { Amount = 1_800, Taken = 1_800, Status = "lost" });
        Assert.Single(Holds(desk));
        Assert.Null(desk.Account.Release().Refusal);
        Assert.Empty(Holds(desk));
        Assert.Equal((0L, 2_500L, 0L), Money(desk));
    }

    [Fact]
    public void WhatIsInAnotherCurrency_IsShownAndIsNoMoneyOfTheLedger()
    {
        var desk = new ChargeDesk().Run().Tell(Disputed with { Currency = "EUR" });

        Assert.Equal((2_500L, 0L, 0L), Money(desk));
        Assert.Contains("25.00 EUR", Assert.Single(Holds(desk)), StringComparison.Ordinal);
    }

    [Fact]
    public void AnInvoiceOfNobody_ChangesNothing()
    {
        var desk = new ChargeDesk().Run();
        var entries = desk.Account.Entries.Count;

        Assert.Null(desk.Account.NoticeReversal("in_other", "acme/9/1"));

        Assert.Equal(entries, desk.Account.Entries.Count);
    }

    // Goal: whatever is told, in any order, as often as it is, the ledger ends as Stripe stands, and an entry that was made stays as it was, also
    // when it is made from the journal again or from a snapshot. Method: random states of two refunds and a dispute, read or not, between invoices.
    [Fact]
    public void WhateverIsTold_TheLedgerEndsAsStripeStandsAndEntriesStay() =>
        Prop.ForAll(Generated.SomeNumbers(10_000), numbers =>
        {
            var desk = new ChargeDesk().Run();
            var earlier = new List<string>();
            foreach (var number in numbers.Take(25))
            {
                var taken = number / 10 % 3 * 400;
                switch (number % 10)
                {
                    case 0: desk.At(desk.Account.Now.AddDays(9)); break;
                    case 1: desk.Tell(); break;
                    case < 5: desk.Tell(Refund($"re_{number % 2}", 800, taken == 0 ? "failed" : "succeeded") with { Taken = taken }); break;
                    case < 8: desk.Tell(Disputed with { Amount = 800, Taken = taken, Status = taken == 0 ? "won" : "needs_response" }); break;
                    default: desk.Account.NoticeReversal("in_1"); break; // handed out, and never carried out
                }

                var texts = Texts(LedgerEntries.Of(desk.Account.State));
                Assert.Equal(earlier, texts.Take(earlier.Count));
                earlier = texts;
            }

            desk.At(desk.Account.Now.AddHours(1)).Tell();
            var settled = desk.Account.Charges.Where(c => c.State == ChargeState.Settled).Sum(c => c.Amount);
            var gone = desk.Reversals.GetValueOrDefault("in_1", []).Sum(r => r.Taken);
            Assert.Equal((settled - gone, gone, 0L), Money(desk));
            Assert.Equal(Texts(LedgerEntries.Of(desk.Account.State)), Texts(LedgerEntries.Of(desk.Account.ReadAgain())));
            Assert.Equal(Texts(LedgerEntries.Of(desk.Account.State)), Texts(LedgerEntries.Of(desk.Account.ReadAgain(desk.Account.Entries.Count / 2))));
        }).Holds(150);

    // Part of charge 1 goes back, and at the same instant charge 2, which was declined, is paid at Stripe: the entry that was there first keeps its number.
    [Fact]
    public void AChargeThatSettlesAtTheInstantOfARefund_ComesBehindIt()
    {
        var desk = new ChargeDesk().Run();
        desk.Declines = "insufficient_funds";
        desk.At(FirstEnd.AddHours(73));
        Assert.Equal(ChargeState.Declined, desk.Account.Charges[1].State);
        desk.Tell(Refund("re_1", 700));
        var before = Texts(LedgerEntries.Of(desk.Account.State));

        desk.Change("in_2", i => i with { Status = "paid", AmountPaid = i.Total, Payment = new("pi_2", "succeeded", "ch_paid", desk.Account.Now, false, null) });
        desk.Account.Answer(desk.CarryOut(desk.Account.Notice("in_2")!));
        desk.Tell(Refund("re_2", 100));

        var after = LedgerEntries.Of(desk.Account.State);
        Assert.Equal(before, Texts(after).Take(before.Count));
        Assert.Equal([LedgerEntryKind.Refund, LedgerEntryKind.ChargeSettled, LedgerEntryKind.Refund], after.Where(e => e.At == desk.Account.Now).Select(e => e.Kind));
    }

    private static StripeReversal Refund(string id, long amount, string status = "succeeded") => new(ReversalKind.Refund, id, amount, "USD", null, status, amount);

    private static (ReversalKind Kind, long Amount, long Taken, bool Waits) Shown(ChargeReversal reversal) => (reversal.Kind, reversal.Amount, reversal.Taken, reversal.Waits);

    private static string[] Holds(ChargeDesk desk) => [.. AccountViews.Account(desk.Account.State, desk.Account.Now).Holds];

    private static (long Cash, long WriteOff, long Receivable) Money(ChargeDesk desk)
    {
        var balances = LedgerEntries.Balances(LedgerEntries.Of(desk.Account.State));
        return (balances.Cash, balances.WriteOff, balances.Receivable);
    }

    private static List<AccountFact> Told(ChargeDesk desk) =>
        [.. desk.Account.Facts().Where(f => f is AccountFact.RefundNoticed or AccountFact.ChargeDisputed or AccountFact.ChargeDisputeClosed)];

    private static List<string> Texts(IEnumerable<LedgerEntry> entries) => [.. entries.Select(e => $"{e.N} {e.At:O} {e.Kind} {e.Text}")];
}
