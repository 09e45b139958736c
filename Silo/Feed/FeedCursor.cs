using System.Globalization;
using Billing.Silo.Storage;

namespace Billing.Silo.Feed;

/// <summary>How far a follower has read the feed.</summary>
/// <param name="Place">The last entry that was read.</param>
/// <param name="Facts">How many of its facts were, counting usage events too; <see cref="Whole"/> when it could not be read and was told to be so.</param>
internal readonly record struct FeedCursor(FeedPlace Place, int Facts)
{
    public const int Whole = int.MaxValue;

    /// <summary>The cursor as text; the account comes last, for it may hold any character.</summary>
    public static string ToText(FeedCursor? cursor) => cursor is { Place: var place, Facts: var facts }
        ? string.Create(CultureInfo.InvariantCulture, $"{place.Commit}.{place.Sequence}.{facts}.{place.Account}")
        : "0";

    /// <summary>Reads a cursor; false when the text is none. Null stands for the beginning.</summary>
    public static bool TryParse(string text, out FeedCursor? cursor)
    {
        cursor = null;
        if (text == "0") return true;
        var parts = text.Split('.', 4);
        if (parts.Length < 4
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var commit)
            || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            || !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var facts))
        {
            return false;
        }

        cursor = new(new(commit, parts[3], sequence), facts);
        return true;
    }
}
