using System.Text.Json;
using System.Text.Json.Nodes;
using Billing.Silo.Sandbox;

namespace Billing.Tests.Sandbox;

/// <summary>Each object has every field of Stripe's own sample of it, with the same type of value.</summary>
public sealed class ObjectsTests
{
    /// <summary>Fields that Stripe fills in its sample and that are null here, because the sandbox has none of what they tell.</summary>
    private static readonly HashSet<string> NullHere = new(StringComparer.Ordinal)
    {
        "charge.payment_method_details.card.installments", "charge.payment_method_details.card.three_d_secure", "charge.payment_method_details.card.wallet",
        "charge.shipping", "charge.source", "charge.transfer_data",
        "balance_transaction.description", "charge.billing_details.name", "credit_note.shipping_cost", "credit_note.voided_at", "credit_note.refunds.payment_record_refund",
        "customer.discount", "customer.shipping",
        "invoice.automatic_tax.liability", "invoice.customer_shipping", "invoice.due_date", "invoice.from_invoice",
        "invoice.last_finalization_error", "invoice.next_payment_attempt", "invoice.parent", "invoice.payment_settings.payment_method_options",
        "invoice.shipping_cost", "invoice.shipping_details", "invoice.lines.data.parent.subscription_item_details",
        "invoice.lines.data.parent.invoice_item_details.proration_details.credited_items",
        "invoiceitem.parent", "line_item.parent.subscription_item_details", "line_item.parent.invoice_item_details.proration_details.credited_items",
        "payment_intent.automatic_payment_methods", "payment_intent.canceled_at", "payment_intent.last_payment_error", "payment_intent.managed_payments",
        "payment_intent.next_action", "payment_intent.payment_method_configuration_details", "payment_intent.processing", "payment_intent.shipping",
        "payment_intent.transfer_data", "payment_method.card.generated_from", "payment_method.card.wallet", "payment_method.billing_details.address.city",
        "payment_method.billing_details.address.country", "payment_method.billing_details.address.line1", "payment_method.billing_details.address.postal_code",
        "payment_method.billing_details.address.state", "payment_method.billing_details.email", "payment_method.billing_details.phone", "customer.invoice_settings.rendering_options",
    };

    private static readonly JsonObject Fixtures =
        JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Sandbox", "stripe-fixtures.json")))!["resources"]!.AsObject();

    public static TheoryData<string> KindsOfObjects => [.. Fixtures.Select(f => f.Key)];

