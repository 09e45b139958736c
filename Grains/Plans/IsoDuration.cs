using System.Globalization;
using System.Text.RegularExpressions;

namespace Billing.Plans;

/// <summary>A length of time as ISO 8601 writes it. Months and years are calendar ones: their length depends on where they begin.</summary>
/// <param name="Months">Calendar months, years included as twelve.</param>
/// <param name="Exact">Weeks, days, hours, minutes and seconds.</param>
public readonly partial record struct IsoDuration(int Months, TimeSpan Exact)
{
    /// <summary>Reads <c>P1Y2M3W4DT5H6M7S</c>; whole numbers only, at least one part.</summary>
    public static bool TryParse(string? text, out IsoDuration duration)
    {
        duration = default;
        if (text is null || text.Length > 40) return false;
        var match = Pattern().Match(text);
        if (!match.Success || text.EndsWith('T') || text == "P") return false;
        long Part(string name) => match.Groups[name] is { Success: true, Value: var digits } ? long.Parse(digits, CultureInfo.InvariantCulture) : 0;
        var months = (Part("years") * 12) + Part("months");
        var days = (Part("weeks") * 7) + Part("days");
        var seconds = (days * 86_400) + (Part("hours") * 3_600) + (Part("minutes") * 60) + Part("seconds");
        if (months > 12_000 || seconds > 1_000L * 366 * 86_400) return false;
        duration = new((int)months, TimeSpan.FromSeconds(seconds));
        return true;
    }

    /// <summary>Reads a duration without calendar parts.</summary>
    public static bool TryParseExact(string? text, out TimeSpan length)
    {
        var read = TryParse(text, out var duration) && duration.Months == 0;
        length = duration.Exact;
        return read;
    }

    /// <summary>The instant this much later.</summary>
    public DateTimeOffset After(DateTimeOffset start) => start.AddMonths(Months) + Exact;

    [GeneratedRegex(
        @"^P(?:(?<years>[0-9]{1,6})Y)?(?:(?<months>[0-9]{1,6})M)?(?:(?<weeks>[0-9]{1,6})W)?(?:(?<days>[0-9]{1,6})D)?(?:T(?:(?<hours>[0-9]{1,8})H)?(?:(?<minutes>[0-9]{1,8})M)?(?:(?<seconds>[0-9]{1,10})S)?)?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();
}
