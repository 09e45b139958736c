using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>An error of the API: its status and the <c>error</c> object.</summary>
internal sealed class StripeRefusal(int status, string type, string message, string? code = null, string? param = null) : Exception(message)
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>Whether the method had begun. An answer from before is not saved under the idempotency key.</summary>
    public bool Began { get; init; } = true;

    /// <summary>Whether what the method did so far stays, as a declined charge does.</summary>
    public bool KeepsChanges { get; init; }

    /// <summary>More members of the error, such as <c>decline_code</c>.</summary>
    public JsonObject Details { get; init; } = [];

    /// <summary>The <c>error</c> object in its envelope.</summary>
    public JsonObject ToJson(string requestId)
    {
        var error = new JsonObject();
        if (code is not null)
        {
            error["code"] = code;
            error["doc_url"] = $"https://stripe.com/docs/error-codes/{code.Replace('_', '-')}";
        }

        error["message"] = Message;
        if (param is not null) error["param"] = param;
        error["request_log_url"] = $"https://dashboard.stripe.com/test/logs/{requestId}";
        error["type"] = type;
        foreach (var (name, value) in Details) error[name] = value?.DeepClone();
        return new JsonObject { ["error"] = error };
    }

    /// <summary>A request that the method refuses.</summary>
    public static StripeRefusal Invalid(string message, string? param = null, string? code = null) => new(400, "invalid_request_error", message, code, param);

    /// <summary>A parameter that is wrong by itself; the method did not begin.</summary>
    public static StripeRefusal WrongParameter(string message, string param, string? code = null) =>
        new(400, "invalid_request_error", message, code, param) { Began = false };

    /// <summary>An object that is not there.</summary>
    public static StripeRefusal Missing(string kind, string id, string param, int status = 404) =>
        new(status, "invalid_request_error", $"No such {kind}: '{id}'", "resource_missing", param);
}
