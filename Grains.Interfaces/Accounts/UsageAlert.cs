using System.Text.Json;
using System.Text.Json.Serialization;
using Billing.Http;
using Orleans;

namespace Billing.Accounts;

/// <summary>A threshold that is told of once in each billing period: a part of an allowance, or an amount.</summary>
/// <param name="Meter">The meter; null for each meter with an allowance, and for an amount.</param>
/// <param name="Percent">Of the meter's allowance of the period, 1 to 1,000; null for an amount.</param>
/// <param name="Amount">What the running period costs, base prices by the month and overage of all products, minor units, above zero; null for a percentage.</param>
[GenerateSerializer, Immutable, Alias("billing.usage-alert"), JsonConverter(typeof(UsageAlertJsonConverter))]
public sealed record UsageAlert([property: Id(0)] string? Meter, [property: Id(1)] int? Percent, [property: Id(2)] long? Amount);

/// <summary>What an account wants to spend at most in a billing period.</summary>
/// <param name="Amount">What the period may cost, base prices by the month and overage of all products, minor units, above zero.</param>
/// <param name="Kind">What happens when it is reached.</param>
[GenerateSerializer, Immutable, Alias("billing.spend-cap")]
public sealed record SpendCap([property: Id(0)] long Amount, [property: Id(1)] SpendCapKind Kind);

/// <summary>What a spend cap does. The numbers are stored: add at the end, reuse none.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SpendCapKind>))]
public enum SpendCapKind
{
    /// <summary>It is told.</summary>
    [JsonStringEnumMemberName("soft")]
    Soft = 1,

    /// <summary>It is told, and the entitlements to all meters are off for the rest of the period. What is used all the same is counted and billed.</summary>
    [JsonStringEnumMemberName("hard")]
    Hard = 2,
}

/// <summary>Reads <c>{"percent":90}</c>, <c>{"meter":"desk.tickets","percent":90}</c>, <c>{"amount":50000}</c>, or a bare number for a percentage.</summary>
public sealed class UsageAlertJsonConverter : JsonConverter<UsageAlert>
{
    /// <inheritdoc/>
    public override UsageAlert Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number) return new(null, Percent(ref reader), null);
        if (reader.TokenType != JsonTokenType.StartObject) throw new UnreadableValueException(null, Wrong);
        string? meter = null;
        int? percent = null;
        long? amount = null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString();
            reader.Read();
            var isNull = reader.TokenType == JsonTokenType.Null;
            switch (name)
            {
                case "meter":
                    if (!isNull) meter = reader.TokenType == JsonTokenType.String ? reader.GetString() : throw new UnreadableValueException("meter", "A meter is named by its id, a text.");
                    break;
                case "percent":
                    if (!isNull) percent = Percent(ref reader);
                    break;
                case "amount":
                    if (!isNull) amount = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var minor) ? minor : throw new UnreadableValueException("amount", "An amount is a whole number of minor units such as 50000, without a point.");
                    break;
                default:
                    throw new UnreadableValueException(name, Wrong, ["meter", "percent", "amount"]);
            }
        }

        return new(meter, percent, amount);
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, UsageAlert value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        if (value.Meter is { } meter) writer.WriteString("meter", meter);
        if (value.Percent is { } percent) writer.WriteNumber("percent", percent);
        if (value.Amount is { } amount) writer.WriteNumber("amount", amount);
        writer.WriteEndObject();
    }

    private const string Wrong = "An alert is a percentage of an allowance, {\"percent\":90} or {\"meter\":\"…\",\"percent\":90}, or an amount in minor units, {\"amount\":50000}.";

    private static int Percent(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var percent) ? percent : throw new UnreadableValueException("percent", "A percentage is a whole number such as 90, without a point.");
}
