using System.Globalization;
using System.Security.Cryptography;
using Billing.Silo.Storage;

namespace Billing.Silo.Stripe;

/// <summary>Which Stripe is called, as whom, and how fast.</summary>
internal sealed class StripeOptions
{
    /// <summary>The version of Stripe's API that the readers here are written for; sent with every request.</summary>
    public const string ApiVersion = "2025-09-30.clover";

    private const string Stripe = "https://api.stripe.com";
    private const string Sandbox = "http://127.0.0.1:5081";
    private const string SandboxKey = "sk_test_sandbox";
    private const string SecretPrefix = "whsec_";
    private const string SandboxSecretSetting = "stripe_sandbox_webhook_secret";
    private const int SandboxSecretBytes = 24;
    private const int LivePerSecond = 100;
    private const int TestPerSecond = 25;
    private const int PerSecondMax = 10_000;

    private static readonly string[] KeyPrefixes = ["sk_test_", "rk_test_", "sk_live_", "rk_live_"];

    /// <summary>The secret key. It goes into one header and nowhere else.</summary>
    public required string SecretKey { get; init; }

    /// <summary>Where the API is; Stripe's paths are below it.</summary>
    public required Uri BaseAddress { get; init; }

    /// <summary>The secrets that a webhook may be signed with: several while one is being replaced, none when no webhook is taken.</summary>
    public IReadOnlyList<string> WebhookSecrets { get; init; } = [];

    /// <summary>The most reads sent in any one second by this silo; null for no bound.</summary>
    public int? ReadsPerSecond { get; init; }

    /// <summary>The most writes sent in any one second by this silo; null for no bound.</summary>
    public int? WritesPerSecond { get; init; }

    /// <summary>How long an answer may take, measured from when the request is sent.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(80);

    /// <summary>Whether the silo runs against the Stripe sandbox that it brings along.</summary>
    public bool IsOwnSandbox { get; init; }

    /// <summary>Whether real money moves.</summary>
    public bool IsLive => SecretKey[2..].StartsWith("_live_", StringComparison.Ordinal);

    /// <summary>Reads the settings.</summary>
    /// <param name="settings">What was configured.</param>
    /// <param name="kept">Keeps the webhook secret of the own sandbox, made once for a store.</param>
    /// <exception cref="InvalidOperationException">A setting cannot be met; the message names it and shows no secret.</exception>
    public static async Task<StripeOptions> Load(IConfiguration settings, ISettings kept)
    {
        var key = NotEmpty(settings["STRIPE_SECRET_KEY"]);
        var address = NotEmpty(settings["STRIPE_API_BASE"]);
        var isOwnSandbox = key is null && address is null;
        if (key is not null && !IsKey(key))
            throw new InvalidOperationException($"STRIPE_SECRET_KEY is no secret key of Stripe's: one begins with {string.Join(", ", KeyPrefixes)} and has neither spaces nor line ends.");

        var isLive = key is not null && key[2..].StartsWith("_live_", StringComparison.Ordinal);
        var atStripe = isLive ? LivePerSecond : TestPerSecond;
        var rate = isOwnSandbox ? (int?)null : atStripe;
        var secrets = Secrets(settings["STRIPE_WEBHOOK_SECRET"]);
        return new()
        {
            SecretKey = key ?? SandboxKey,
            BaseAddress = isOwnSandbox ? Address("BILLING_SANDBOX_URL", NotEmpty(settings["BILLING_SANDBOX_URL"]) ?? Sandbox, key) : Address("STRIPE_API_BASE", address ?? Stripe, key),
            IsOwnSandbox = isOwnSandbox,
            WebhookSecrets = secrets.Count == 0 && isOwnSandbox ? [await SandboxSecret(kept)] : secrets,
            ReadsPerSecond = PerSecond(settings, "STRIPE_READS_PER_SECOND") ?? rate,
            WritesPerSecond = PerSecond(settings, "STRIPE_WRITES_PER_SECOND") ?? rate,
        };
    }

    /// <summary>The same, at another address: that of the own sandbox once it listens.</summary>
    public StripeOptions At(Uri address) => new()
    {
        SecretKey = SecretKey,
        BaseAddress = address,
        IsOwnSandbox = IsOwnSandbox,
        WebhookSecrets = WebhookSecrets,
        ReadsPerSecond = ReadsPerSecond,
        WritesPerSecond = WritesPerSecond,
        Timeout = Timeout,
    };

    /// <summary>Where it calls; no secret.</summary>
    public override string ToString() => $"Stripe at {BaseAddress}";

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static bool IsKey(string key) =>
        KeyPrefixes.Any(prefix => key.Length > prefix.Length && key.StartsWith(prefix, StringComparison.Ordinal)) && key.All(c => c is > ' ' and <= '~');

    private static Uri Address(string setting, string text, string? key)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.AbsolutePath != "/" || address.Query.Length > 0 || address.UserInfo.Length > 0)
            throw new InvalidOperationException($"{setting} is no address of an API: it needs http or https, a host, and nothing behind it, such as {Stripe}.");
        if (key is null && address.Host == new Uri(Stripe).Host)
            throw new InvalidOperationException($"{setting} is Stripe itself, which needs a key: set STRIPE_SECRET_KEY, or leave {setting} out.");
        if (key is not null && key[2..].StartsWith("_live_", StringComparison.Ordinal) && address.Scheme != "https")
            throw new InvalidOperationException($"{setting} is not https: a live key is not sent in the clear.");
        return address;
    }

    private static List<string> Secrets(string? text)
    {
        var secrets = (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).ToList();
        return secrets.TrueForAll(s => s.StartsWith(SecretPrefix, StringComparison.Ordinal) && s.Length > SecretPrefix.Length)
            ? secrets
            : throw new InvalidOperationException($"STRIPE_WEBHOOK_SECRET has a value that is no signing secret: each begins with {SecretPrefix}; several are separated by commas.");
    }

    private static int? PerSecond(IConfiguration settings, string name)
    {
        if (NotEmpty(settings[name]) is not { } text) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var rate) && rate is >= 1 and <= PerSecondMax
            ? rate
            : throw new InvalidOperationException($"{name} is \"{text}\"; it needs a whole number from 1 to {PerSecondMax}.");
    }

    // Silos that start together agree on the one that was stored first.
    private static async Task<string> SandboxSecret(ISettings kept)
    {
        while (true)
        {
            if (await kept.Get(SandboxSecretSetting) is { } secret) return secret;
            await kept.Replace(SandboxSecretSetting, before: null, SecretPrefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SandboxSecretBytes)));
        }
    }
}