    [Theory]
    [MemberData(nameof(KindsOfObjects))]
    public void Object_HasEveryFieldOfStripesSample(string kind)
    {
        var wrong = new List<string>();

        Compare(kind, Fixtures[kind]!.AsObject(), Made(kind), wrong);

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void FieldsThatMayBeNull_AreNullIndeed()
    {
        var found = new List<string>();
        foreach (var (kind, sample) in Fixtures) FindNull(kind, sample!.AsObject(), Made(kind), found);

        Assert.Equal([], NullHere.Except(found));
    }

    [Theory]
    [MemberData(nameof(KindsOfObjects))]
    public void Object_ShowsNothingOfTheSandboxsOwn(string kind) => Assert.All(Made(kind), m => Assert.False(m.Key.StartsWith('_'), m.Key));

    [Fact]
    public void List_AndError_HaveStripesShape()
    {
        var run = new SandboxRun();
        run.Customer();

        var list = run.Get("/v1/customers");
        var error = run.Refused(404, "/v1/customers/cus_none");

        Assert.Equal(["object", "data", "has_more", "url"], list.Select(m => m.Key));
        Assert.Equal(("list", "/v1/customers"), ((string)list["object"]!, (string)list["url"]!));
        Assert.Equal("resource_missing", (string)error["code"]!);
        Assert.Equal("invalid_request_error", (string)error["type"]!);
        Assert.Contains("cus_none", (string)error["message"]!, StringComparison.Ordinal);
    }

    // One object of each kind as the API shows it.
    private static JsonObject Made(string kind)
    {
        var run = new SandboxRun();
        run.Stripe.RegisterWebhook(SandboxRun.Url, SandboxRun.Secret, run.Now);
        var customer = run.Customer(kind == "dispute" ? "pm_card_createDispute" : "pm_card_visa");
        run.Post($"/v1/customers/{customer}", "address[city]=Berlin&address[country]=DE");
        if (kind == "customer_balance_transaction") run.Post($"/v1/customers/{customer}/balance_transactions", "amount=-500&currency=usd");
        var invoice = run.Open(customer);
        if (kind is not ("invoice" or "payment_intent")) run.Post($"/v1/invoices/{invoice}/pay");
        if (kind == "webhook_endpoint") run.Post($"/v1/webhook_endpoints/{StripeSandbox.OwnEndpoint}", "description=Ours");
        if (kind == "charge") run.Post($"/v1/charges/{run.List("/v1/charges")[0].Id()}", "description=First");
        if (kind == "refund") run.Post("/v1/refunds", $"charge={run.List("/v1/charges")[0].Id()}&amount=300");
        if (kind == "credit_note")
        {
            var line = run.List($"/v1/invoices/{invoice}/lines")[0].Id();
            run.Post("/v1/credit_notes", $"invoice={invoice}&refund_amount=500&lines[0][type]=invoice_line_item&lines[0][invoice_line_item]={line}&lines[0][amount]=500");
        }

        var list = kind switch
        {
            "line_item" => $"/v1/invoices/{invoice}/lines",
            "payment_method" => $"/v1/payment_methods?customer={customer}",
            "customer_balance_transaction" => $"/v1/customers/{customer}/balance_transactions",
            _ => $"/v1/{kind}s",
        };
        return run.List(list)[0].Copy();
    }

    private static void Compare(string path, JsonObject sample, JsonObject made, List<string> wrong)
    {
        foreach (var (name, value) in sample)
        {
            var where = $"{path}.{name}";
            // Free-form: what is in metadata, and the object of an event, are not of the kind.
            if (!made.TryGetPropertyValue(name, out var ours)) wrong.Add($"{where} is missing");
            else if (value is null || where is "event.data" or "payment_method.metadata") continue;
            else if (ours is null) wrong.AddRange(NullHere.Contains(where) ? [] : [$"{where} is null, and Stripe has {value.ToJsonString()}"]);
            else if (ours.GetValueKind() != value.GetValueKind() && !(IsFlag(ours) && IsFlag(value))) wrong.Add($"{where} is {ours.GetValueKind()}, and Stripe has {value.GetValueKind()}");
            else if (value is JsonObject inner && IsFixed(where)) Compare(where, inner, ours.AsObject(), wrong);
            else if (value is JsonArray { Count: > 0 } list && list[0] is JsonObject item && ours.AsArray() is { Count: > 0 } oursList) Compare(where, item, oursList[0]!.AsObject(), wrong);
        }
    }

    private static void FindNull(string path, JsonObject sample, JsonObject made, List<string> found)
    {
        foreach (var (name, value) in sample)
        {
            var where = $"{path}.{name}";
            if (value is null || !made.TryGetPropertyValue(name, out var ours)) continue;
            if (ours is null) found.Add(where);
            else if (value is JsonObject inner && ours is JsonObject oursInner) FindNull(where, inner, oursInner, found);
            else if (value is JsonArray { Count: > 0 } list && list[0] is JsonObject item && ours is JsonArray { Count: > 0 } oursList && oursList[0] is JsonObject oursItem) FindNull(where, item, oursItem, found);
        }
    }

    private static bool IsFlag(JsonNode node) => node.GetValueKind() is JsonValueKind.True or JsonValueKind.False;

    private static bool IsFixed(string where) => !where.EndsWith(".metadata", StringComparison.Ordinal) && where != "dispute.evidence_details.enhanced_eligibility";
}
