using System.Net;
using System.Text;
using Billing.Charging;
using Billing.Silo.Stripe;
using Microsoft.Extensions.Logging.Abstractions;

namespace Billing.Tests.Charging;

/// <summary>How much of a refund or a dispute has left us, by what Stripe shows.</summary>
public sealed class ReversalReadersTests
{
    private const string Taken = """{"amount":-2500,"currency":"usd"}""";
    private const string Given = """{"amount":2500,"currency":"usd"}""";

    [Theory]
    [InlineData("succeeded", 700)]
    [InlineData("pending", 700)]
    [InlineData("requires_action", 700)]
    [InlineData("failed", 0)]
    [InlineData("canceled", 0)]
    public async Task ARefund_IsGoneUnlessItFailed(string status, long taken)
    {
        var read = await Read(refunds: $$"""{"id":"re_1","object":"refund","amount":700,"currency":"usd","reason":null,"status":"{{status}}"}""");

        Assert.Equal(new StripeReversal(ReversalKind.Refund, "re_1", 700, "USD", null, status, taken), Assert.Single(read.Reversals!.Value));
    }

    // The transactions of a balance in another currency tell whether it is taken, not how much.
    [Theory]
    [InlineData("", 0)]
    [InlineData(Taken, 2_500)]
    [InlineData(Taken + "," + Given, 0)]
    [InlineData("""{"amount":-900,"currency":"usd"}""", 900)]
    [InlineData("""{"amount":-2600,"currency":"usd"}""", 2_500)]
    [InlineData("""{"amount":-2300,"currency":"eur"}""", 2_500)]
    [InlineData("""{"amount":-2300,"currency":"eur"},{"amount":2310,"currency":"eur"}""", 0)]
    public async Task ADispute_IsGoneAsFarAsItsTransactionsSay(string transactions, long taken)
    {
        var read = await Read(disputes: $$"""{"id":"dp_1","object":"dispute","amount":2500,"currency":"usd","reason":"fraudulent","status":"lost","balance_transactions":[{{transactions}}]}""");

        Assert.Equal(new StripeReversal(ReversalKind.Dispute, "dp_1", 2_500, "USD", "fraudulent", "lost", taken), Assert.Single(read.Reversals!.Value));
    }

    [Theory]
    [InlineData("/v1/invoice_payments")]
    [InlineData("/v1/refunds")]
    [InlineData("/v1/disputes")]
    public async Task APartThatCannotBeRead_LeavesTheWholeNotDone(string broken)
    {
        var read = await Read(refunds: """{"id":"re_1","object":"refund","amount":700,"currency":"usd","status":"succeeded"}""", broken: broken);

        Assert.Equal((StripeOutcome.NotDone, true), (read.Outcome, read.Reversals is null));
    }

    [Fact]
    public async Task WhatIsNotAsStripeWritesIt_IsNotDone() =>
        Assert.Equal(StripeOutcome.NotDone, (await Read(refunds: """{"id":"re_1","object":"refund","amount":"700","currency":"usd","status":"succeeded"}""")).Outcome);

    private static async Task<StripeAnswer> Read(string refunds = "", string disputes = "", string? broken = null)
    {
        var scripted = new Scripted(new(StringComparer.Ordinal)
        {
            ["/v1/invoice_payments"] = """{"id":"inpay_1","object":"invoice_payment","invoice":"in_1","payment":{"type":"payment_intent","payment_intent":"pi_1"}}""",
            ["/v1/refunds"] = refunds,
            ["/v1/disputes"] = disputes,
        }, broken);
        using var client = new StripeClient(new() { SecretKey = "sk_test_sandbox", BaseAddress = new("http://127.0.0.1:9") }, scripted, TimeProvider.System, NullLogger<StripeClient>.Instance);
        return await new StripeCalls(client).CarryOut(
            new(7, StripeCallKind.ReadReversals, null, "a", "a/1/1", "cus_1", "in_1", 1, null, null, null, null, []), CancellationToken.None);
    }

    // Lists by their path, and an error of Stripe's own on one of them.
    private sealed class Scripted(Dictionary<string, string> lists, string? broken) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var path = request.RequestUri!.AbsolutePath;
            var body = path == broken ? """{"error":{"type":"api_error"}}""" : $$"""{"object":"list","data":[{{lists[path]}}],"has_more":false,"url":"{{path}}"}""";
            return Task.FromResult(new HttpResponseMessage(path == broken ? HttpStatusCode.InternalServerError : HttpStatusCode.OK) { Content = new StringContent(body, Encoding.UTF8, "application/json") });
        }
    }
}
