using System.Text.Json;
using System.Text.Json.Nodes;
using Billing.Accounts;
using Billing.Charging;
using Billing.Invoices;
using Billing.Journal;
using Billing.Ledger;

namespace Billing.Tests.Simulation;

/// <summary>What must hold of the money, read from Stripe's side and never from our own.</summary>
internal sealed class ChargeInvariants
{
    // What waits for a person though Stripe did nothing wrong: the invoice itself is out of the ordinary.
    private static readonly ParkReason?[] CircuitBreakers = [ParkReason.UnusualTotal, ParkReason.TooManyInvoices, ParkReason.AccountHeld];

    private readonly JsonNode _stripe;
    private readonly bool _countsRequests;

    /// <summary>Reads what Stripe holds.</summary>
    /// <param name="stripe">The Stripe of the run.</param>
    /// <param name="fault">A planted fault that sends under other keys has to be found by what it does to the money, not by its keys.</param>
    public ChargeInvariants(SimulatedStripe stripe, PlantedFault fault)
    {
        _stripe = JsonNode.Parse(stripe.Sandbox.Snapshot())!;
        _countsRequests = fault is PlantedFault.None or PlantedFault.SentBeforeDurable;
    }

    /// <summary>I3, I4 and I8 for one account at rest.</summary>
    public void Check(World world, AccountState state, JournalTail tail)
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

