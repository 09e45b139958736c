using System.Globalization;
using System.Text.Json;
using Billing.Invoices;
using Billing.Ledger;
using Billing.Rating;
using Billing.Tests.Accounts;
using Billing.Tests.Lifecycle;
using FsCheck.Fluent;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Ledger;

/// <summary>Laws of the ledger: what holds for any account at any time.</summary>
public sealed class LedgerLawsTests
{
    private const int Tickets = 6;

    // Less than this, in cents, is carried over to the next invoice.
    private const long SmallestCharge = 50;

    // Goal: no amount is lost or made, whatever is billed, taken back and spent. Method: lives of half a year with late messages
    // that merge sessions, looked at after each step; what the ledger should come to is worked out from invoices and lines.
    [Fact]
    public void AtAnyTime_TheLedgerBalancesAndIsWhatWasInvoiced() =>
        Prop.ForAll(Generated.SomeNumbers(int.MaxValue), numbers =>
        {
            var account = CreditDesk.Opened();
            var earlier = new List<string>();
            foreach (var (number, index) in numbers.Take(60).Select((n, i) => (n, i)))
            {
                Step(account, number, index);
                earlier = HoldsFor(account, earlier);
            }

            Assert.Equal(earlier, Texts(LedgerEntries.Of(account.ReadAgain())));
            Assert.Equal(earlier, Texts(LedgerEntries.Of(account.ReadAgain(account.Entries.Count / 2))));
        }).Holds(150);

    // Goal: the same for trials, yearly plans, products added later and accounts that end. Method: the acts of the laws of lives.
    [Fact]
    public void InAnyLife_TheLedgerBalancesAndIsWhatWasInvoiced() =>
        Prop.ForAll(Generated.SomeNumbers(int.MaxValue), Generated.Number(5), (numbers, kind) =>
        {
            var account = LifeLawsTests.Begin(kind);
            var earlier = new List<string>();
            foreach (var number in numbers.Take(16))
            {
                LifeLawsTests.Act(account.Unawakened(account.Now.AddHours(number % 600)), number);
                earlier = HoldsFor(account, earlier);
            }

            HoldsFor(account.At(account.Now.AddDays(numbers[0] % 4 * 40)), earlier);
            Assert.Equal(Texts(LedgerEntries.Of(account.State)), Texts(LedgerEntries.Of(account.ReadAgain(account.Entries.Count))));
        }).Holds(200);

    // Goal: the first law is not about accounts without credit. Method: the same lives; most come to give and spend some.
    [Fact]
    public void TheLivesOfTheLaw_GiveAndSpendCredit()
    {
        var (given, spent) = (0, 0);
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var account = CreditDesk.Opened();
            for (var index = 0; index < 60; index++) Step(account, random.Next(), index);
            given += account.Invoices.Count(i => i.Number is not null && i.Total < 0);
            spent += account.Invoices.Count(i => i.Number is not null && i.Lines.Any(l => l.Kind == InvoiceLineKind.Credit));
        }

