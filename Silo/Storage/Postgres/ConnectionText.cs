using Npgsql;

namespace Billing.Silo.Storage.Postgres;

/// <summary>Reads connection strings without ever showing a part of one: what is wrong in it may be a password.</summary>
internal static class ConnectionText
{
    /// <summary>What is said of text that cannot be read.</summary>
    public const string Unreadable =
        "It is not a connection string as Npgsql reads it, such as Host=db.example;Username=billing;Password=…;Database=billing. A value that holds a semicolon stands in quotes.";

    /// <summary>The settings in a connection string; null when it cannot be read.</summary>
    public static NpgsqlConnectionStringBuilder? Read(string text)
    {
        try
        {
            return new(text);
        }
        catch (Exception unreadable) when (unreadable is ArgumentException or FormatException or OverflowException)
        {
            return null;
        }
    }
}
