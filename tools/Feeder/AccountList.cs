using System.Text.Json;

namespace Billing.Feeder;

/// <summary>An account to be made: the body of <c>POST /v1/accounts</c> as it is sent.</summary>
/// <param name="Id">The account's id, for messages.</param>
/// <param name="Body">The JSON body.</param>
internal sealed record NewAccount(string Id, byte[] Body);

/// <summary>Where the accounts come from: the subjects of the events, or a file of bodies.</summary>
internal static class AccountList
{
    /// <summary>One account per distinct subject, in the order in which they first appear.</summary>
    public static IReadOnlyList<NewAccount> FromEvents(IEnumerable<EventLine> lines, IReadOnlyList<string> plans, string? paymentMethod) =>
        lines.Select(line => line.Subject)
            .OfType<string>()
            .Where(subject => subject.Length > 0)
            .Distinct(StringComparer.Ordinal)
            .Select(subject => Make(subject, plans, paymentMethod))
            .ToList();

    /// <summary>The accounts of a file, one JSON body a line, sent as they stand.</summary>
    /// <exception cref="FeederException">The file cannot be read, or a line is no JSON object with an <c>id</c>.</exception>
    public static IReadOnlyList<NewAccount> FromFile(string path) =>
        LineFile.ReadLines(path).Select(line => Read(path, line.Number, line.Bytes)).ToList();

    private static NewAccount Make(string id, IReadOnlyList<string> plans, string? paymentMethod)
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("name", id);
            json.WriteString("email", $"billing@{id}.example");
            json.WriteStartArray("plans");
            foreach (var plan in plans)
                json.WriteStringValue(plan);

            json.WriteEndArray();
            if (paymentMethod is not null)
                json.WriteString("payment_method", paymentMethod);

            json.WriteEndObject();
        }

        return new(id, body.ToArray());
    }

    private static NewAccount Read(string path, int number, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            if (document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("id", out var id)
                && id.ValueKind == JsonValueKind.String)
            {
                return new(id.GetString()!, bytes.ToArray());
            }
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            throw new FeederException(FeederExit.InputFailed, $"{path}, line {number}: not JSON. Nothing was sent.", unreadable);
        }

        throw new FeederException(
            FeederExit.InputFailed,
            $"{path}, line {number}: an account is a JSON object with an \"id\" that is a string. Nothing was sent.");
    }
}