        Assert.True(given >= 25 && spent >= 25, $"{given} invoices gave credit, {spent} spent some");
    }

    // Goal: the months of a year add up to its fee. Method: any fee, earned at period ends that lie anywhere.
    [Fact]
    public void AFee_IsEarnedInPartsThatAddUpToIt() =>
        Prop.ForAll(Generated.Number(1_000_000), Generated.Numbers(31_536_000), (fee, seconds) =>
        {
            var year = new BillingPeriod(Anchor, Anchor.AddYears(1));
            var book = new LedgerBook("USD");
            book.Finalize(new(1, InvoiceStatus.Finalized, "USD", fee, year, Anchor, Anchor, null, [new(1, InvoiceLineKind.Base, "desk", "desk-1", "v1", null, year, Quantity.One, fee, [], 0)]));
            foreach (var second in seconds.Order()) book.EndPeriod(Anchor.AddSeconds(second), accountEnded: false);
            var before = LedgerEntries.Balances(book.Entries);
            book.EndPeriod(year.End, accountEnded: false);

            Assert.Equal(fee, before.Revenue + before.DeferredRevenue);
            Assert.Equal(new LedgerBalances(fee, fee, 0, 0, 0, 0, 0), LedgerEntries.Balances(book.Entries));
            Assert.All(book.Entries.Skip(1), e => Assert.True(e.Postings[0].Credit > 0, "what was earned stays earned"));
        }).Holds(200);

    private static List<string> HoldsFor(AccountRun account, List<string> earlier)
    {
        var entries = LedgerEntries.Of(account.State);
        var balances = LedgerEntries.Balances(entries);
        var invoices = account.State.Invoices;
        var lines = invoices.SelectMany(i => i.Lines).ToList();

        Assert.Equal(Enumerable.Range(1, entries.Length), entries.Select(e => e.N));
        Assert.Equal(entries.Select(e => e.At).Order(), entries.Select(e => e.At));
        Assert.All(entries, entry =>
        {
            Assert.Equal(entry.Postings.Sum(p => p.Debit), entry.Postings.Sum(p => p.Credit));
            Assert.True(entry.Postings.Length >= 2);
            Assert.All(entry.Postings, p => Assert.True((p.Debit > 0 && p.Credit == 0) || (p.Debit == 0 && p.Credit > 0), $"{p}"));
            Assert.Equal(entry.Postings.Length, entry.Postings.Select(p => p.Account).Distinct().Count());
        });
        Assert.Equal(
            balances.Receivable + balances.Cash + balances.WriteOff,
            balances.Revenue + balances.DeferredRevenue + balances.Credits + balances.Tax);

        Assert.All(invoices, i => Assert.Equal(i.Total, i.Lines.Sum(l => l.Amount)));
        Assert.All(invoices, i => Assert.Equal(i.Total >= SmallestCharge ? InvoiceStatus.Finalized : InvoiceStatus.Paid, i.Status));
        Assert.Equal(invoices.Where(i => i.Total >= SmallestCharge).Sum(i => i.Total), balances.Receivable);
        Assert.Equal(account.State.Balance, balances.Credits);
        Assert.InRange(account.State.Balance, 1 - SmallestCharge, long.MaxValue);
        Assert.Equal(lines.Where(l => l.Kind != InvoiceLineKind.Credit).Sum(l => l.Amount), balances.Revenue + balances.DeferredRevenue);
        var recognized = account.State.BegunPeriod?.Start ?? DateTimeOffset.MinValue;
        Assert.Equal(
            account.State.Cancelled is not null ? 0 : lines.Where(l => l.Kind is InvoiceLineKind.Base or InvoiceLineKind.Proration).Sum(l => Left(l, recognized)),
            balances.DeferredRevenue);

        var texts = Texts(entries);
        Assert.Equal(earlier, texts.Take(earlier.Count)); // an entry stays as it was
        return texts;
    }

    // Of a period that is over nothing is left, and of one that has not begun when revenue was last recognised everything.
    private static long Left(InvoiceLine fee, DateTimeOffset recognized) =>
        fee.Period.End <= recognized ? 0 : fee.Period.Start >= recognized ? fee.Amount : fee.Amount - Proration.Accrued(fee.Amount, fee.Period, recognized);

    private static List<string> Texts(IEnumerable<LedgerEntry> entries) => [.. entries.Select(e => JsonSerializer.Serialize(e))];

    // Up to 6 days pass, then tickets get messages, in rounds of twelve weeks: in the first four they open sessions of their first and
    // third week; in the sixth messages of the second week come late and merge those; then single tickets get new ones.
    private static void Step(AccountRun account, int number, int index)
    {
        account.At(account.Now.AddHours(number % 7 * 23));
        var days = (int)(account.Now - Anchor).TotalDays;
        var (round, day) = (days - (days % 84), days % 84);
        var (week, tickets) = day < 28 ? (day < 14 ? 0 : 2, number / 7) : day is >= 33 and <= 40 ? (1, number / 7) : (day / 7, 1);
        for (var ticket = 0; ticket < Tickets; ticket++)
            if ((tickets >> ticket & 1) == 1)
                account.SendOne(Event.Message(string.Create(CultureInfo.InvariantCulture, $"m{index}-{ticket}"), Anchor.AddDays(round + (7 * week)), $"{ticket}"));
    }
}
