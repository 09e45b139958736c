namespace Billing.Silo.Stripe;

/// <summary>The path of a request, and the same without the id in it, for logs.</summary>
internal readonly struct StripePath
{
    private const string Place = "{id}";
    private const int IdLengthMax = 255;

    private StripePath(string template, string path)
    {
        Template = template;
        Path = path;
    }

    /// <summary>The path with <c>{id}</c> where the id stands.</summary>
    public string Template { get; }

    /// <summary>The path as it is sent.</summary>
    public string Path { get; }

    /// <summary>A path that has no id.</summary>
    public static implicit operator StripePath(string path) => new(path, path);

    /// <summary>A path with an id.</summary>
    /// <param name="template">The path, with <c>{id}</c> in it once.</param>
    /// <param name="id">The id.</param>
    /// <exception cref="ArgumentException">The id is none; see <see cref="IsId"/>.</exception>
    public static StripePath Of(string template, string id) =>
        IsId(id) ? new(template, template.Replace(Place, id, StringComparison.Ordinal)) : throw new ArgumentException($"What is to stand in {template} is no id of Stripe's.", nameof(id));

    /// <summary>Whether a text can be an id of Stripe's: 1 to 255 letters, digits, underscores and hyphens. No other text gets into a path.</summary>
    public static bool IsId(string text) => text.Length is >= 1 and <= IdLengthMax && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    /// <summary>The path without its id.</summary>
    public override string ToString() => Template;
}

/// <summary>Stripe's paths, as far as they are used.</summary>
internal static class StripePaths
{
    public const string Charges = "/v1/charges";
    public const string CreditNotes = "/v1/credit_notes";
    public const string Customers = "/v1/customers";
    public const string Disputes = "/v1/disputes";
    public const string Events = "/v1/events";
    public const string InvoicePayments = "/v1/invoice_payments";
    public const string Invoices = "/v1/invoices";
    public const string PaymentIntents = "/v1/payment_intents";
    public const string PaymentMethods = "/v1/payment_methods";
    public const string Refunds = "/v1/refunds";

    public static StripePath Charge(string id) => StripePath.Of("/v1/charges/{id}", id);

    public static StripePath CreditNote(string id) => StripePath.Of("/v1/credit_notes/{id}", id);

    public static StripePath Customer(string id) => StripePath.Of("/v1/customers/{id}", id);

    /// <summary>What changed the customer's balance.</summary>
    public static StripePath CustomerBalance(string customer) => StripePath.Of("/v1/customers/{id}/balance_transactions", customer);

    public static StripePath Dispute(string id) => StripePath.Of("/v1/disputes/{id}", id);

    public static StripePath Event(string id) => StripePath.Of("/v1/events/{id}", id);

    public static StripePath Invoice(string id) => StripePath.Of("/v1/invoices/{id}", id);

    public static StripePath InvoiceLines(string invoice) => StripePath.Of("/v1/invoices/{id}/lines", invoice);

    public static StripePath AddLines(string invoice) => StripePath.Of("/v1/invoices/{id}/add_lines", invoice);

    public static StripePath Finalize(string invoice) => StripePath.Of("/v1/invoices/{id}/finalize", invoice);

    public static StripePath Pay(string invoice) => StripePath.Of("/v1/invoices/{id}/pay", invoice);

    public static StripePath Void(string invoice) => StripePath.Of("/v1/invoices/{id}/void", invoice);

    public static StripePath InvoicePayment(string id) => StripePath.Of("/v1/invoice_payments/{id}", id);

    public static StripePath PaymentIntent(string id) => StripePath.Of("/v1/payment_intents/{id}", id);

    public static StripePath PaymentMethod(string id) => StripePath.Of("/v1/payment_methods/{id}", id);

    public static StripePath Attach(string paymentMethod) => StripePath.Of("/v1/payment_methods/{id}/attach", paymentMethod);

    public static StripePath Detach(string paymentMethod) => StripePath.Of("/v1/payment_methods/{id}/detach", paymentMethod);

    public static StripePath Refund(string id) => StripePath.Of("/v1/refunds/{id}", id);
}
