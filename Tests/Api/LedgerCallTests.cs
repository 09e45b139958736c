using System.Text.Json;

namespace Billing.Tests.Api;

/// <summary>The ledger over HTTP, of an account that is three months old. The tests change nothing.</summary>
public sealed class LedgerCallTests(ReadingCallsTests.Account account) : IClassFixture<ReadingCallsTests.Account>
{
    private const string Path = "/v1/accounts/shop/ledger";

    [Fact]
    public async Task Ledger_ShowsEntriesAndBalances()
    {
        var ledger = (await account.Api.Get(Path)).Json;

        // Invoices 1, 2 and 3 of 10.00, 10.50 and 10.00, each charged at once; the periods of all three are over.
        Assert.Equal(
            """{"receivable":0,"revenue":3050,"deferred_revenue":0,"cash":3050,"credits":0,"tax":0,"write_off":0}""",
            ledger.GetProperty("balances").GetRawText());
        Assert.Equal("USD", ledger.GetProperty("currency").GetString());
        var items = ledger.GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(
            [
                ("invoice_finalized", 1), ("charge_settled", 1), ("revenue_recognized", 1), ("invoice_finalized", 2), ("charge_settled", 2), ("revenue_recognized", 2),
                ("invoice_finalized", 3), ("charge_settled", 3), ("revenue_recognized", 3),
            ],
            items.Select(i => (i.GetProperty("kind").GetString(), i.GetProperty("invoice").GetInt32())));
        Assert.Equal(Enumerable.Range(1, 9), items.Select(i => i.GetProperty("n").GetInt32()));
        Assert.Equal("2026-02-04T00:00:00Z", items[3].GetProperty("at").GetString());
        Assert.Equal(
            """[{"account":"receivable","debit":1050,"credit":0},{"account":"revenue","debit":0,"credit":50},{"account":"deferred_revenue","debit":0,"credit":1000}]""",
            items[3].GetProperty("postings").GetRawText());
        Assert.Equal(
            "Invoice 2 became final: 10.50 USD receivable, 10.00 USD for time still to come, 0.50 USD revenue.", items[3].GetProperty("text").GetString());
        Assert.False(ledger.TryGetProperty("next", out _));
    }

    [Fact]
    public async Task LedgerByPages_IsTheSameAsAtOnce()
    {
        var whole = (await account.Api.Get(Path)).Json;
        for (var limit = 1; limit <= 7; limit++)
        {
            var (items, cursor) = (new List<string>(), (string?)"");
            while (cursor is not null)
            {
                var page = (await account.Api.Get($"{Path}?limit={limit}{cursor}")).Json;
                Assert.Equal(whole.GetProperty("balances").GetRawText(), page.GetProperty("balances").GetRawText());
                Assert.InRange(page.GetProperty("items").GetArrayLength(), 1, limit);
                items.AddRange(Items(page));
                Assert.True(items.Count <= Items(whole).Count(), "the pages go on for ever");
                cursor = page.TryGetProperty("next", out var next) ? $"&cursor={next.GetString()}" : null;
            }

            Assert.Equal(Items(whole), items);
        }
    }

    [Theory]
    [InlineData("?limit=0", "limit")]
    [InlineData("?limit=1001", "limit")]
    [InlineData("?cursor=bm8", "cursor")]
    public async Task BadQuery_IsNamed(string query, string field) => (await account.Api.Get(Path + query)).IsProblem(400, field);

    [Fact]
    public async Task CursorFarBehindTheEnd_IsAnEmptyLastPage()
    {
        var page = await account.Api.Get($"{Path}?limit=1000&cursor=MjE0NzQ4MzY0Nw"); // 2147483647

        Assert.Equal(200, page.Status);
        Assert.Empty(Items(page.Json));
        Assert.False(page.Json.TryGetProperty("next", out _));
    }

    [Fact]
    public async Task LedgerOfNobody_IsNotFound() => (await account.Api.Get("/v1/accounts/nobody/ledger")).IsProblem(404, "id");

    private static IEnumerable<string> Items(JsonElement page) => page.GetProperty("items").EnumerateArray().Select(i => i.GetRawText());
}
