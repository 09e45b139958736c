using System.Globalization;
using System.Text;

namespace Billing.Silo.Storage;

/// <summary>Settings that carry their check sum behind them: a digit that is changed is no other value, but damage.</summary>
/// <remarks>Those of the releases before have none; they are read as they stand, and sealed.</remarks>
internal static class CheckedText
{
    private const string Mark = " #";

    /// <summary>A value with its check sum, a CRC-32C over it and the setting's name.</summary>
    public static string Seal(string setting, string value) => string.Create(CultureInfo.InvariantCulture, $"{value}{Mark}{CrcOf(setting, value):x8}");

    /// <summary>Whether a stored text carries a check sum.</summary>
    public static bool IsSealed(string stored) => stored.Contains(Mark, StringComparison.Ordinal);

    /// <summary>The value in a stored text; null when its check sum does not hold.</summary>
    public static string? Open(string setting, string stored)
    {
        var mark = stored.LastIndexOf(Mark, StringComparison.Ordinal);
        if (mark < 0) return stored;
        var value = stored[..mark];
        return Seal(setting, value) == stored ? value : null;
    }

    private static int CrcOf(string setting, string value) => RowCrc.Of(setting, 0, 0, Encoding.UTF8.GetBytes(value));
}
