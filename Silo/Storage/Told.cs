namespace Billing.Silo.Storage;

/// <summary>What an exception of a library says, for a person who does not see the exception.</summary>
internal static class Told
{
    /// <summary>The messages of an exception and of those inside it, each once, without those that only point further in.</summary>
    public static string Why(Exception failed)
    {
        var said = new List<string>();
        Collect(failed, said);
        return said.Count == 0 ? failed.GetType().Name : string.Join(": ", said);
    }

    private static void Collect(Exception failed, List<string> said)
    {
        var only = failed is AggregateException || failed.Message.Contains("inner exception", StringComparison.OrdinalIgnoreCase);
        if (!only && !said.Exists(s => s.Contains(failed.Message, StringComparison.Ordinal))) said.Add(failed.Message);
        foreach (var inner in failed is AggregateException { InnerExceptions: var all } ? all : failed.InnerException is { } one ? [one] : []) Collect(inner, said);
    }
}
