namespace Billing.Plans;

/// <summary>Finds the name that was meant by a misspelled one.</summary>
internal static class NearName
{
    private const int LongName = 8;

    /// <summary>The known name that is one change away, or two for a name of eight letters or more; null for none, or when the name itself is known.</summary>
    public static string? Of(string name, IReadOnlyCollection<string> known) =>
        known.Contains(name) ? null : known.FirstOrDefault(k => Distance(name, k) <= (k.Length < LongName ? 1 : 2));

    // Levenshtein: the least number of letters to add, take away or replace.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = int.Min(replaced, int.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