        foreach (var charge in charges) IsAtItsEnd(world, state, charge, tail);
        Invariants.Holds(
            state.Status is not (AccountStatus.PastDue or AccountStatus.Suspended) || charges.Any(c => !c.IsOver),
            "I8", $"{state.Id} is {state.Status} and owes nothing:\n{string.Join('\n', FactsOf(state.Id, "", tail))}");
        var settled = charges.Where(c => c.State == ChargeState.Settled).Sum(c => c.Amount);
        var charged = succeeded.Sum(c => (long)c["amount"]!);
        Invariants.Holds(settled == charged, "I3", $"{state.Id} has settled {settled}, Stripe has charged {charged}");
        Invariants.Holds(
            _stripe["customers"]!.AsArray().Count(c => Text(c!["metadata"]!, "account") == state.Id) == (charges.IsEmpty && state.Charging.Customer is null ? 0 : 1),
            "I3", $"{state.Id} has not one customer at Stripe");
        var balances = LedgerEntries.Balances(LedgerEntries.Of(state));
        Invariants.Holds(balances.Cash == charged, "I4", $"the ledger of {state.Id} has {balances.Cash} in cash, Stripe has charged {charged}");
        if (_countsRequests) IsSentAsOftenAsNoted(world, state.Id, tail);
    }

    /// <summary>I3: what waits here for another payment method, or for a person, is not paid at Stripe.</summary>
    public void CheckUnsettled(AccountState state)
    {
        foreach (var charge in state.Charging.Charges.Where(c => !c.IsOver && c.NextAt is null))
            Invariants.Holds(
                !Of(state.Id, "invoices").Any(i => Text(i["metadata"]!, "intent") == charge.Intent && Text(i, "status") == "paid"),
                "I3", $"{charge.Intent} is {charge.State} since {charge.DeclinedAt} and paid at Stripe, and nobody looks: attempts [{string.Join(", ", charge.Attempts)}]");
    }

    private void IsAtItsEnd(World world, AccountState state, Charge charge, JournalTail tail)
    {
        try
        {
            IsTriedAsOftenAsAtStripe(state.Id, charge);
            Invariants.Holds(
                charge.State is ChargeState.Settled or ChargeState.Parked || (charge.State is ChargeState.Declined or ChargeState.Requested && state.Charging.Held),
                "I8", $"{charge.Intent} is {charge.State} ({charge.Step}, next {charge.NextAt}, declined {charge.FirstDeclinedAt} to {charge.DeclinedAt}): {charge.Question?.Why}");
            Invariants.Holds(charge.Parked is null || CircuitBreakers.Contains(charge.Parked), "I8", $"{charge.Intent} is parked, {charge.Parked}: {charge.Evidence}");
            IsOneInvoiceAtStripe(state, charge);
        }
        catch (SimulationException broken)
        {
            throw new SimulationException($"{broken.Message}\n{string.Join('\n', FactsOf(state.Id, charge.Intent, tail))}", broken);
        }

        world.Trace.Count($"charge {charge.State}");
        if (charge.Parked is { } reason) world.Trace.Count($"charge parked {reason}");
        if (charge.Attempts.Length > 1) world.Trace.Count("charge tried more than once");
    }

    // What the journal says of a charge, and the requests about it, as far as they name it.
    private List<string> FactsOf(string account, string intent, JournalTail tail)
    {
        var story = new List<string>();
        var calls = new HashSet<long>();
        foreach (var entry in tail.Entries)
        {
            var reader = new FactReader(entry.Span);
            while (reader.TryRead(out var kind, out var content))
            {
                if (kind != FactKind.Json) continue;
                var fact = FactReader.ReadJson(content);
                if (fact is AccountFact.StripeCallSent { Intent: var about, N: var n } && about == intent) calls.Add(n);
                var text = fact.ToString();
                if (text.Contains($"Intent = {intent},", StringComparison.Ordinal) || (fact is AccountFact.StripeCallEnded ended && calls.Contains(ended.N))
                    || fact is AccountFact.PaymentMethodAttached or AccountFact.PaymentMethodGiven or AccountFact.PaymentMethodRefused or AccountFact.AccountSuspended or AccountFact.AccountReactivated or AccountFact.AccountPastDue or AccountFact.PeriodsPaused)
                    story.Add(text);
            }
        }

        foreach (var charge in Of(account, "charges").Where(c => Text(c["metadata"]!, "intent") == intent)) story.Add($"Stripe has {charge.ToJsonString()}");
        foreach (var request in _stripe["requests"]!.AsArray().Where(r => Text(r!, "idempotency_key").StartsWith($"{intent}/", StringComparison.Ordinal))) story.Add($"Stripe was sent {request!.ToJsonString()}");
        return story;
    }

    // What our attempts say of a charge is not more than the bank did, and what is not settled here is not paid there.
    private void IsTriedAsOftenAsAtStripe(string account, Charge charge)
    {
        var atStripe = Of(account, "charges").Where(c => Text(c["metadata"]!, "intent") == charge.Intent).ToLookup(c => Text(c, "status"));
        var (done, declined) = (charge.Attempts.Count(a => a.Outcome == StripeOutcome.Done), charge.Attempts.Count(a => a.Outcome == StripeOutcome.Declined && a.Code != Dunning.RequiresAction));
        Invariants.Holds(charge.State == ChargeState.Settled || !atStripe["succeeded"].Any(), "I3", $"{charge.Intent} is {charge.State} and paid at Stripe");
        Invariants.Holds(done <= atStripe["succeeded"].Count(), "I3", $"{done} attempts of {charge.Intent} are done, Stripe was paid {atStripe["succeeded"].Count()} times");
        Invariants.Holds(declined <= atStripe["failed"].Count(), "I3", $"{declined} attempts of {charge.Intent} are declined, at Stripe {atStripe["failed"].Count()} failed");
    }

    // A charge that settled has one invoice, paid, with its lines; one that waits for a person has none: nothing of it was sent.
    private void IsOneInvoiceAtStripe(AccountState state, Charge charge)
    {
        var invoices = Of(state.Id, "invoices").Where(i => Text(i["metadata"]!, "intent") == charge.Intent).ToList();
        if (charge.State == ChargeState.Declined) return;
        if (charge.State is ChargeState.Parked or ChargeState.Requested)
        {
            Invariants.Holds(invoices.Count == 0, "I3", $"{charge.Intent} is {charge.State}, {charge.Parked}, and Stripe has {invoices.Count} invoices of it");
            return;
        }

        Invariants.Holds(
            invoices.Count == 1 && Text(invoices[0], "status") == "paid" && (long)invoices[0]["amount_paid"]! == charge.Amount && Text(invoices[0], "id") == charge.StripeInvoice,
            "I3", $"{charge.Intent} is {charge.State} as {charge.StripeInvoice}, and Stripe has [{string.Join(", ", invoices.Select(i => $"{Text(i, "id")} {Text(i, "status")}, {i["amount_paid"]} paid"))}]");
        var asked = ChargeLines.Of(state.Invoices[charge.Invoice - 1], null).Select(l => ($"{l.N}", l.Amount)).Order();
        var lines = invoices[0]["lines"]!["data"]!.AsArray().Select(l => (Text(l!["metadata"]!, "line"), (long)l["amount"]!)).Order().ToList();
        Invariants.Holds(asked.SequenceEqual(lines), "I3", $"{charge.Intent} asks for [{string.Join(", ", asked)}], Stripe has [{string.Join(", ", lines)}]");
    }

    // Nothing goes out that was not noted before, and what was noted goes out once.
    private void IsSentAsOftenAsNoted(World world, string account, JournalTail tail)
    {
        var noted = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in tail.Entries)
        {
            var reader = new FactReader(entry.Span);
            while (reader.TryRead(out var kind, out var content))
            {
                if (kind != FactKind.Json || FactReader.ReadJson(content) is not AccountFact.StripeCallSent sent) continue;
                if (sent.Key is { } key) noted[key] = noted.GetValueOrDefault(key) + 1;
                if (sent.Kind == StripeCallKind.FindInvoices) world.Trace.Count("charge looked up");
            }
        }

        var requests = _stripe["requests"]!.AsArray().Select(r => Text(r!, "idempotency_key")).Where(k => k.StartsWith($"{account}/", StringComparison.Ordinal));
        foreach (var key in requests.GroupBy(k => k))
            Invariants.Holds(key.Count() <= noted.GetValueOrDefault(key.Key), "I3", $"Stripe was sent {key.Key} {key.Count()} times, the journal says {noted.GetValueOrDefault(key.Key)}");
    }

    private IEnumerable<JsonNode> Of(string account, string kind) =>
        _stripe[kind]!.AsArray().Where(o => o!["metadata"]?["account"] is JsonValue value && value.GetValue<string>() == account)!;

    private static string Text(JsonNode node, string name) => node[name]?.GetValueKind() == JsonValueKind.String ? node[name]!.GetValue<string>() : "";
}
