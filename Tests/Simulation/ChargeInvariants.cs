using System.Text.Json;
using System.Text.Json.Nodes;
using Billing.Accounts;
using Billing.Charging;
using Billing.Invoices;
using Billing.Ledger;

namespace Billing.Tests.Simulation;

/// <summary>What must hold of the money, read from Stripe's side and never from our own.</summary>
internal sealed class ChargeInvariants
{
    private readonly JsonNode _stripe;

    public ChargeInvariants(SimulatedStripe stripe) => _stripe = JsonNode.Parse(stripe.Sandbox.Snapshot())!;

    /// <summary>I3, I4 and I8 for one account at rest.</summary>
    public void Check(World world, AccountState state)
    {
        var charges = state.Charging.Charges;
        foreach (var invoice in state.Invoices.Where(i => i.Status == InvoiceStatus.Finalized))
            Invariants.Holds(charges.Count(c => c.Invoice == invoice.Number && c.Amount == invoice.Total) == 1, "I3", $"invoice {invoice.Number} of {state.Id} has not one charge of {invoice.Total}");

        var succeeded = Of(state.Id, "charges").Where(c => Text(c, "status") == "succeeded").ToList();
        foreach (var group in succeeded.GroupBy(c => Text(c["metadata"]!, "intent")))
        {
            Invariants.Holds(group.Count() == 1, "I3", $"{group.Key} was charged {group.Count()} times");
            var charge = state.Charging.Find(group.Key);
            Invariants.Holds(charge is not null, "I3", $"{group.Key} was charged and no intent says so");
            Invariants.Holds(
                (long)group.Single()["amount"]! == charge!.Amount && Text(group.Single(), "currency") == "usd",
                "I3", $"{group.Key} was charged {group.Single()["amount"]} and asks for {charge.Amount}");
        }

        var settled = charges.Where(c => c.State == ChargeState.Settled).Sum(c => c.Amount);
        var charged = succeeded.Sum(c => (long)c["amount"]!);
        Invariants.Holds(settled == charged, "I3", $"{state.Id} has settled {settled}, Stripe has charged {charged}");
        foreach (var charge in charges)
        {
            Invariants.Holds(charge.State is ChargeState.Settled or ChargeState.Parked, "I8", $"{charge.Intent} is {charge.State} ({charge.Step}, next {charge.NextAt}): {charge.Question?.Why}");
            world.Trace.Count($"charge {charge.State}");
            if (charge.Attempts.Length > 1) world.Trace.Count("charge tried more than once");
        }

        var balances = LedgerEntries.Balances(LedgerEntries.Of(state));
        Invariants.Holds(balances.Cash == charged, "I4", $"the ledger of {state.Id} has {balances.Cash} in cash, Stripe has charged {charged}");
    }

    private IEnumerable<JsonNode> Of(string account, string kind) =>
        _stripe[kind]!.AsArray().Where(o => o!["metadata"]?["account"] is JsonValue value && value.GetValue<string>() == account)!;

    private static string Text(JsonNode node, string name) => node[name]?.GetValueKind() == JsonValueKind.String ? node[name]!.GetValue<string>() : "";
}
