using System.Collections.Immutable;
using Billing.Invoices;
using Billing.Ledger;
using Billing.Tests.Accounts;
using Billing.Tests.Lifecycle;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Ledger;

public sealed class LedgerEntriesTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromHours(72);
    private static readonly DateTimeOffset January = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void TheFirstBaseFee_IsDeferredAndEarnedAtThePeriodsEnd()
    {
        var account = Opened();
        Assert.Equal(["1 invoice_finalized #1 receivable +2500 deferred_revenue -2500"], Texts(account));

        account.At(FirstEnd);

        Assert.Equal("2 revenue_recognized #1 revenue -2500 deferred_revenue +2500", Texts(account)[1]);
        Assert.Equal([Anchor, FirstEnd], LedgerEntries.Of(account.State).Select(e => e.At));
    }

    // The period has run for 72 hours when its base fee is invoiced; nothing of it is earned before the period ends.
    [Fact]
    public void ABaseFeeThatIsFinalAfterTheGrace_IsEarnedAtTheNextPeriodsEnd()
    {
        var account = Opened().At(FirstEnd.AddDays(-1));
        account.SendOne(Event.Message("a", account.Now, bytes: 1_230_000));

        account.At(FirstEnd + Grace);
        Assert.Equal("3 invoice_finalized #2 receivable +2623 revenue -123 deferred_revenue -2500", Texts(account)[2]); // 1,230,000 × 0.000001
        account.At(Anchor.AddMonths(2));

        Assert.Equal("4 revenue_recognized #2 revenue -2500 deferred_revenue +2500", Texts(account)[3]);
        Assert.Equal(4, Texts(account).Length);
    }

    [Fact]
    public void AnInvoiceBelowZero_BecomesCredit_AndTheNextSpendsIt()
    {
        var account = CreditDesk.WithCredit().At(Anchor.AddMonths(3) + Grace);

        var entries = Texts(account).Where(t => t.Contains("invoice_finalized", StringComparison.Ordinal)).ToList();

        Assert.Equal(
            [
                "invoice_finalized #1 receivable +100 deferred_revenue -100",
                "invoice_finalized #2 receivable +1300 revenue -1200 deferred_revenue -100", // 4 sessions at 3.00
                "invoice_finalized #3 revenue +600 deferred_revenue -100 credits -500", // 2 sessions less
                "invoice_finalized #4 deferred_revenue -100 credits +100",
            ],
            entries.Select(t => t[(t.IndexOf(' ', StringComparison.Ordinal) + 1)..]));
        Assert.Equal(new LedgerBalances(1_400, 900, 100, 0, 400, 0, 0), LedgerEntries.Balances(LedgerEntries.Of(account.State)));
    }

    [Fact]
    public void TheSentences_SayWhatHappenedToWhichAmount()
    {
        var account = CreditDesk.WithCredit().At(Anchor.AddMonths(4));

        var texts = LedgerEntries.Of(account.State).Select(e => e.Text).ToList();

        Assert.Contains("Invoice 2 became final: 13.00 USD receivable, 1.00 USD for time still to come, 12.00 USD revenue.", texts);
        Assert.Contains("Invoice 3 became final: 5.00 USD account credit given, 1.00 USD for time still to come, -6.00 USD revenue.", texts);
        Assert.Contains("1.00 USD of invoice 1 was earned by 2026-04-30 12:00:00 UTC.", texts);
    }

    [Fact]
    public void AnInvoiceOfNothing_MakesNoEntry()
    {
        var account = Opened("free-1").At(FirstEnd.AddDays(100));

        Assert.Equal(5, account.Invoices.Count(i => i.Number is not null));
        Assert.Empty(LedgerEntries.Of(account.State));
    }

    // 1,200.00 for the year: 31 of 365 days are 101.9178, 59 are 193.9726.
    [Fact]
    public void AYearsBaseFee_IsEarnedMonthByMonth()
    {
        var entries = LedgerEntries.Of(Year, Ends, null, []);

        Assert.Equal(
            [
                "1 invoice_finalized #1 receivable +120000 deferred_revenue -120000",
                "2 revenue_recognized #1 revenue -10192 deferred_revenue +10192", // at 31 January's end
                "3 revenue_recognized #1 revenue -9205 deferred_revenue +9205", // 19,397 − 10,192
            ],
            entries.Select(Text));
    }

    [Fact]
    public void WhenTheAccountEnds_WhatIsLeftIsEarned()
    {
        var closing = Invoice(3, Month(2), Month(1), January.AddDays(94), Line(InvoiceLineKind.Base, 70, Month(3)));

        var entries = LedgerEntries.Of([.. Year, closing], Ends, endedAt: Month(1).End, []);

        Assert.Equal(
            [
                "3 revenue_recognized #1 revenue -109808 deferred_revenue +109808", // 120,000 − 10,192
                "4 invoice_finalized #3 receivable +70 revenue -70",
            ],
            entries.Skip(2).Select(Text));
    }

    [Fact]
    public void AnAccountThatEndsBetweenPeriodEnds_IsEarnedThen()
    {
        var entries = LedgerEntries.Of(Year, Ends, endedAt: Month(1).End.AddDays(9), []);

        Assert.Equal((Month(1).End.AddDays(9), "4 revenue_recognized #1 revenue -100603 deferred_revenue +100603"), (entries[^1].At, Text(entries[^1])));
    }

    // A product added in the middle of a period is invoiced at once: that is no period's end, so nothing is earned then.
    [Fact]
    public void AProratedFeeInvoicedAtOnce_IsEarnedWithTheOthersAtThePeriodsEnd()
    {
        var added = new DateTimeOffset(2026, 1, 11, 0, 0, 0, TimeSpan.Zero);
        var first = Invoice(1, Month(0), new(January, January), January, Line(InvoiceLineKind.Base, 3_100, Month(0)));
        var second = Invoice(2, Month(0), new(added, added), added, Line(InvoiceLineKind.Proration, 2_100, Month(0) with { Start = added }));

        var entries = LedgerEntries.Of([first, second], [Month(0).End], null, []);

        Assert.Equal(
            [
                "1 invoice_finalized #1 receivable +3100 deferred_revenue -3100",
                "2 invoice_finalized #2 receivable +2100 deferred_revenue -2100",
                "3 revenue_recognized #1 revenue -3100 deferred_revenue +3100",
                "4 revenue_recognized #2 revenue -2100 deferred_revenue +2100",
            ],
            entries.Select(Text));
    }

    // What a period's settling takes back of its base price is about time that is over.
    [Fact]
    public void AFeeForAPeriodThatIsOver_IsRevenueAtOnce()
    {
        var first = Invoice(1, Month(0), new(January, January), January, Line(InvoiceLineKind.Base, 3_100, Month(0)));
        var second = Invoice(
            2, Month(1), Month(0), Month(1).Start + Grace,
            Line(InvoiceLineKind.Base, 5_000, Month(1)), Line(InvoiceLineKind.Upgrade, -400, Month(0)), Line(InvoiceLineKind.Adjustment, 30, Month(0)));

        Assert.Equal(
            "3 invoice_finalized #2 receivable +4630 revenue +370 deferred_revenue -5000",
            Text(LedgerEntries.Of([first, second], [Month(0).End], null, [])[2]));
    }

    // At one instant: a draft that was due, then the period's end, then what is invoiced at once.
    [Fact]
    public void WhatFallsOnOneInstant_IsInTheOrderInWhichItIsDone()
    {
        var end = Month(0).End;
        var first = Invoice(1, Month(0), new(January, January), January, Line(InvoiceLineKind.Base, 3_100, Month(0)));
        var due = Invoice(2, Month(0), Month(0) with { End = January.AddDays(28) }, end, Line(InvoiceLineKind.Usage, 10, Month(0)));
        var atOnce = Invoice(3, Month(1), new(end, end), end, Line(InvoiceLineKind.Proration, 20, Month(1)));

        Assert.Equal(
            ["invoice_finalized #1", "invoice_finalized #2", "revenue_recognized #1", "invoice_finalized #3"],
            LedgerEntries.Of([first, due, atOnce], [end], null, []).Select(e => string.Join(' ', Text(e).Split(' ')[1..3])));
    }

    [Fact]
    public void ACancelledAccount_HasEarnedItsYearAtItsEnd()
    {
        var account = LifeRun.Begun("files-year").At(Anchor.AddMonths(2).AddDays(5));
        Assert.Null(account.Cancel().Refusal);

        account.At(Anchor.AddMonths(6));

        // 120.00 for 365 days: 30 of them are 9.8630, 61 are 20.0548. The drafts of periods without usage are dropped; the periods end all the same.
        Assert.Equal(
            [
                "1 invoice_finalized #1 receivable +12000 deferred_revenue -12000",
                "2 revenue_recognized #1 revenue -986 deferred_revenue +986",
                "3 revenue_recognized #1 revenue -1019 deferred_revenue +1019",
                "4 revenue_recognized #1 revenue -9995 deferred_revenue +9995",
            ],
            Texts(account));
        Assert.Equal(Anchor.AddMonths(3), LedgerEntries.Of(account.State)[^1].At);
    }

    [Fact]
    public void ALateChangeToACancelledAccount_IsRevenueOfItsClosingInvoice()
    {
        var account = LifeRun.Begun("voice-1").At(FirstEnd.AddDays(-1));
        Assert.Null(account.Cancel().Refusal);
        account.At(FirstEnd + Grace).SendOne(LifeRun.Call("late", FirstEnd.AddDays(-1), 150));

        account.At(FirstEnd.AddDays(40));

        Assert.Equal(
            [
                "1 invoice_finalized #1 receivable +3100 deferred_revenue -3100",
                "2 revenue_recognized #1 revenue -3100 deferred_revenue +3100",
                "3 invoice_finalized #3 receivable +100 revenue -100", // 150 − 100 included = 50 × 0.02; invoice 2 came to nothing
            ],
            Texts(account));
    }

    [Fact]
    public void Pages_AreTheWholeInOrder()
    {
        var account = CreditDesk.WithCredit().At(Anchor.AddMonths(4));
        var whole = LedgerEntries.Of(account.State);

        for (var take = 1; take <= whole.Length + 1; take++)
        {
            var (texts, skip) = (new List<string>(), (int?)0);
            while (skip is { } from)
            {
                var page = LedgerEntries.Page(account.State, from, take);
                Assert.Equal(LedgerEntries.Balances(whole), page.Balances);
                Assert.NotEmpty(page.Items);
                texts.AddRange(page.Items.Select(Text));
                skip = page.Next;
            }

            Assert.Equal(whole.Select(Text), texts);
        }
    }

    [Fact]
    public void AnAccountWithoutInvoices_HasAnEmptyLedger()
    {
        var account = new AccountRun();
        Assert.Null(account.Open(Command("desk-1") with { PaymentMethod = null }));

        var page = LedgerEntries.Page(account.State, 0, 10);

        Assert.Equal((0, null, "USD", new LedgerBalances(0, 0, 0, 0, 0, 0, 0)), (page.Items.Length, page.Next, page.Currency, page.Balances));
    }

    /// <summary>An account on a year's plan from January on, in March.</summary>
    private static ImmutableArray<InvoiceView> Year =>
    [
        Invoice(1, Month(0), new(January, January), January, Line(InvoiceLineKind.Base, 120_000, new(January, January.AddYears(1)))),
        Invoice(2, Month(1), Month(0), Month(1).Start + Grace),
    ];

    private static ImmutableArray<DateTimeOffset> Ends => [Month(0).End, Month(1).End];

    private static BillingPeriod Month(int number) => new(January.AddMonths(number), January.AddMonths(number + 1));

    /// <summary>An invoice drafted at the end of <paramref name="ended"/>.</summary>
    private static InvoiceView Invoice(int number, BillingPeriod period, BillingPeriod ended, DateTimeOffset finalizedAt, params ImmutableArray<InvoiceLine> lines) =>
        new(number, InvoiceStatus.Finalized, "USD", lines.Sum(l => l.Amount), period, ended.End, finalizedAt, null, lines);

    private static InvoiceLine Line(InvoiceLineKind kind, long amount, BillingPeriod period) =>
        new(1, kind, "desk", "desk-1", "v1", null, period, Quantity.One, amount, [], 0);

    private static string[] Texts(AccountRun account) => [.. LedgerEntries.Of(account.State).Select(Text)];

    // Debits with a plus, credits with a minus.
    private static string Text(LedgerEntry entry) =>
        $"{entry.N} {Name(entry.Kind)} #{entry.Invoice} {string.Join(' ', entry.Postings.Select(p => $"{Name(p.Account)} {(p.Debit > 0 ? $"+{p.Debit}" : $"-{p.Credit}")}"))}";

    private static string Name<T>(T value) => System.Text.Json.JsonSerializer.Serialize(value).Trim('"');
}
