namespace Billing.Silo.Storage;

/// <summary>How a due time is stored, under its check sum, so that a changed one is damage and no other time.</summary>
internal static class DueRow
{
    /// <summary>The account is to be asked: what was stored is missing or damaged. Earlier than any due time.</summary>
    public const long Unknown = 0;

    /// <summary>Nothing is due ever.</summary>
    public const long Never = long.MaxValue;

    /// <summary>The check sum over an account and its due time.</summary>
    public static int Crc(string account, long ticks) => RowCrc.Of(account, ticks, 0, []);
}
