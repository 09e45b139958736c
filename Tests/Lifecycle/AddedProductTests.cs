using System.Text.Json;
using Billing.Accounts;
using Billing.Invoices;
using Billing.Tests.Accounts;
using static Billing.Tests.Accounts.AccountRun;
using static Billing.Tests.Lifecycle.LifeRun;

namespace Billing.Tests.Lifecycle;

/// <summary>Products that an account subscribes to later than to its first ones.</summary>
public sealed class AddedProductTests
{
    // The first period has 30 days: after 10 of them a product has 20 left. The second has 31 days.
    private static readonly DateTimeOffset Tenth = Anchor.AddDays(10);
    private static readonly DateTimeOffset SecondEnd = new(2026, 5, 31, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Grace = TimeSpan.FromHours(72);

    [Fact]
    public void AProductAdded_PaysToThePeriodsEndOnAnInvoiceOfItsOwn()
    {
        var account = Begun("desk-1").At(Tenth);

        var change = account.Add("voice", "voice-1").Change!;

        var invoice = account.Invoices[1];
        Assert.Equal((2, InvoiceStatus.Finalized, Tenth, Tenth), (invoice.Number, invoice.Status, invoice.DraftedAt, invoice.FinalizedAt));
        Assert.Equal(new(Tenth, FirstEnd), invoice.Period);
        var line = Assert.Single(invoice.Lines);
        Assert.Equal((InvoiceLineKind.Proration, "voice-1", null, invoice.Period), (line.Kind, line.Plan, line.Meter, line.Period));
        Assert.Equal(2067, line.Amount); // 31.00 less 31.00 × 10/30 = 10.33
        Assert.Equal(["0", "3100", "-1033"], line.Arithmetic.Select(s => s.Amount));
        Assert.Equal((2067L, 2, Tenth, false), (change.Total, change.Invoice, change.EffectiveAt, change.DryRun));
        Assert.Equal(JsonSerializer.Serialize(invoice.Lines), JsonSerializer.Serialize(change.Lines));
        Assert.Equal(["desk-1", "voice-1"], View(account).Subscriptions.Select(s => s.Plan));
        Assert.Equal(FirstEnd, account.State.NextRuleAt);
    }

    [Fact]
    public void ItsFirstUsage_IsOverThePartOfTheAllowance()
    {
        var account = Begun("desk-1").At(Tenth);
        account.Add("voice", "voice-1");

        account.At(Anchor.AddDays(15)).Send(Call("a", Tenth, 100));
        var shown = Assert.Single(View(account).Usage, u => u.Meter == Minutes);
        Assert.Equal(("66.666666666667", "400"), (shown.Included.ToString(), shown.Forecast.ToString())); // 100 × 20/30; 100 in 5 of 20 days

        account.At(SecondEnd.AddDays(-1)).Send(Call("b", account.Now, 100));
        account.At(SecondEnd + Grace);
        Assert.Equal(
            [("desk-1", null, 2500L), ("voice-1", null, 3100L), ("desk-1", AccountRun.Tickets, 0L), ("voice-1", Minutes, 67L)], // 33⅓ × 0.02 = 0.6667
            account.Invoices[2].Lines.Select(l => (l.Plan, l.Meter, l.Amount)));
        Assert.Equal(0, Assert.Single(account.Invoices[3].Lines, l => l.Meter == Minutes).Amount); // the whole allowance of 100
    }

    [Fact]
    public void ALateEventOfItsFirstPeriod_IsRatedWithTheSameAllowance()
    {
        var account = Begun("desk-1").At(Tenth);
        account.Add("voice", "voice-1");
        account.Send(Call("a", Tenth, 100));
        account.At(FirstEnd + Grace).Send(Call("late", FirstEnd.AddDays(-1), 100));

        var line = Assert.Single(account.At(SecondEnd + Grace).Invoices[3].Lines, l => l.Kind == InvoiceLineKind.Adjustment);

        Assert.Equal((200L, "100"), (line.Amount, line.Quantity.ToString())); // 133⅓ × 0.02 = 2.6667, rounded 2.67, less 0.67
    }

    [Fact]
    public void AddedInTheGrace_ItIsNotOnTheDraftOfTheRunningPeriod()
    {
        var account = Begun("desk-1").At(FirstEnd.AddDays(1));

        account.Add("voice", "voice-1");
        account.Send(Call("a", account.Now, 10));

        var draft = account.Invoices[^1];
        Assert.Equal((null, 2500L), (draft.Number, draft.Total));
        Assert.All(draft.Lines, l => Assert.Equal("desk", l.Product));
        account.At(SecondEnd + Grace);
        Assert.Equal([2500L, 3000L, 2500L, 5600L], account.Invoices.Select(i => i.Total)); // 31.00 × 30/31 = 30.00; then 25.00; then 25.00 + 31.00
        Assert.Equal([1, 2, 3, 4], account.Invoices.Select(i => i.Number!.Value));
        Assert.Equal([1, 0, 0, 2], account.Invoices.Select(i => i.Lines.Count(l => l.Product == "voice" ? l.Kind is InvoiceLineKind.Base or InvoiceLineKind.Usage : i.Number == 1)));
    }

    [Fact]
    public void AddedInTheFirstSecondOfAPeriod_ItPaysTheWholeAndTheDraftStays()
    {
        var account = Begun("desk-1").At(FirstEnd.AddMilliseconds(300));

        account.Add("voice", "voice-1");
        account.Send(Call("a", FirstEnd, 100));

        Assert.Equal([1, 2, null], account.Invoices.Select(i => i.Number));
        Assert.Equal([2500L, 3100L, 2500L], account.Invoices.Select(i => i.Total));
        Assert.Equal(FirstEnd, account.Invoices[1].Period.Start);
        account.At(SecondEnd + Grace);
        Assert.Equal([2500L, 3100L, 2500L, 5600L], account.Invoices.Select(i => i.Total)); // 100 minutes are all included
    }

    [Fact]
    public void AddedInTheLastSecondOfAPeriod_ItPaysThatSecond()
    {
        var account = Begun("desk-1").At(FirstEnd.AddTicks(-1));

        Assert.Empty(account.Add("voice", "voice-1").Change!.Lines); // 31.00 / 2,592,000 seconds rounds to nothing

        Assert.Equal([2500L, 5600L], account.At(FirstEnd).Invoices.Select(i => i.Total));
    }

    [Fact]
    public void SeveralAtOnce_AreOnOneInvoiceWithoutLinesOfNothing()
    {
        var account = Begun("desk-1").At(Tenth);

        var change = account.ChangePlans(new("voice", "voice-1"), new("free", "free-1")).Change!;

        Assert.Equal(["voice-1"], Assert.Single(account.Invoices, i => i.Number == 2).Lines.Select(l => l.Plan));
        Assert.Equal(2067, change.Total);
        Assert.Equal(["desk-1", "voice-1", "free-1"], View(account).Subscriptions.Select(s => s.Plan));
    }

    [Fact]
    public void AProductThatCostsNothing_HasNoInvoice()
    {
        var account = Begun("desk-1").At(Tenth);

        var change = account.Add("free", "free-1").Change!;

        Assert.Equal((0L, 0, null), (change.Total, change.Lines.Length, change.Invoice));
        Assert.Single(account.Invoices);
        Assert.Equal(2, View(account).Subscriptions.Length);
    }

    [Fact]
    public void InATrial_ItJoinsTheTrial()
    {
        var account = Begun("desk-trial").At(Anchor.AddDays(2));
        var trialEnd = Anchor.AddDays(7);

        var change = account.ChangePlans(new("voice", "voice-1"), new("files", "files-year")).Change!;
        account.Send(Call("a", account.Now, 1000));

        // What they bring to the first paid invoice: 31.00 and 120.00.
        Assert.Equal((15_100L, 2, null), (change.Total, change.Lines.Length, change.Invoice));
        Assert.Contains("In the trial nothing is due", change.Description, StringComparison.Ordinal);
        Assert.Empty(account.Invoices);
        Assert.Equal([3000L, 12_000L, 3100L], Assert.Single(account.At(trialEnd).Invoices).Lines.Select(l => l.Amount));
        Assert.Equal(Quantity.Zero, account.At(trialEnd.AddMonths(1)).Invoices[1].Lines.Single(l => l.Meter == Minutes).Quantity);
    }

    [Fact]
    public void AnEventFromBeforeItWasAdded_HasNoSubscription()
    {
        var account = Begun("desk-1").At(Tenth.AddMilliseconds(900));
        account.Add("voice", "voice-1");

        Assert.Equal("no_subscription", account.SendOne(Call("before", Tenth.AddTicks(-1), 5)).Reason);
        Assert.Null(account.SendOne(Call("after", Tenth, 5)).Reason); // it begins with the second
    }

    [Fact]
    public void WithACancellationScheduled_ItEndsWithTheAccount()
    {
        var account = Begun("desk-1").At(Tenth);
        account.Cancel();

        account.Add("voice", "voice-1");
        account.Send(Call("a", Tenth, 100));
        account.At(FirstEnd + Grace);

        Assert.Equal([2500L, 2067L, 67L], account.Invoices.Select(i => i.Total));
        Assert.Equal(AccountStatus.Cancelled, account.State.Status);
    }

    [Fact]
    public void ScheduledProduct_IsOnThePreviewAsItIsBilled()
    {
        var account = Begun("desk-1").At(Tenth);
        account.Send([.. Enumerable.Range(0, 5).Select(i => Event.Message($"{i}", Tenth, $"{i}"))]);
        Assert.Null(account.ChangePlans(Later).Refusal);
        var before = account.Snapshot();

        var preview = AccountViews.Preview(account.State, account.Now)!;

        Assert.Equal(
            [("desk-1", 2500L), ("files-year", 12_000L), ("voice-1", 3100L), ("desk-1", 120L)], // 5 − 2 included = 3 × 0.40
            preview.Lines.Select(l => (l.Plan!, l.Amount)));
        Assert.Equal(before, account.Snapshot());
        Assert.Equal(JsonSerializer.Serialize(account.At(FirstEnd + Grace).Invoices[1].Lines), JsonSerializer.Serialize(preview.Lines));
        Assert.Equal(17_720, account.Invoices[1].Total);
    }

    [Fact]
    public void ScheduledProductInATrial_IsOnThePreviewOfTheFirstInvoice()
    {
        var account = Begun("desk-trial").At(Anchor.AddDays(2));
        Assert.Null(account.ChangePlans(Later).Refusal);

        var preview = AccountViews.Preview(account.State, account.Now)!;

        Assert.Equal(["desk-trial", "files-year", "voice-1"], preview.Lines.Select(l => l.Plan));
        Assert.Equal(JsonSerializer.Serialize(account.At(Anchor.AddDays(7)).Invoices[0].Lines), JsonSerializer.Serialize(preview.Lines));
    }

    [Fact]
    public void ScheduledProductOfACancelledAccount_IsNotOnThePreview()
    {
        var account = Begun("desk-1").At(Tenth);
        account.ChangePlans(Later);
        account.Cancel();

        Assert.All(AccountViews.Preview(account.State, account.Now)?.Lines ?? [], l => Assert.Equal("desk", l.Product));
    }

    private static ChangePlans Later => new([new("voice", "voice-1"), new("files", "files-year")], "life-1", PlanChangeTime.PeriodEnd, "They asked for it.", false, null);

    [Fact]
    public void ADryRun_ShowsTheSameAndStoresNothing()
    {
        var account = Begun("desk-1").At(Tenth);
        var command = new ChangePlans([new("voice", "voice-1")], "life-1", PlanChangeTime.Now, "They asked for it.", true, "command-3");

        var shown = account.ChangePlans(command).Change!;
        Assert.Single(account.Entries);
        var change = account.ChangePlans(command with { DryRun = false }).Change!;

        Assert.Equal(JsonSerializer.Serialize(change), JsonSerializer.Serialize(shown with { DryRun = false, Invoice = 2 }));
    }

    [Fact]
    public void AccountCredit_IsSpentOnIt()
    {
        var account = Begun("desk-1").At(Tenth);
        account.State.Apply(new AccountFact.InvoiceFinalized(
            new(2, InvoiceStatus.Paid, "USD", -500, new(Anchor, FirstEnd), Anchor, Anchor, Anchor, [])));
        var command = new ChangePlans([new("voice", "voice-1")], "life-1", PlanChangeTime.Now, "They asked for it.", false, "command-3");

        var shown = account.ChangePlans(command with { DryRun = true }).Change!;
        var first = account.ChangePlans(command).Change!;
        var again = account.ChangePlans(command).Change!;

        Assert.Equal((1567L, 1567L, 1567L), (shown.Total, first.Total, account.Invoices[2].Total)); // 20.67 less 5.00 of credit
        Assert.Equal([InvoiceLineKind.Proration, InvoiceLineKind.Credit], first.Lines.Select(l => l.Kind));
        Assert.Equal(JsonSerializer.Serialize(first), JsonSerializer.Serialize(again));
    }

    [Fact]
    public void TheSameCommandAgain_GetsTheSameAnswer()
    {
        foreach (var (product, plan) in new[] { ("voice", "voice-1"), ("free", "free-1") })
        {
            var account = Begun("desk-1").At(Tenth);
            var command = new ChangePlans([new(product, plan)], "life-1", PlanChangeTime.Now, "They asked for it.", false, "command-3");
            var first = account.ChangePlans(command);
            var entries = account.Entries.Count;

            var again = account.At(Tenth.AddDays(1)).ChangePlans(command);

            Assert.Equal(JsonSerializer.Serialize(first), JsonSerializer.Serialize(again));
            Assert.Equal(entries, account.Entries.Count);
        }
    }

    [Theory]
    [InlineData("desk", "desk-1", RefusalKind.Conflict, "changes[0].plan")] // is on it already
    [InlineData("voice", "voice-9", RefusalKind.Invalid, "changes[0].plan")]
    [InlineData("free", "voice-1", RefusalKind.Invalid, "changes[0].product")]
    [InlineData(null, "voice-1", RefusalKind.Invalid, "changes[0].product")]
    [InlineData("voice", null, RefusalKind.Invalid, "changes[0].plan")]
    [InlineData("files", "files-year", RefusalKind.Invalid, "changes[0].plan")] // a year begins at a period start
    public void ChangesThatCannotBe_AreRefusedAndNothingIsStored(string? product, string? plan, RefusalKind kind, string field)
    {
        var account = Begun("desk-1");

        var answer = account.ChangePlans(new PlanChange(product, plan));

        Assert.Equal((kind, field, null), (answer.Refusal!.Kind, answer.Refusal.Field, answer.Change));
        Assert.Single(account.Entries);
    }

    [Fact]
    public void CommandsThatCannotBe_AreRefusedWithTheirField()
    {
        var account = Begun("desk-1");
        var command = new ChangePlans([new("voice", "voice-1")], "life-1", PlanChangeTime.Now, "They asked for it.", false, null);

        Assert.Equal((RefusalKind.Invalid, "changes"), Kind(account.ChangePlans(command with { Changes = [] })));
        Assert.Equal((RefusalKind.Invalid, "changes[1].product"), Kind(account.ChangePlans(command with { Changes = [new("voice", "voice-1"), new("voice", "voice-trial")] })));
        Assert.Equal((RefusalKind.Invalid, "catalog_version"), Kind(account.ChangePlans(command with { CatalogVersion = "life-0" })));
        Assert.Equal((RefusalKind.Invalid, "reason"), Kind(account.ChangePlans(command with { Reason = null })));
        Assert.Equal((RefusalKind.Conflict, null), Kind(BegunUnpaid("desk-1").ChangePlans(command)));
        Assert.Single(account.Entries);

        account.Cancel();
        Assert.Equal((RefusalKind.Conflict, null), Kind(account.At(FirstEnd).ChangePlans(command)));
    }

    [Fact]
    public void ACatalogueInAnotherCurrency_IsRefused()
    {
        var account = On(Anchor, Json.Replace("USD", "EUR", StringComparison.Ordinal).Replace("life-1", "life-2", StringComparison.Ordinal), Json);
        Assert.Null(account.Open("desk-1"));

        var answer = account.ChangePlans(new ChangePlans([new("voice", "voice-1")], "life-2", PlanChangeTime.Now, "They asked for it.", false, null));

        Assert.Equal((RefusalKind.Invalid, "catalog_version"), Kind(answer));
    }

    private static (RefusalKind?, string?) Kind(AccountChangeAnswer answer) => (answer.Refusal?.Kind, answer.Refusal?.Field);
}
