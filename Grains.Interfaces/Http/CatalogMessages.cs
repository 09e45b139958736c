using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Billing.Http;

/// <summary>Whether a catalogue version can still change.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CatalogStatus>))]
public enum CatalogStatus
{
    /// <summary>Nobody is on it; it can be replaced until it is published.</summary>
    [JsonStringEnumMemberName("draft")]
    Draft = 1,

    /// <summary>It never changes. The one published last is what new subscriptions get.</summary>
    [JsonStringEnumMemberName("published")]
    Published = 2,
}

/// <summary>A catalogue version in lists.</summary>
/// <param name="Version">The version.</param>
/// <param name="PublishedAt">When it was published, by the billing clock; left out for a draft.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Plans">Its plans.</param>
/// <param name="Status">Whether it is a draft.</param>
/// <param name="DraftedAt">When the draft was handed in, by the billing clock; left out when it is published.</param>
public sealed record CatalogSummary(
    string Version,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? PublishedAt,
    string Currency,
    ImmutableArray<string> Plans,
    CatalogStatus Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? DraftedAt);

/// <summary>A page of catalogue versions.</summary>
/// <param name="Items">The published versions, the oldest first, then drafts by version.</param>
/// <param name="Next">The cursor of the next page; left out on the last.</param>
public sealed record CatalogList(
    ImmutableArray<CatalogSummary> Items, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next);

/// <summary>A catalogue version with all that is in it.</summary>
/// <param name="Version">The version.</param>
/// <param name="PublishedAt">When it was published, by the billing clock; left out for a draft.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Plans">Its plans.</param>
/// <param name="Status">Whether it is a draft.</param>
/// <param name="DraftedAt">When the draft was handed in, by the billing clock; left out when it is published.</param>
/// <param name="Catalog">The catalogue as it was handed in.</param>
public sealed record CatalogView(
    string Version,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? PublishedAt,
    string Currency,
    ImmutableArray<string> Plans,
    CatalogStatus Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? DraftedAt,
    JsonElement Catalog);
