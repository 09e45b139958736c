using Npgsql;

namespace Billing.Silo.Storage.Postgres;

/// <summary>Reads connection strings without ever showing a value in one: what is wrong in it may be a password.</summary>
internal static class ConnectionText
{
    private const string Unreadable =
        "It is not a connection string as Npgsql reads it, such as Host=db.example;Username=billing;Password=…;Database=billing, nor a URL such as postgres://billing:…@db.example/billing. A value that holds a semicolon stands in quotes.";

    /// <summary>Reads the settings in a connection string, and sees that a connection can be tried with them.</summary>
    /// <param name="text">The connection string.</param>
    /// <param name="poolSize">The most connections when it does not say how many.</param>
    /// <exception cref="FormatException">It cannot be read, or its settings contradict each other; the message says how, and shows no text of it.</exception>
    public static NpgsqlConnectionStringBuilder Read(string text, int poolSize)
    {
        var settings = Parse(Plain(text)) ?? throw new FormatException(Unreadable);
        if (string.IsNullOrWhiteSpace(settings.Host)) throw new FormatException("It names no Host: the name, the address or the socket's folder of the server, such as Host=db.example.");
        if (!settings.ShouldSerialize("Maximum Pool Size")) settings.MaxPoolSize = int.Max(poolSize, settings.MinPoolSize);
        if (settings.MaxPoolSize < 1) throw new FormatException($"Its \"Maximum Pool Size\" is {settings.MaxPoolSize}: the store needs at least one connection.");
        if (settings.MinPoolSize > settings.MaxPoolSize)
            throw new FormatException($"Its \"Minimum Pool Size\" is {settings.MinPoolSize} and \"Maximum Pool Size\" is {settings.MaxPoolSize}: the first is at most the second.");
        return settings;
    }

    /// <summary>The connection string for a text that may be a URL of PostgreSQL.</summary>
    /// <exception cref="FormatException">It is a URL that cannot be read.</exception>
    public static string Plain(string text) => ConnectionUrl.Is(text) ? ConnectionUrl.Read(text) : text;

    private static NpgsqlConnectionStringBuilder? Parse(string text)
    {
        try
        {
            return new(text);
        }
        catch (Exception unreadable) when (unreadable is ArgumentException or FormatException or OverflowException)
        {
            // It may quote the text, so it is not passed on.
            return null;
        }
    }
}
