using System.Text.Json;

namespace Billing.Tests.Year;

/// <summary>
/// Goal: what a year comes to is what a person works out from the rules. Method: twelve merchants with fates of their own live through 2026 on one platform;
/// every answer, invoice, charge, balance and state was written down before, with its arithmetic beside it.
/// </summary>
public sealed class YearOfTwelveMerchantsTests(PlayedYear year) : IClassFixture<PlayedYear>
{
    public static TheoryData<string> Merchants => [.. PlayedYear.Merchants.Select(m => m.Id)];

    [Theory]
    [MemberData(nameof(Merchants))]
    public void Acts_WereAnsweredAsExpected(string merchant)
    {
        var acts = PlayedYear.Find(merchant).Acts;

        Same(acts.Select(a => $"{Shown.Instant(a.At)} {a.Expected}"), acts.Select(a => $"{Shown.Instant(a.At)} {year.AnswerTo(a)}"));
    }

    [Theory]
    [MemberData(nameof(Merchants))]
    public async Task Invoices_AreThoseWrittenDown(string merchant) =>
        Same(PlayedYear.Find(merchant).Invoices, (await year.List($"/v1/accounts/{merchant}/invoices")).Select(Shown.Invoice));

    [Theory]
    [MemberData(nameof(Merchants))]
    public async Task AccountAndLedger_EndAsWrittenDown(string merchant)
    {
        Assert.Equal(PlayedYear.Find(merchant).Ends, Shown.Account((await year.Api.Get($"/v1/accounts/{merchant}")).Json));
        Assert.Equal(PlayedYear.Find(merchant).Ledger, Shown.Ledger((await year.Api.Get($"/v1/accounts/{merchant}/ledger")).Json));
    }

    [Theory]
    [MemberData(nameof(Merchants))]
    public async Task EachInvoiceAboveZero_HasOneChargeThatSettled(string merchant)
    {
        var (expected, due) = (PlayedYear.Find(merchant), Due(PlayedYear.Find(merchant)));

        Same(
            due.Select(i => $"{i.Number} {expected.Attempts.GetValueOrDefault(i.Number, $"settled, proven: {i.Total} settled {i.Final}")}"),
            (await year.List($"/v1/accounts/{merchant}/charges")).Select(c => $"{c.GetProperty("invoice").GetInt32()} {Shown.Charge(c)}"));
    }

    [Theory]
    [MemberData(nameof(Merchants))]
    public async Task WhatStripeTook_IsWhatTheInvoicesAskFor(string merchant)
    {
        var charges = (await AtStripe("charges")).Where(c => AccountOf(c) == merchant).ToList();

        Assert.Equal(Due(PlayedYear.Find(merchant)).Select(i => i.Total).Order(), charges.Where(IsTaken).Select(Amount).Order());
        Assert.Equal(PlayedYear.Find(merchant).Declined.Order(), charges.Where(c => !IsTaken(c)).Select(Amount).Order());
    }

    [Fact]
    public async Task NothingElse_WasCharged()
    {
        var charges = (await AtStripe("charges")).ToList();

        // steady 1,205.00, grower 6,756.00, shrinker 2,700.00, spiker 1,620.00, opted-out 2,280.00, mover 4,024.93, waverer 2,700.00,
        // tester 1,314.75, yearly 7,344.00, debtor 700.00, leaver 340.00
        Assert.Equal(3_098_468, charges.Where(IsTaken).Sum(c => c.GetProperty("amount").GetInt64()));
        Assert.Equal((125, 10), (charges.Count(IsTaken), charges.Count(c => !IsTaken(c))));
        Assert.All(charges, c => Assert.Contains(PlayedYear.Merchants, m => m.Id == AccountOf(c)));
        Assert.Equal(125, (await AtStripe("invoices")).Count(i => Shown.Text(i, "status") == "paid"));
        Assert.Equal(125, (await AtStripe("invoices")).Count());
        Assert.Equal(PlayedYear.Merchants.Select(m => m.Id).Order(), (await year.List("/v1/accounts")).Select(a => Shown.Text(a, "id")).Order());
    }

    // Names the first that differs, in full.
    private static void Same<T>(IEnumerable<T> expected, IEnumerable<T> actual)
        where T : class
    {
        var (wanted, found) = (expected.ToList(), actual.ToList());
        for (var i = 0; i < Math.Max(wanted.Count, found.Count); i++)
        {
            var (one, other) = (wanted.ElementAtOrDefault(i), found.ElementAtOrDefault(i));
            Assert.True(Equals(one, other), $"Written down: {one}{Environment.NewLine}Found:        {other}");
        }
    }

    // An invoice of zero or less is paid when it is final, without Stripe.
    private static IEnumerable<Invoice> Due(Merchant merchant) => merchant.Invoices.Where(i => i.Total != "0.00" && i.Total[0] != '-');

    private static bool IsTaken(JsonElement charge) => Shown.Text(charge, "status") == "succeeded";

    private static string AccountOf(JsonElement charge) => Shown.Text(charge.GetProperty("metadata"), "account");

    private static string Amount(JsonElement charge) => Shown.Money(charge.GetProperty("amount"));

    private async Task<IEnumerable<JsonElement>> AtStripe(string what) => (await year.Api.Get("/v1/sandbox/stripe")).Json.GetProperty(what).EnumerateArray();
}
