using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>What Stripe does by itself at a later time: work rolled forward, bank debits that end, invoices that advance.</summary>
internal static class Jobs
{
    /// <summary>A request that was answered with 500 and is done after all.</summary>
    public const string RolledForward = "rolled_forward";

    /// <summary>Hands work in for a time.</summary>
    public static void Add(SandboxState state, DateTimeOffset due, string work, string about, JsonObject? request = null) => state.Put(
        Kinds.Job, state.NewId("job"), new() { ["due"] = due.UtcTicks, ["work"] = work, ["about"] = about, ["request"] = request });

    /// <summary>Does work about an object; what it finds done or overtaken it leaves.</summary>
    public static void Do(StripeCall call, string work, string about)
    {
        switch (work)
        {
            case "settle":
                Payments.SettleDebit(call, about);
                break;
            case "collect":
                Payments.Collect(call, about);
                break;
            case "finalize" when call.State.Find(Kinds.Invoice, about) is { } invoice && invoice.Text("status") == "draft" && invoice.Flag("auto_advance"):
                Invoices.FinalizeDraft(call, invoice);
                Payments.Collect(call, about);
                break;
        }
    }
}
