namespace Billing.Feeder;

/// <summary>The values of a command line.</summary>
internal sealed record FeederArguments
{
    /// <summary>The environment variable that holds the key when the command line does not.</summary>
    public const string KeyVariable = "BILLING_ADMIN_KEY";

    public required Uri Url { get; init; }

    public required string? Key { get; init; }

    public required string Events { get; init; }

    public bool AccountsFromEvents { get; init; }

    public IReadOnlyList<string> Plans { get; init; } = [];

    public string? PaymentMethod { get; init; }

    public string? Accounts { get; init; }

    public TimeSpan Step { get; init; }

    public DateTimeOffset? Until { get; init; }

    public FeedOrder Order { get; init; }

    public bool Resume { get; init; }

    public TimeSpan RetryFor { get; init; }

    public bool DryRun { get; init; }

    /// <summary>Reads the files and plans the feeding.</summary>
    /// <exception cref="FeederException">A file cannot be read; nothing was sent.</exception>
    public FeedJob ToJob()
    {
        var lines = LineFile.ReadEvents(Events);
        return new()
        {
            Accounts = AccountsFromEvents ? AccountList.FromEvents(lines, Plans, PaymentMethod)
                : Accounts is { } file ? AccountList.FromFile(file)
                : [],
            Groups = FeedPlan.Group(lines, Step),
            Order = Order,
            Until = Until,
            Resume = Resume,
        };
    }

    /// <summary>The key.</summary>
    /// <exception cref="FeederException">There is none.</exception>
    public string RequiredKey() => string.IsNullOrWhiteSpace(Key)
        ? throw new FeederException(
            FeederExit.InputFailed, $"A key is needed: --key, or {KeyVariable} in the environment. Nothing was sent.")
        : Key;
}
