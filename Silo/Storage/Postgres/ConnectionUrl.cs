using Npgsql;

namespace Billing.Silo.Storage.Postgres;

/// <summary>
/// Reads the URLs by which PostgreSQL's own library names a database, <c>postgres://user:password@host:5432/database?sslmode=require</c>,
/// which Npgsql does not read. No value is ever shown.
/// </summary>
internal static class ConnectionUrl
{
    private const string Instead = "Give the connection string instead, as Npgsql reads it, such as Host=db.example;Username=billing;Password=…;Database=billing.";

    // The names of libpq on the left.
    private static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["host"] = "Host",
        ["port"] = "Port",
        ["dbname"] = "Database",
        ["user"] = "Username",
        ["password"] = "Password",
        ["passfile"] = "Passfile",
        ["sslmode"] = "SSL Mode",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["sslpassword"] = "SSL Password",
        ["sslrootcert"] = "Root Certificate",
        ["sslnegotiation"] = "SSL Negotiation",
        ["channel_binding"] = "Channel Binding",
        ["application_name"] = "Application Name",
        ["connect_timeout"] = "Timeout",
        ["options"] = "Options",
        ["target_session_attrs"] = "Target Session Attributes",
    };

    /// <summary>Whether a text is such a URL.</summary>
    public static bool Is(string text) =>
        text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase);

    /// <summary>The connection string for a URL.</summary>
    /// <exception cref="FormatException">It cannot be read; the message says what in it, and shows no value.</exception>
    public static string Read(string url)
    {
        var settings = new NpgsqlConnectionStringBuilder();
        var rest = url[(url.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var (before, query) = Cut(rest, rest.IndexOf('?', StringComparison.Ordinal));
        var (authority, database) = Cut(before, before.IndexOf('/', StringComparison.Ordinal));
        var at = authority.LastIndexOf('@');
        if (at >= 0)
        {
            var (user, password) = Cut(authority[..at], authority.IndexOf(':', StringComparison.Ordinal) is var colon && colon < at ? colon : -1);
            Set(settings, "user", user);
            Set(settings, "password", password);
        }

        var hosts = authority[(at + 1)..];
        if (hosts.Contains(',', StringComparison.Ordinal))
        {
            // Each with its own port, as Npgsql writes them too.
            Set(settings, "host", hosts);
        }
        else
        {
            var (host, port) = Cut(hosts, hosts.StartsWith('[') ? hosts.IndexOf("]:", StringComparison.Ordinal) is var end and >= 0 ? end + 1 : -1 : hosts.IndexOf(':', StringComparison.Ordinal));
            Set(settings, "host", host.TrimStart('[').TrimEnd(']'));
            Set(settings, "port", port);
        }

        Set(settings, "dbname", database);
        foreach (var parameter in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = Cut(parameter, parameter.IndexOf('=', StringComparison.Ordinal));
            Set(settings, name, value);
        }

        return settings.ConnectionString;
    }

    private static void Set(NpgsqlConnectionStringBuilder settings, string name, string value)
    {
        if (value.Length == 0) return;
        if (!Names.TryGetValue(name, out var key)) throw new FormatException($"Its URL has a parameter that is not read; those that are: {string.Join(", ", Names.Keys)}. {Instead}");

        // verify-full there is VerifyFull here.
        var text = Uri.UnescapeDataString(value);
        if (!TrySet(settings, key, name == "sslmode" ? text.Replace("-", "", StringComparison.Ordinal) : text)) throw new FormatException($"Its URL has a {name} that cannot be read. {Instead}");
    }

    private static bool TrySet(NpgsqlConnectionStringBuilder settings, string key, string value)
    {
        try
        {
            settings[key] = value;
            return true;
        }
        catch (Exception unreadable) when (unreadable is ArgumentException or FormatException or OverflowException)
        {
            // It may quote the value, so it is not passed on.
            return false;
        }
    }

    private static (string Before, string Behind) Cut(string text, int at) => at < 0 ? (text, "") : (text[..at], text[(at + 1)..]);
}
