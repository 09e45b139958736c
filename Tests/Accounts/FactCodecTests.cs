using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Billing.Accounts;
using Billing.Charging;
using Billing.Invoices;
using Billing.Usage;
using FsCheck.Fluent;

namespace Billing.Tests.Accounts;

/// <summary>The journal's own codec. Facts are kept for good: the examples under Facts were saved once and must load in every release.</summary>
public sealed class FactCodecTests
{
    private static readonly UInt128 Key = UInt128.Parse("0102030405060708090a0b0c0d0e0f10", System.Globalization.NumberStyles.HexNumber);
    private static readonly DateTimeOffset April10 = new(2026, 4, 10, 12, 0, 0, TimeSpan.Zero);
    private static readonly BillingPeriod First = new(AccountRun.Anchor, AccountRun.FirstEnd);
    private static readonly BillingPeriod Second = new(AccountRun.FirstEnd, new(2026, 5, 31, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void ASavedAccountOpened_StillLoads() => Assert.Equal(
        new AccountFact.AccountOpened(
            "Acme", "billing@acme.example", "DE", "USD", "v1", "pm_1", true, AccountStatus.Active, "command-1", AccountRun.Anchor),
        Saved("account_opened"));

    [Fact]
    public void ASavedAccountOpenedWithATrial_StillLoads()
    {
        var opened = Assert.IsType<AccountFact.AccountOpened>(Saved("account_opened_with_trial"));

        Assert.Equal(
            (AccountStatus.Trialing, AccountRun.Anchor, AccountRun.Anchor.AddDays(7), null),
            (opened.Status, opened.At, opened.TrialEndsAt!.Value, opened.PaymentMethod));
        Assert.Equal("desk-1", Assert.Single(opened.Plans!.Value));
    }

    [Fact]
    public void ASavedPaidSubscriptionBegan_StillLoads() => Assert.Equal(
        new AccountFact.PaidSubscriptionBegan(AccountRun.Anchor.AddDays(7)), Saved("paid_subscription_began"));

    [Fact]
    public void ASavedAccountCancelled_StillLoads() => Assert.Equal(
        new AccountFact.AccountCancelled(AccountRun.FirstEnd, "The shop closed.", "command-2"), Saved("account_cancelled"));

    [Fact]
    public void ASavedCancellationScheduled_StillLoads() => Assert.Equal(
        new AccountFact.CancellationScheduled(AccountRun.FirstEnd, "The shop closes.", April10, "command-2"), Saved("cancellation_scheduled"));

    [Fact]
    public void ASavedCancellationUndone_StillLoads() => Assert.Equal(
        new AccountFact.CancellationUndone(April10, "The shop stays."), Saved("cancellation_undone"));

    [Fact]
    public void ASavedAccountClosed_StillLoads() => Assert.Equal(
        new AccountFact.AccountClosed(AccountRun.FirstEnd.AddDays(35)), Saved("account_closed"));

    [Fact]
    public void ASavedDraftDropped_StillLoads() => Assert.Equal(
        new AccountFact.DraftDropped(Second, AccountRun.FirstEnd.AddHours(72)), Saved("draft_dropped"));

    [Fact]
    public void ASavedSubscriptionStarted_StillLoads() => Assert.Equal(
        new AccountFact.SubscriptionStarted("desk", "desk-1", "v1", AccountRun.Anchor), Saved("subscription_started"));

    [Fact]
    public void ASavedSubscriptionAdded_StillLoads() => Assert.Equal(
        new AccountFact.SubscriptionStarted("desk", "desk-1", "v1", April10, AccountRun.FirstEnd, "They asked for it.", "command-3"),
        Saved("subscription_added"));

    [Fact]
    public void ASavedInvoiceDrafted_StillLoads() => Assert.Equal(
        new AccountFact.InvoiceDrafted(Second, AccountRun.FirstEnd), Saved("invoice_drafted"));

    [Fact]
    public void ASavedDeadLetterClosed_StillLoads() => Assert.Equal(
        new AccountFact.DeadLetterClosed(Key, April10), Saved("dead_letter_closed"));

    [Fact]
    public void ASavedMeterTracked_StillLoads() => Assert.Equal(
        new AccountFact.MeterTracked("desk.answers", "v1", April10), Saved("meter_tracked"));

    [Theory]
    [MemberData(nameof(SavedChargingFacts))]
    public void ASavedFactAboutCharges_StillLoads(string file, object fact) => Assert.Equal(fact, Saved(file));

    [Theory]
    [InlineData("plan_upgraded")]
    [InlineData("period_settled")]
    [InlineData("period_settled_again")]
    [InlineData("plan_downgraded")]
    public void ASavedDecision_StillLoads(string file)
    {
        var decision = Saved(file) switch
        {
            AccountFact.PlanUpgraded { Product: "desk", Plan: "desk-2" } upgraded when upgraded.At == April10 => upgraded.Decision,
            AccountFact.PeriodSettled { Product: "desk", Plan: "desk-2" } settled when settled.Period == First && settled.At == April10 => settled.Decision,
            AccountFact.PeriodSettledAgain { Product: "desk", Plan: "desk-2" } again when again.Period == First && again.At == April10 => again.Decision,
            AccountFact.PlanDowngraded { Product: "desk", Plan: "desk-1" } downgraded when downgraded.EffectiveAt == AccountRun.FirstEnd && downgraded.At == April10 => downgraded.Decision,
            var other => throw new InvalidOperationException($"{file} is {other}"),
        };

        Assert.Equal((PlanRule.Upgrade, "desk", "desk-1", "desk-2", First, April10), (decision.Rule, decision.Product, decision.From, decision.To, decision.Period, decision.EffectiveAt));
        Assert.Equal<MeterQuantity>([new MeterQuantity("desk.tickets", Quantity.Of(1_001))], decision.Usage);
        Assert.Equal<PlanAlternative>([new PlanAlternative("desk-1", 6_000, 32_000, 38_000)], decision.Alternatives);
        Assert.Equal("Usage reached 1,001 desk.tickets.", decision.Text);
    }

    [Fact]
    public void ASavedChargeStepPut_StillLoads()
    {
        var put = Assert.IsType<AccountFact.ChargeStepPut>(Saved("charge_step_put"));

        Assert.Equal<int>([1, 3], put.MissingLines!.Value);
        Assert.Equal(new AccountFact.ChargeStepPut("acme/1/1", ChargeStep.Lines, 2, AccountRun.FirstEnd, April10, "in_1", null, "in_2"), put with { MissingLines = null });
    }

    public static TheoryData<string, object> SavedChargingFacts => new()
    {
        { "charge_requested", new AccountFact.ChargeRequested("acme/1/1", 1, 1, 2_500, "USD", "ab12", AccountRun.Anchor) },
        { "stripe_call_sent", new AccountFact.StripeCallSent(4, StripeCallKind.CreateInvoice, "acme/1/1/draft", "acme/1/1", April10) },
        { "stripe_call_ended", new AccountFact.StripeCallEnded(4, StripeOutcome.Refused, "resource_missing", "No such customer.", April10) },
        { "customer_step_put", new AccountFact.CustomerStepPut(CustomerStep.Find, 2, AccountRun.FirstEnd, April10) },
        { "customer_created", new AccountFact.CustomerCreated("cus_1", April10) },
        { "payment_method_given", new AccountFact.PaymentMethodGiven("pm_card_visa", "A new card.", April10, "command-4") },
        { "payment_method_attached", new AccountFact.PaymentMethodAttached("pm_1", "card", "visa", "4242", April10) },
        { "payment_method_refused", new AccountFact.PaymentMethodRefused("pm_card_chargeDeclined", "card_declined", "Your card was declined.", April10) },
        { "payment_method_set", new AccountFact.PaymentMethodSet(April10) },
        { "charge_unknown", new AccountFact.ChargeUnknown("acme/1/1", 1, AccountRun.FirstEnd, "No answer came in time.", April10, Refused: true) },
        { "charge_settled", new AccountFact.ChargeSettled("acme/1/1", "in_1", "pi_1", "ch_1", 2_500, April10) },
        { "charge_declined", new AccountFact.ChargeDeclined("acme/1/1", "insufficient_funds", "Your card has insufficient funds.", "ch_1", AccountRun.FirstEnd, April10) },
        { "charge_parked", new AccountFact.ChargeParked("acme/1/1", ParkReason.UnusualTotal, "Far above the median.", April10, HoldsAccount: true) },
        { "charge_noticed", new AccountFact.ChargeNoticed("acme/1/1", April10) },
        { "charge_noticed.reversal", new AccountFact.ChargeNoticed("acme/1/1", April10, AccountRun.FirstEnd) },
        { "charge_disputed", new AccountFact.ChargeDisputed("acme/1/1", "dp_1", 2_500, "USD", "fraudulent", "needs_response", 2_500, April10) },
        { "charge_dispute_closed", new AccountFact.ChargeDisputeClosed("acme/1/1", "dp_1", 2_500, "USD", "fraudulent", "won", 0, April10) },
        { "refund_noticed", new AccountFact.RefundNoticed("acme/1/1", "re_1", 700, "USD", "requested_by_customer", "succeeded", 700, April10) },
        { "plan_changed", new AccountFact.PlanChanged("desk", "desk-2", "v1", "They asked for it.", April10, "command-6") },
        { "plan_change_scheduled", new AccountFact.PlanChangeScheduled("desk", "desk-1", "v1", AccountRun.FirstEnd, "They asked for it.", April10, "command-7") },
        { "plan_change_undone", new AccountFact.PlanChangeUndone("desk", April10, "They changed their mind.") },
        { "settings_changed", new AccountFact.SettingsChanged("They asked for it.", April10, false, "command-8") },
        { "renewal_noticed", new AccountFact.RenewalNoticed("desk", "desk-year", "life-1", AccountRun.FirstEnd, 30, 12_000, "The plan renews.", April10) },
        { "usage_looked_at", new AccountFact.UsageLookedAt(April10, AccountRun.FirstEnd) },
        { "usage_alert_reached", new AccountFact.UsageAlertReached(new(null, 80, null), "desk.tickets", First, "80 % are reached.", April10) },
        { "spend_cap_reached", new AccountFact.SpendCapReached(new(50_000, SpendCapKind.Hard), First, "The cap is reached.", April10) },
        { "charges_released", new AccountFact.ChargesReleased("It is right.", April10, "command-5") },
        { "account_past_due", new AccountFact.AccountPastDue("The charge of invoice 1 was declined.", April10) },
        { "account_suspended", new AccountFact.AccountSuspended("They asked for it.", ByOperator: true, April10, "command-6") },
        { "periods_paused", new AccountFact.PeriodsPaused(AccountRun.FirstEnd) },
        { "account_reactivated", new AccountFact.AccountReactivated("They paid.", AccountRun.FirstEnd, April10, "command-7", null) },
        { "invoice_drafted.suspended", new AccountFact.InvoiceDrafted(Second, AccountRun.FirstEnd, WithoutBaseFees: true) },
    };

    [Fact]
    public void ASavedInvoiceFinalized_StillLoads()
    {
        var invoice = Assert.IsType<AccountFact.InvoiceFinalized>(Saved("invoice_finalized")).Invoice;

        Assert.Equal((2, InvoiceStatus.Finalized, "USD", 2540L, Second), (invoice.Number, invoice.Status, invoice.Currency, invoice.Total, invoice.Period));
        Assert.Equal((Second.Start, Second.Start.AddHours(72), null), (invoice.DraftedAt, invoice.FinalizedAt, invoice.PaidAt));
        Assert.Equal(
            [(1, InvoiceLineKind.Base, null, Second, "1", 2500L, 0L), (2, InvoiceLineKind.Usage, "desk.tickets", First, "3", 40L, 7L)],
            invoice.Lines.Select(l => (l.N, l.Kind, l.Meter, l.Period, l.Quantity.ToString(), l.Amount, l.EventCount)));
        Assert.All(invoice.Lines, l => Assert.Equal(("desk", "desk-1", "v1"), (l.Product, l.Plan, l.CatalogVersion)));
        Assert.Equal(new ArithmeticStep("1", "0.4", "40.5", "1 over the allowance at 0.4 USD"), Assert.Single(invoice.Lines[1].Arithmetic));
    }

    [Fact]
    public void ASavedInvoiceFinalizedWithCredit_StillLoads()
    {
        var invoice = Assert.IsType<AccountFact.InvoiceFinalized>(Saved("invoice_finalized.credit")).Invoice;

        Assert.Equal((4, InvoiceStatus.Paid, 0L, invoice.FinalizedAt), (invoice.Number, invoice.Status, invoice.Total, invoice.PaidAt));
        var line = invoice.Lines[1];
        Assert.Equal((2, InvoiceLineKind.Credit, -2500L, invoice.Period), (line.N, line.Kind, line.Amount, line.Period));
        Assert.Equal((null, null, null, null), (line.Product, line.Plan, line.CatalogVersion, line.Meter));
        Assert.Equal(new ArithmeticStep("1", "-25", "-2500", "25.00 USD of 30.00 USD account credit"), Assert.Single(line.Arithmetic));
    }

    [Fact]
    public void ASavedUsageRecorded_StillLoads()
    {
        var reader = new FactReader(SavedEntry("usage_recorded"));

        Assert.Equal(April10, reader.ReceivedAt);
        Assert.True(reader.TryRead(out var kind, out var content));
        Assert.Equal(FactKind.UsageRecorded, kind);
        var fact = FactReader.ReadUsageRecorded(content);
        Assert.Equal((Key, 0xCAFEBABEu, April10.UtcTicks), (fact.KeyHash, fact.Fingerprint, fact.TimeTicks));
        Assert.Equal(("mail", "id-1", "sent"), (Text(fact.Source), Text(fact.Id), Text(fact.Type)));
        Assert.Equal([(0, "1", "s1", 864_000), (1, "1234.5", "", 0)], Readings(fact.Readings));
        Assert.False(reader.TryRead(out _, out _));
    }

    [Fact]
    public void ASavedUsageRefused_StillLoads()
    {
        var reader = new FactReader(SavedEntry("usage_refused"));

        Assert.True(reader.TryRead(out var kind, out var content));
        Assert.Equal(FactKind.UsageRefused, kind);
        var fact = FactReader.ReadUsageRefused(content);
        Assert.Equal(
            (UsageOutcome.Quarantined, Key, Key, 0xCAFEBABEu, April10.AddDays(1).UtcTicks),
            (fact.Outcome, fact.Letter, fact.KeyHash, fact.Fingerprint, fact.TimeTicks));
        Assert.Equal(("mail", "id-2", "Too early.", "{\"id\":\"id-2\"}"), (Text(fact.Source), Text(fact.Id), Text(fact.Reason), Text(fact.Body)));
    }

    [Fact]
    public void EveryKindOfFact_HasASavedExample()
    {
        var kinds = typeof(AccountFact).GetCustomAttributes(typeof(JsonDerivedTypeAttribute), false).Cast<JsonDerivedTypeAttribute>().ToList();
        var examples = Repository.Files("Tests/Accounts/Facts").Select(Path.GetFileNameWithoutExtension).ToHashSet();

        Assert.Equal(typeof(AccountFact).GetNestedTypes().Where(t => t.IsSubclassOf(typeof(AccountFact))).OrderBy(t => t.Name), kinds.Select(k => k.DerivedType).OrderBy(t => t.Name));
        Assert.All(kinds, kind => Assert.Contains((string)kind.TypeDiscriminator!, examples));
        Assert.Equal([FactKind.Json, FactKind.UsageRecorded, FactKind.UsageRefused], Enum.GetValues<FactKind>()); // those beside JSON have a .hex
        Assert.Contains("usage_recorded", examples);
        Assert.Contains("usage_refused", examples);
    }

    [Fact]
    public void AFactWithMembersOfALaterRelease_StillLoads() => Assert.Equal(
        new AccountFact.SubscriptionStarted("desk", "desk-1", "v1", AccountRun.Anchor),
        FactReader.ReadJson("""{"fact":"subscription_started","product":"desk","plan":"desk-1","catalog_version":"v1","at":"2026-03-31T12:00:00+00:00","quantity":3}"""u8));

    [Theory]
    [InlineData("")]
    [InlineData("01")]
    [InlineData("020000000000000000")] // another version
    public void WhatIsNoEntryOfThisRelease_IsSaidToBeSo(string hex) =>
        Assert.Throws<InvalidDataException>(() => new FactReader(Convert.FromHexString(hex)));

    [Fact]
    public void AFactOfAnUnknownKind_StopsTheAccount()
    {
        byte[] entry = [1, 0, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0, 0];

        var failure = Assert.Throws<InvalidDataException>(() => new AccountRun().State.ApplyEntry(entry));

        Assert.Contains("kind 99", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnyFacts_ReadBackAsTheyWereWritten() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), numbers =>
        {
            var writer = new FactWriter();
            writer.Begin(April10.AddYears(1));
            writer.Write(new AccountFact.SubscriptionStarted("gone", "with", "begin", April10));
            writer.Begin(April10);
            foreach (var n in numbers) Write(writer, n);
            Assert.Equal(numbers.Length > 0, writer.HasFacts);

            var reader = new FactReader(writer.Entry.Span);
            Assert.Equal(April10, reader.ReceivedAt);
            foreach (var n in numbers)
            {
                Assert.True(reader.TryRead(out var kind, out var content));
                Check(kind, content, n);
            }

            Assert.False(reader.TryRead(out _, out _));
        }).Holds();

    private static void Write(FactWriter writer, int n)
    {
        var (source, id, body) = (Bytes(n % 7), Bytes(n % 1100), Bytes(n % 5000));
        switch (n % 3)
        {
            case 0:
                writer.Write(new AccountFact.DeadLetterClosed((UInt128)n << 90, April10.AddTicks(n)));
                break;

            case 1:
                var readings = new ReadingsWriter();
                for (var i = 0; i < n % 10; i++) readings.Add(i, Reading(n, i, Bytes(n % 1025)));
                writer.Write(new UsageRecordedFact { KeyHash = (UInt128)n << 64, Fingerprint = (uint)n, TimeTicks = n, Source = source, Id = id, Type = source, Readings = readings.Written });
                break;

            default:
                writer.Write(new UsageRefusedFact { Outcome = UsageOutcome.Conflict, Letter = (UInt128)n, KeyHash = (UInt128)n << 64, Fingerprint = (uint)n, TimeTicks = n, Source = source, Id = id, Reason = source, Body = body });
                break;
        }
    }

    private static void Check(FactKind kind, ReadOnlySpan<byte> content, int n)
    {
        switch (n % 3)
        {
            case 0:
                Assert.Equal(FactKind.Json, kind);
                Assert.Equal(new AccountFact.DeadLetterClosed((UInt128)n << 90, April10.AddTicks(n)), FactReader.ReadJson(content));
                break;

            case 1:
                Assert.Equal(FactKind.UsageRecorded, kind);
                var recorded = FactReader.ReadUsageRecorded(content);
                Assert.Equal(((UInt128)n << 64, (uint)n, n), (recorded.KeyHash, recorded.Fingerprint, recorded.TimeTicks));
                Assert.Equal((Text(Bytes(n % 7)), Text(Bytes(n % 1100)), Text(Bytes(n % 7))), (Text(recorded.Source), Text(recorded.Id), Text(recorded.Type)));
                Assert.Equal(
                    Enumerable.Range(0, n % 10).Select(i => (i, Value(n, i).ToString(), Text(Bytes(n % 1025)), n % 1000)), Readings(recorded.Readings));
                break;

            default:
                Assert.Equal(FactKind.UsageRefused, kind);
                var refused = FactReader.ReadUsageRefused(content);
                Assert.Equal((UsageOutcome.Conflict, (UInt128)n, (UInt128)n << 64, (uint)n, n), (refused.Outcome, refused.Letter, refused.KeyHash, refused.Fingerprint, refused.TimeTicks));
                Assert.Equal((Text(Bytes(n % 7)), Text(Bytes(n % 1100)), Text(Bytes(n % 5000))), (Text(refused.Source), Text(refused.Id), Text(refused.Body)));
                break;
        }
    }

    private static byte[] Bytes(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)('a' + (i % 26)))];

