using System.Globalization;
using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>The answers that are given again under their idempotency keys, kept for a day of the billing clock and then forgotten.</summary>
internal sealed class SavedAnswers(SandboxState state)
{
    /// <summary>How long an answer is given again; later the key is a new one.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromHours(24);

    private const int KeyLengthMax = 255;

    /// <summary>The answer saved under the key; null when there is none.</summary>
    /// <exception cref="StripeRefusal">The key is too long, or stands for another request.</exception>
    public (int Status, string Body, string RequestId)? Find(string key, string path, string fingerprint, DateTimeOffset now)
    {
        if (key.Length > KeyLengthMax)
            throw new StripeRefusal(400, "idempotency_error", $"An idempotency key has at most {KeyLengthMax} characters.") { Began = false };
        if (state.Find(Kinds.Answer, key) is not { } saved || IsOld(saved, now)) return null;
        if (saved.Text("path") != path)
            throw new StripeRefusal(400, "idempotency_error", $"The key '{key}' was used for {saved.Text("path")}; for {path} another one is needed.") { Began = false };
        if (saved.Text("fingerprint") != fingerprint)
            throw new StripeRefusal(400, "idempotency_error", $"The key '{key}' was used with other parameters; another request needs another key.") { Began = false };
        return ((int)saved.Number("status"), saved.Text("body"), saved.Text("request"));
    }

    /// <summary>Saves an answer.</summary>
    public void Save(string key, string path, string fingerprint, int status, string body, string requestId, DateTimeOffset now) => state.Put(Kinds.Answer, key, new()
    {
        ["path"] = path, ["fingerprint"] = fingerprint, ["status"] = status, ["body"] = body, ["request"] = requestId,
        ["at"] = now.UtcTicks.ToString(CultureInfo.InvariantCulture),
    });

    /// <summary>Forgets some of what is old.</summary>
    public void Prune(DateTimeOffset now)
    {
        foreach (var key in state.OldestFirst(Kinds.Answer).Take(16).ToList())
        {
            // A key that was forgotten and used again is listed twice until the lists are made anew.
            if (state.Find(Kinds.Answer, key) is not { } saved) continue;
            if (!IsOld(saved, now)) return;
            state.Remove(Kinds.Answer, key);
        }
    }

    private static bool IsOld(JsonObject saved, DateTimeOffset now) =>
        now.UtcTicks - long.Parse(saved.Text("at"), CultureInfo.InvariantCulture) >= KeptFor.Ticks;
}
