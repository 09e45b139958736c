using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Billing.Silo.Stripe;

/// <summary>What is wrong with the signature of a webhook.</summary>
internal enum WebhookProblem
{
    /// <summary>Nothing: it is Stripe's, and fresh.</summary>
    None = 0,

    /// <summary>No secret is configured, so none can be checked.</summary>
    NoSecret = 1,

    /// <summary>There is no <c>Stripe-Signature</c>.</summary>
    NoHeader = 2,

    /// <summary>The header has no one time, or no signature of the form that is known.</summary>
    Malformed = 3,

    /// <summary>No signature fits the body: forged, changed on the way, or signed with a secret that is not ours.</summary>
    NoMatch = 4,

    /// <summary>It was signed right, but too long ago or ahead of our clock: perhaps sent again by somebody who overheard it.</summary>
    NotFresh = 5,
}

/// <summary>Checks that a webhook comes from Stripe: HMAC-SHA256 of time and body under a shared secret.</summary>
internal static class WebhookSignature
{
    /// <summary>How far the time of signing may lie from now, either way.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    /// <summary>The header that is checked.</summary>
    public const string Header = "Stripe-Signature";

    private const int HeaderLengthMax = 4096;
    private const int SignatureLength = HMACSHA256.HashSizeInBytes * 2;

    /// <summary>Checks one webhook.</summary>
    /// <param name="payload">The body, byte for byte as it came.</param>
    /// <param name="header">The header as it came; null without one.</param>
    /// <param name="secrets">The secrets it may be signed with.</param>
    /// <param name="now">The time.</param>
    public static WebhookProblem Verify(ReadOnlySpan<byte> payload, string? header, IReadOnlyList<string> secrets, DateTimeOffset now)
    {
        if (secrets.Count == 0) return WebhookProblem.NoSecret;
        if (string.IsNullOrEmpty(header)) return WebhookProblem.NoHeader;
        if (!TryRead(header, out var time, out var signedAt, out var signatures)) return WebhookProblem.Malformed;

        // All are compared, so that the time it takes tells nothing.
        var fits = false;
        foreach (var secret in secrets)
        {
            var expected = Sign(payload, time, secret);
            foreach (var signature in signatures) fits |= CryptographicOperations.FixedTimeEquals(expected, signature);
        }

        if (!fits) return WebhookProblem.NoMatch;
        return (now - signedAt).Duration() <= Tolerance ? WebhookProblem.None : WebhookProblem.NotFresh;
    }

    /// <summary>A sentence for whoever sent it; it shows nothing of what was expected.</summary>
    public static string Describe(WebhookProblem problem) => problem switch
    {
        WebhookProblem.NoSecret => "No signing secret is configured here (STRIPE_WEBHOOK_SECRET), so no webhook can be taken. Nothing was stored.",
        WebhookProblem.NoHeader => $"There is no {Header} header. Nothing was stored.",
        WebhookProblem.Malformed => $"The {Header} header has no single t=seconds, or no v1=signature of 64 hexadecimal digits. Nothing was stored.",
        WebhookProblem.NoMatch => "No signature fits the body under a secret of ours. Nothing was stored. If the secret was replaced, set both in STRIPE_WEBHOOK_SECRET until the old one ends.",
        WebhookProblem.NotFresh => $"The webhook was signed more than {Tolerance.TotalMinutes:0} minutes from now. Nothing was stored. If it is new, a clock is wrong.",
        _ => "The signature is right.",
    };

    private static byte[] Sign(ReadOnlySpan<byte> payload, string time, string secret)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        hmac.AppendData(Encoding.UTF8.GetBytes(time + "."));
        hmac.AppendData(payload);
        return hmac.GetHashAndReset();
    }

    private static bool TryRead(string header, out string time, out DateTimeOffset signedAt, out List<byte[]> signatures)
    {
        time = "";
        signedAt = default;
        signatures = [];
        if (header.Length > HeaderLengthMax) return false;
        foreach (var part in header.Split(',', StringSplitOptions.TrimEntries))
        {
            if (part.StartsWith("t=", StringComparison.Ordinal))
            {
                if (time.Length > 0) return false;
                time = part[2..];
            }
            else if (part.StartsWith("v1=", StringComparison.Ordinal) && part.Length == 3 + SignatureLength && part.AsSpan(3).ContainsAnyExcept("0123456789abcdefABCDEF") is false)
            {
                signatures.Add(Convert.FromHexString(part.AsSpan(3)));
            }
        }

        if (signatures.Count == 0 || !long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return false;
        if (seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds()) return false;
        signedAt = DateTimeOffset.FromUnixTimeSeconds(seconds);
        return true;
    }
}
