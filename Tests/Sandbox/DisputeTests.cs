using System.Text.Json.Nodes;
using Billing.Silo.Sandbox;

namespace Billing.Tests.Sandbox;

/// <summary>What becomes of disputes: won, lost, given up, asked about first.</summary>
public sealed class DisputeTests
{
    private readonly SandboxRun _run = new();

    [Fact]
    public void WinningEvidence_GivesTheMoneyBack()
    {
        var dispute = Disputed();
        Assert.Equal((1000L, -1000L, "needs_response"), (dispute.Number("amount"), Moved(dispute), dispute.Text("status")));

        var won = _run.Post($"/v1/disputes/{dispute.Id()}", "evidence[uncategorized_text]=winning_evidence&evidence[customer_name]=Acme");

        Assert.Equal(("won", 0L, "Acme"), (won.Text("status"), Moved(won), (string)won["evidence"]!["customer_name"]!));
        Assert.Equal((true, 1L), ((bool)won["evidence_details"]!["has_evidence"]!, (long)won["evidence_details"]!["submission_count"]!));
        Assert.Equal(won.ToJsonString(), _run.Get($"/v1/disputes/{dispute.Id()}").ToJsonString());
        Assert.Equal(["created", "funds_withdrawn", "updated", "funds_reinstated", "closed"], Told());
        _run.Refused(400, $"/v1/disputes/{dispute.Id()}", "evidence[uncategorized_text]=more");
    }

    [Theory]
    [InlineData("", "evidence[uncategorized_text]=losing_evidence")]
    [InlineData("/close", "")]
    public void LosingEvidenceOrNone_LeavesTheMoneyGone(string path, string form)
    {
        var dispute = Disputed();

        var lost = _run.Post($"/v1/disputes/{dispute.Id()}{path}", form);

        Assert.Equal(("lost", -1000L), (lost.Text("status"), Moved(lost)));
        Assert.Equal("closed", Told()[^1]);
        _run.Refused(400, $"/v1/disputes/{dispute.Id()}/close");
    }

    [Fact]
    public void EvidenceThatIsKeptBack_IsHandedInLater()
    {
        var dispute = Disputed();

        var kept = _run.Post($"/v1/disputes/{dispute.Id()}", "evidence[uncategorized_text]=winning_evidence&submit=false");
        var won = _run.Post($"/v1/disputes/{dispute.Id()}", "submit=true");

        Assert.Equal(("needs_response", "won"), (kept.Text("status"), won.Text("status")));
    }

    [Fact]
    public void OtherEvidence_LeavesItUnderReview() =>
        Assert.Equal("under_review", _run.Post($"/v1/disputes/{Disputed().Id()}", "evidence[product_description]=A desk").Text("status"));

    [Fact]
    public void AnInquiry_TakesNothingAndTheChargeCanBeRefunded()
    {
        var dispute = Disputed("pm_card_createDisputeInquiry");
        Assert.Equal(("warning_needs_response", 0L, true), (dispute.Text("status"), Moved(dispute), dispute.Flag("is_charge_refundable")));

        var refund = _run.Post("/v1/refunds", $"charge={dispute.Text("charge")}&amount=400");
        var closed = _run.Post($"/v1/disputes/{dispute.Id()}", "evidence[uncategorized_text]=winning_evidence");

        Assert.Equal((400L, "warning_closed", 0L), (refund.Number("amount"), closed.Text("status"), Moved(closed)));
        Assert.Equal(["created", "updated", "closed"], Told());
    }

    [Fact]
    public void UnknownEvidence_IsRefused() =>
        Assert.Equal("parameter_unknown", _run.Refused(400, $"/v1/disputes/{Disputed().Id()}", "evidence[mood]=good").Text("code"));

    private JsonObject Disputed(string paymentMethod = "pm_card_createDispute")
    {
        _run.Post($"/v1/invoices/{_run.Open(_run.Customer(paymentMethod))}/pay");
        return _run.List($"/v1/disputes?charge={_run.List("/v1/charges").Single().Id()}").Single();
    }

    private static long Moved(JsonObject dispute) => dispute["balance_transactions"]!.AsArray().Sum(t => (long)t!["amount"]!);

    // The events about disputes, the oldest first.
    private List<string> Told() => [.. _run.List("/v1/events?limit=100").Select(e => e.Text("type")).Where(t => t.StartsWith("charge.dispute.", StringComparison.Ordinal)).Select(t => t["charge.dispute.".Length..]).Reverse()];
}
