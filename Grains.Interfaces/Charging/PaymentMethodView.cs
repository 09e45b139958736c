using System.Text.Json.Serialization;
using Orleans;

namespace Billing.Charging;

/// <summary>The payment method that an account was given last.</summary>
/// <param name="PaymentMethod">Its id as it was given.</param>
/// <param name="State">Whether it can be charged.</param>
/// <param name="Type">Stripe's word: card …; left out before it is attached.</param>
/// <param name="Brand">The card's brand; left out when there is none.</param>
/// <param name="LastFour">The last four digits; left out when there are none.</param>
/// <param name="Code">Stripe's code of why it could not be attached; left out when it could or is still to be.</param>
[GenerateSerializer, Immutable, Alias("billing.payment-method")]
public sealed record PaymentMethodView(
    [property: Id(0)] string PaymentMethod,
    [property: Id(1)] PaymentMethodState State,
    [property: Id(2), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Type,
    [property: Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Brand,
    [property: Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? LastFour,
    [property: Id(5), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Code);

/// <summary>Whether a payment method can be charged. The numbers are part of the wire: add at the end, reuse none.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PaymentMethodState>))]
public enum PaymentMethodState
{
    /// <summary>It is still to be attached to the customer at Stripe.</summary>
    [JsonStringEnumMemberName("attaching")]
    Attaching = 1,

    /// <summary>It is the customer's and is charged.</summary>
    [JsonStringEnumMemberName("attached")]
    Attached = 2,

    /// <summary>Stripe declined or refused it.</summary>
    [JsonStringEnumMemberName("refused")]
    Refused = 3,
}

/// <summary>The payment method of an account, or why there is none to show.</summary>
/// <param name="Refusal">Set when there is nothing to show.</param>
/// <param name="Method">The payment method; null when none was given.</param>
[GenerateSerializer, Immutable, Alias("billing.payment-method-answer")]
public sealed record PaymentMethodAnswer([property: Id(0)] Refusal? Refusal, [property: Id(1)] PaymentMethodView? Method);
