using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace Billing.Tests.Mail;

/// <summary>The mail events, and the sequence in which they are to be fed, worked out without the feeder.</summary>
internal static class MailData
{
    public static readonly DateTimeOffset Anchor = new(2001, 6, 25, 0, 0, 0, TimeSpan.Zero);
    public static readonly DateTimeOffset End = new(2003, 1, 28, 12, 0, 0, TimeSpan.Zero);

    public static string EventsPath => Path.Combine(AppContext.BaseDirectory, "Mail", "mail-events.ndjson.gz");

    public static string CatalogPath => Path.Combine(AppContext.BaseDirectory, "Mail", "mail-catalog.json");

    /// <summary>The lines in file order, each at the end of the half-day in which it was received.</summary>
    public static IReadOnlyList<FedLine> InOrder()
    {
        using var file = new StreamReader(new GZipStream(File.OpenRead(EventsPath), CompressionMode.Decompress));
        var fed = new List<FedLine>();
        var clock = Anchor;
        while (file.ReadLine() is { } line)
        {
            using var json = JsonDocument.Parse(line);
            if (json.RootElement.TryGetProperty("receivedat", out var text))
            {
                var received = DateTime.ParseExact(
                    text.GetString()!,
                    "yyyy-MM-dd'T'HH:mm:ss'Z'",
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
                var halfDayEnd = new DateTimeOffset(received.Date.AddHours(received.Hour < 12 ? 12 : 24), TimeSpan.Zero);
                clock = halfDayEnd > clock ? halfDayEnd : clock;
            }

            fed.Add(new(Encoding.UTF8.GetBytes(line), clock));
        }

        return fed;
    }

    /// <summary>The accounts: every subject.</summary>
    public static IReadOnlyList<string> Accounts(IEnumerable<FedLine> fed) =>
        fed.Select(line => JsonDocument.Parse(line.Bytes).RootElement.GetProperty("subject").GetString()!)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToList();

    /// <summary>The oracle of the run in file order.</summary>
    public static MailOracle Oracle()
    {
        var fed = InOrder();
        return new(Anchor, Accounts(fed), fed, End);
    }
}
