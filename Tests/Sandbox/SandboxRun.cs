using System.Text.Json.Nodes;
using Billing.Silo.Sandbox;

namespace Billing.Tests.Sandbox;

/// <summary>A sandbox Stripe on a store in memory, at a time that the test moves.</summary>
internal sealed class SandboxRun
{
    public const string Url = "http://127.0.0.1:9/v1/stripe/webhook";
    public const string Secret = "whsec_of_a_test";

    public SandboxRun(ISandboxStore? store = null, ulong seed = 1)
    {
        Store = store ?? new MemorySandboxStore();
        Stripe = new(Store, seed);
    }

    public ISandboxStore Store { get; }

    public StripeSandbox Stripe { get; }

    public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>What the sandbox holds.</summary>
    public JsonObject Held => (JsonObject)JsonNode.Parse(Stripe.Snapshot())!;

    public SandboxResponse Send(string method, string path, string form = "", string? key = null, string? authorization = "Bearer sk_test_1")
    {
        var (to, query) = path.Split('?') is [var before, var after] ? (before, after) : (path, "");
        return Stripe.Handle(new(method, to, query, authorization, key, null, form), Now);
    }

    /// <summary>Sends a POST that must succeed.</summary>
    public JsonObject Post(string path, string form = "", string? key = null) => Ok(Send("POST", path, form, key));

    /// <summary>Sends a GET that must succeed.</summary>
    public JsonObject Get(string path) => Ok(Send("GET", path));

    /// <summary>Sends a POST that must be refused with the status, and gives the error.</summary>
    public JsonObject Refused(int status, string path, string form = "", string? key = null) => Error(status, Send("POST", path, form, key));

    public static JsonObject Error(int status, SandboxResponse response)
    {
        Assert.True(response.Status == status, $"{response.Status} {response.Body}");
        return (JsonObject)JsonNode.Parse(response.Body)!["error"]!;
    }

    public static JsonObject Ok(SandboxResponse response)
    {
        Assert.True(response.Status == 200, $"{response.Status} {response.Body}");
        return (JsonObject)JsonNode.Parse(response.Body)!;
    }

    /// <summary>A customer who pays with a test payment method.</summary>
    public string Customer(string paymentMethod = "pm_card_visa") =>
        Post("/v1/customers", $"name=Acme&email=a@example.com&payment_method={paymentMethod}&invoice_settings[default_payment_method]={paymentMethod}").Id();

    /// <summary>A draft with a line.</summary>
    public string Draft(string customer, long amount = 1000, string metadata = "one")
    {
        var invoice = Post("/v1/invoices", $"customer={customer}&auto_advance=false&pending_invoice_items_behavior=exclude&metadata[intent]={metadata}").Id();
        Post($"/v1/invoices/{invoice}/add_lines", $"lines[0][amount]={amount}&lines[0][description]=Usage&lines[0][metadata][line]=1");
        return invoice;
    }

    /// <summary>A finalised invoice.</summary>
    public string Open(string customer, long amount = 1000, string metadata = "one")
    {
        var invoice = Draft(customer, amount, metadata);
        Post($"/v1/invoices/{invoice}/finalize");
        return invoice;
    }

    public JsonObject Invoice(string id) => Get($"/v1/invoices/{id}");

    /// <summary>The items of a list.</summary>
    public IReadOnlyList<JsonObject> List(string path) => [.. Get(path)["data"]!.AsArray().Select(i => i!.AsObject())];

    /// <summary>The ids of a list over all its pages.</summary>
    public IReadOnlyList<string> Pages(string path, int limit)
    {
        var ids = new List<string>();
        while (true)
        {
            var after = ids.Count == 0 ? "" : $"&starting_after={ids[^1]}";
            var page = Get($"{path}{(path.Contains('?') ? '&' : '?')}limit={limit}{after}");
            var data = page["data"]!.AsArray();
            Assert.True(data.Count <= limit);
            ids.AddRange(data.Select(i => (string)i!["id"]!));
            if (!(bool)page["has_more"]!) return ids;
        }
    }

    /// <summary>Takes the webhooks that are due now and reports each with the status.</summary>
    public IReadOnlyList<WebhookDelivery> Deliver(int status = 200)
    {
        var taken = Stripe.TakeDue(Now);
        foreach (var delivery in taken) Stripe.Delivered(delivery.Id, status, Now);
        return taken;
    }
}