    private static Quantity Value(int n, int i) => i % 2 == 0 ? Quantity.One : Quantity.FromParts(n, (Int128)n << 40);

    private static Billing.Metering.MeterReading Reading(int n, int i, byte[] key) => new() { Value = Value(n, i), Key = key, GapSeconds = n % 1000 };

    private static List<(int Meter, string Value, string Key, int GapSeconds)> Readings(ReadOnlySpan<byte> bytes)
    {
        var list = new List<(int, string, string, int)>();
        var reader = new ReadingsReader(bytes);
        while (reader.TryRead(out var meter, out var reading)) list.Add((meter, reading.Value.ToString(), Text(reading.Key), reading.GapSeconds));
        return list;
    }

    // As it is saved, and as this release writes it again: a member that is lost on the way would show.
    private static AccountFact Saved(string name)
    {
        var json = Repository.Read($"Tests/Accounts/Facts/{name}.json");
        var fact = FactReader.ReadJson(Encoding.UTF8.GetBytes(json));

        using var saved = JsonDocument.Parse(json);
        using var again = JsonDocument.Parse(JsonSerializer.Serialize(fact, AccountJson.Default.AccountFact));
        Assert.True(JsonElement.DeepEquals(saved.RootElement, again.RootElement), $"{name}: saved as {json}, now written as {again.RootElement}");
        return fact;
    }

    private static byte[] SavedEntry(string name) =>
        Convert.FromHexString(string.Concat(Repository.Read($"Tests/Accounts/Facts/{name}.hex").Where(char.IsAsciiHexDigit)));

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
