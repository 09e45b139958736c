using System.Collections.Immutable;
using System.Text.Json;

namespace Billing.Http;

/// <summary>A value in a JSON body that cannot be read as what is needed there.</summary>
/// <param name="member">The member of the value that is wrong; null when it is the value itself.</param>
/// <param name="detail">What is needed, a sentence.</param>
/// <param name="known">The members there are, when the one that is wrong is none of them.</param>
public sealed class UnreadableValueException(string? member, string detail, ImmutableArray<string> known = default) : JsonException(detail)
{
    /// <summary>The member of the value that is wrong; null when it is the value itself.</summary>
    public string? Member => member;

    /// <summary>The members there are, when the one that is wrong is none of them; else default.</summary>
    public ImmutableArray<string> Known => known;
}
