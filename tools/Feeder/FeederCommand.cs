using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Xml;

namespace Billing.Feeder;

/// <summary>The options of the command line.</summary>
internal sealed class FeederCommand
{
    private readonly Option<Uri> url = new("--url")
    {
        Description = "where the platform listens",
        HelpName = "URL",
        DefaultValueFactory = _ => new Uri("http://127.0.0.1:5080"),
        CustomParser = Platform,
    };

    private readonly Option<string?> key = new("--key")
    {
        Description = $"an admin key (default: {FeederArguments.KeyVariable} of the environment, which other users cannot see)",
    };

    private readonly Option<string> events = new("--events")
    {
        Description = "the events, one a line, plain or gzipped",
        HelpName = "FILE",
        Required = true,
    };

    private readonly Option<bool> accountsFromEvents = new("--accounts-from-events") { Description = "make an account for every subject" };

    private readonly Option<string[]> plan = new("--plan")
    {
        Description = "with --accounts-from-events: the plan; may be given for several products",
    };

    private readonly Option<string?> paymentMethod = new("--payment-method")
    {
        Description = "with --accounts-from-events: e.g. pm_card_visa",
    };

    private readonly Option<string?> accounts = new("--accounts")
    {
        Description = "the accounts, one body of POST /v1/accounts a line",
        HelpName = "FILE",
    };

    private readonly Option<TimeSpan> step = Duration(
        "--step", "how far the clock moves at a time, counted from midnight UTC, as ISO 8601 duration", TimeSpan.FromHours(12));

    private readonly Option<DateTimeOffset?> until = new("--until")
    {
        Description = "where the clock is moved at the end",
        HelpName = "INSTANT",
        CustomParser = Instant,
    };

    private readonly Option<int?> shuffle = new("--shuffle") { Description = "shuffle the lines of each step", HelpName = "SEED" };

    private readonly Option<bool> twice = new("--twice") { Description = "send every line twice" };

    private readonly Option<bool> resume = new("--resume") { Description = "go on where an interrupted feeding stopped" };

    private readonly Option<TimeSpan> retryFor = Duration(
        "--retry-for", "how long a platform that is down is waited for, as ISO 8601 duration", TimeSpan.FromSeconds(120));

    private readonly Option<bool> dryRun = new("--dry-run") { Description = "read the files and tell what would be sent" };

    public FeederCommand()
    {
        Root = new("Feeds a file of CloudEvents to a running platform, moving its sandbox clock along.")
        {
            url, key, events, accountsFromEvents, plan, paymentMethod, accounts, step, until, shuffle, twice, resume, retryFor, dryRun,
        };
        Root.Validators.Add(Check);
    }

    /// <summary>The command with its options and checks.</summary>
    public RootCommand Root { get; }

    /// <summary>The values of a command line without errors.</summary>
    public FeederArguments Read(ParseResult result) => new()
    {
        Url = result.GetRequiredValue(url),
        Key = result.GetValue(key) ?? Environment.GetEnvironmentVariable(FeederArguments.KeyVariable),
        Events = result.GetRequiredValue(events),
        AccountsFromEvents = result.GetValue(accountsFromEvents),
        Plans = result.GetValue(plan) ?? [],
        PaymentMethod = result.GetValue(paymentMethod),
        Accounts = result.GetValue(accounts),
        Step = result.GetValue(step),
        Until = result.GetValue(until),
        Order = new(result.GetValue(shuffle), result.GetValue(twice)),
        Resume = result.GetValue(resume),
        RetryFor = result.GetValue(retryFor),
        DryRun = result.GetValue(dryRun),
    };

    private void Check(CommandResult result)
    {
        var fromEvents = result.GetValue(accountsFromEvents);
        var plans = result.GetValue(plan) ?? [];
        if (fromEvents && result.GetValue(accounts) is not null)
            result.AddError("--accounts-from-events and --accounts exclude each other.");
        else if (fromEvents && plans.Length == 0)
            result.AddError("--accounts-from-events needs --plan.");
        else if (!fromEvents && (plans.Length > 0 || result.GetValue(paymentMethod) is not null))
            result.AddError("--plan and --payment-method belong to --accounts-from-events.");
    }

    private static Option<TimeSpan> Duration(string name, string description, TimeSpan usual) => new(name)
    {
        Description = description,
        HelpName = "DURATION",
        DefaultValueFactory = _ => usual,
        CustomParser = result =>
        {
            try
            {
                var value = XmlConvert.ToTimeSpan(result.Tokens[0].Value);
                if (value > TimeSpan.Zero)
                    return value;
            }
            catch (Exception unreadable) when (unreadable is FormatException or OverflowException)
            {
                // Told below, as for a duration that is not positive.
            }

            result.AddError($"{name} is a positive ISO 8601 duration such as PT12H, not \"{result.Tokens[0].Value}\".");
            return default;
        },
    };

    private static Uri? Platform(ArgumentResult result)
    {
        var text = result.Tokens[0].Value.TrimEnd('/') + "/";
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps))
            return uri;

        result.AddError($"--url is an http or https address, not \"{result.Tokens[0].Value}\".");
        return null;
    }

    private static DateTimeOffset? Instant(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, Utc, out var instant))
            return instant;

        result.AddError($"--until is an instant such as 2003-01-28T12:00:00Z, not \"{text}\".");
        return null;
    }
}
