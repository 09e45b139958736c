using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>
/// A Stripe of our own: it holds what Stripe would hold, answers as Stripe answers, sends what Stripe sends, and puts in the faults it is
/// told to. It has no clock, no thread and no network: it is told the billing time, and the same calls at the same times with the same
/// seed give the same answers.
/// </summary>
internal sealed class StripeSandbox
{
    /// <summary>The endpoint that is registered by settings.</summary>
    public const string OwnEndpoint = "we_sandbox";

    private static readonly TimeSpan RolledForwardAfter = TimeSpan.FromMinutes(10);
    private const int SlowMillisecondsMin = 250;
    private const int SlowMillisecondsMore = 1750;
    private const int RetryAfterSecondsMax = 30;

    private readonly Lock _gate = new();
    private readonly ISandboxStore _store;
    private readonly SandboxState _state;
    private readonly FaultDraws _faults;
    private readonly Events _events;
    private readonly SavedAnswers _answers;
    private readonly DueTimes _due;
    private Task _written = Task.CompletedTask;
    private DateTimeOffset _now = DateTimeOffset.UnixEpoch;

    /// <summary>Takes the sandbox up where its store says it stood.</summary>
    /// <param name="store">What it keeps.</param>
    /// <param name="seed">Makes the ids of a new sandbox.</param>
    public StripeSandbox(ISandboxStore store, ulong seed)
    {
        _store = store;
        _state = new(store.Load(), seed);
        _faults = new(_state);
        _events = new(_state, _faults);
        _answers = new(_state);
        _due = new(_state);
    }

    /// <summary>When the next webhook or other work is due; null when nothing is. What was taken and not reported yet is left out.</summary>
    public DateTimeOffset? NextDueAt
    {
        get
        {
            lock (_gate) return _due.Next;
        }
    }

    /// <summary>The secret that signs the webhooks of the endpoint registered by <see cref="RegisterWebhook"/>; null before that.</summary>
    public string? WebhookSecret
    {
        get
        {
            lock (_gate) return Webhooks.SecretOf(_state, OwnEndpoint);
        }
    }

    /// <summary>Completes when all that was done so far is durable.</summary>
    public Task Written
    {
        get
        {
            lock (_gate) return _written;
        }
    }

    /// <summary>Answers a call and waits until what it did is durable.</summary>
    /// <param name="request">The call.</param>
    /// <param name="now">The billing time; an earlier one than before counts as the one before.</param>
    public SandboxResponse Handle(SandboxRequest request, DateTimeOffset now)
    {
        var (response, written) = Begin(request, now);
        written.GetAwaiter().GetResult();
        return Dated(response, now);
    }

    /// <summary>As <see cref="Handle"/>, without holding a thread while it waits: calls at once share a commit.</summary>
    public async Task<SandboxResponse> HandleAsync(SandboxRequest request, DateTimeOffset now)
    {
        var (response, written) = Begin(request, now);
        await written;
        return Dated(response, now);
    }

    /// <summary>Registers the endpoint for all events, or gives it another address; its secret is made once unless one is given.</summary>
    public void RegisterWebhook(string url, string? secret, DateTimeOffset now)
    {
        lock (_gate)
        {
            Webhooks.Register(_state, now, OwnEndpoint, url, secret ?? Webhooks.SecretOf(_state, OwnEndpoint) ?? _state.NewId("whsec", 32));
            _ = Save(waits: true);
        }
    }

    /// <summary>Says what faults are put in from now on; no kinds end it.</summary>
    /// <param name="kinds">Kinds of <see cref="FaultKinds.All"/>.</param>
    /// <param name="probability">How likely each request and each webhook meets one, from 0 to 1.</param>
    /// <param name="seed">The same seed and the same calls give the same faults.</param>
    /// <exception cref="ArgumentException">A kind is not known, or the probability is none; nothing changed.</exception>
    public void SetFaults(IReadOnlyList<string> kinds, double probability, long seed)
    {
        if (kinds.FirstOrDefault(k => !FaultKinds.All.Contains(k, StringComparer.Ordinal)) is { } unknown)
            throw new ArgumentException($"\"{unknown}\" is no kind of fault; there are {string.Join(", ", FaultKinds.All)}.", nameof(kinds));
        if (!(probability >= 0 && probability <= 1)) throw new ArgumentException("The probability goes from 0 to 1.", nameof(probability));
        lock (_gate)
        {
            _faults.Set(kinds, probability, seed);
            _ = Save(waits: true);
        }
    }

    /// <summary>Does the work that is due, each at its own time, and takes the webhooks that are due, signed now, for sending.</summary>
    /// <remarks>Each is to be reported by <see cref="Delivered"/>; if that never comes, it is due again after a restart.</remarks>
    public IReadOnlyList<WebhookDelivery> TakeDue(DateTimeOffset now)
    {
        lock (_gate)
        {
            MoveTo(now);
            var taken = new List<WebhookDelivery>();
            foreach (var id in _due.TakeDeliveries(_now))
            {
                if (Webhooks.Sign(_state, id, _now) is { } delivery) taken.Add(delivery);
                else _state.Remove(Kinds.Delivery, id);
            }

            _ = Save(waits: true);
            return taken;
        }
    }

    /// <summary>Reports how the sending of a webhook ended.</summary>
    /// <param name="id">The delivery's id.</param>
    /// <param name="status">The HTTP status; 0 when there was no answer.</param>
    /// <param name="now">The billing time.</param>
    public void Delivered(string id, int status, DateTimeOffset now)
    {
        lock (_gate)
        {
            _now = now > _now ? now : _now;
            if (Webhooks.Delivered(_state, id, status, _now) is { } next) _due.Add(Kinds.Delivery, id, next.UtcTicks);
            _ = Save(waits: true);
        }
    }

    /// <summary>What Stripe's side holds, as JSON: customers, invoices with all their lines, charges and the last requests.</summary>
    public byte[] Snapshot()
    {
        lock (_gate) return SandboxSnapshot.Of(_state);
    }

    private (SandboxResponse Response, Task Written) Begin(SandboxRequest request, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (_written.IsFaulted) return (null!, _written);
            MoveTo(now);
            var isRead = request.Method == "GET";
            var response = Answer(request);
            RequestLog.Add(_state, request, response);
            _answers.Prune(_now);
            _events.Prune(_now);
            return (response, Save(waits: !isRead));
        }
    }

    private SandboxResponse Answer(SandboxRequest request)
    {
        var requestId = _state.NewId("req", 14);
        var key = request.Method == "POST" && !string.IsNullOrEmpty(request.IdempotencyKey) ? request.IdempotencyKey : null;
        try
        {
            Authorize(request.Authorization);
            var (route, ids) = Routes.Find(request.Method, request.Path)
                ?? throw new StripeRefusal(404, "invalid_request_error", $"Unrecognized request URL ({request.Method}: {request.Path}).") { Began = false };
            var sent = Parameters.Read(request.Query, request.Body);
            var fingerprint = sent.Fingerprint;
            if (key is not null && _answers.Find(key, request.Path, fingerprint, _now) is { } saved) return Replay(saved, requestId);
            return request.Method == "GET" ? Read(request, route, ids, sent, requestId) : Write(request, route, ids, sent, requestId, key, fingerprint);
        }
        catch (StripeRefusal refusal)
        {
            return Respond(refusal.Status, refusal.ToJson(requestId).ToText(), requestId);
        }
    }

    private SandboxResponse Replay((int Status, string Body, string RequestId) saved, string requestId)
    {
        var (fault, extent) = _faults.Draw(FaultKinds.OfReplays);
        if (Refused(fault, extent, requestId) is { } refused) return refused;
        var response = Respond(saved.Status, saved.Body, requestId, ("Idempotent-Replayed", "true"), ("Original-Request", saved.RequestId));
        return WithFault(response with { Replayed = true }, fault, extent);
    }

    private SandboxResponse Read(SandboxRequest request, Route route, string[] ids, Parameters sent, string requestId)
    {
        var (fault, extent) = _faults.Draw(FaultKinds.OfReads);
        if (Refused(fault, extent, requestId) is { } refused) return refused;
        if (fault is FaultKinds.Error500Saved or FaultKinds.Error500RolledForward) return ServerError(requestId, mayRetry: true) with { Fault = fault };
        var (status, body, _) = Do(route, ids, sent, requestId, null, request.Path, _now);
        return WithFault(Respond(status, body, requestId), fault, extent);
    }

    private SandboxResponse Write(SandboxRequest request, Route route, string[] ids, Parameters sent, string requestId, string? key, string fingerprint)
    {
        var (fault, extent) = _faults.Draw(FaultKinds.OfWrites);
        if (Refused(fault, extent, requestId) is { } refused) return refused;
        var before = _state.Mark();
        var (status, body, began) = Do(route, ids, sent, requestId, key, request.Path, _now);
        if (began && fault == FaultKinds.Error500RolledForward)
        {
            _state.TakeBack(before);
            Jobs.Add(_state, _now + RolledForwardAfter, Jobs.RolledForward, requestId, new()
            {
                ["method"] = request.Method, ["path"] = request.Path, ["query"] = request.Query, ["body"] = request.Body, ["key"] = key,
            });
        }

        var response = began && fault is FaultKinds.Error500Saved or FaultKinds.Error500RolledForward
            ? ServerError(requestId, mayRetry: false) with { Fault = fault }
            : Respond(status, body, requestId);
        if (key is not null && began) _answers.Save(key, request.Path, fingerprint, response.Status, response.Body, requestId, _now);
        return response.Fault is null ? WithFault(response, fault, extent) : response;
    }

    private (int Status, string Body, bool Began) Do(Route route, string[] ids, Parameters sent, string requestId, string? key, string url, DateTimeOffset at)
    {
        var before = _state.Mark();
        try
        {
            sent.RefuseUnknown(route.Known);
            var shown = Rendering.Render(_state, route.Do(new(_state, _events, sent, at, ids, requestId, key) { Url = url }));
            Rendering.Expand(_state, shown, sent.Values("expand"));
            return (200, shown.ToText(), true);
        }
        catch (StripeRefusal refusal)
        {
            if (!refusal.KeepsChanges) _state.TakeBack(before);
            return (refusal.Status, refusal.ToJson(requestId).ToText(), refusal.Began);
        }
    }

    // Moves on to the time and does what is due on the way, each at its own time.
    private void MoveTo(DateTimeOffset now)
    {
        while (_due.TakeJob(now) is { } id)
        {
            var job = _state.Find(Kinds.Job, id)!;
            var at = new DateTimeOffset(job.Number("due"), TimeSpan.Zero);
            _now = at > _now ? at : _now;
            _state.Remove(Kinds.Job, id);
            if (job.Text("work") == Jobs.RolledForward)
            {
                var request = job["request"]!.AsObject();
                var (route, ids) = Routes.Find(request.Text("method"), request.Text("path"))!.Value;
                Do(route, ids, Parameters.Read(request.Text("query"), request.Text("body")), job.Text("about"), request.TextOrNone("key"), request.Text("path"), _now);
            }
            else
            {
                DoByItself(job);
            }

            _due.Follow();
        }

        _now = now > _now ? now : _now;
    }

    private void DoByItself(JsonObject job)
    {
        var before = _state.Mark();
        try
        {
            Jobs.Do(new(_state, _events, Parameters.Read(), _now, [], null, null), job.Text("work"), job.Text("about"));
        }
        catch (StripeRefusal refusal) when (refusal.KeepsChanges)
        {
            // A declined payment: what it did stays, and nobody waits for an answer.
        }
        catch (StripeRefusal)
        {
            _state.TakeBack(before);
        }
    }

    private SandboxResponse? Refused(string? fault, ulong extent, string requestId)
    {
        if (fault == FaultKinds.RateLimited)
        {
            // Stripe answers 429 for too many requests and for an object that another request holds.
            var locked = (extent & 1) == 0;
            var refusal = new StripeRefusal(
                429, locked ? "invalid_request_error" : "rate_limit_error", locked ? "Another request holds this object; it was not waited for." : "Too many requests came at once.", locked ? "lock_timeout" : "rate_limit");
            var seconds = 1 + (extent % RetryAfterSecondsMax);
            return Respond(
                429, refusal.ToJson(requestId).ToText(), requestId, ("Retry-After", seconds.ToString(CultureInfo.InvariantCulture)), ("Stripe-Should-Retry", "true")) with { Fault = fault };
        }

        if (fault == FaultKinds.Conflict409)
        {
            var refusal = new StripeRefusal(409, "idempotency_error", "Another request under the same idempotency key is being worked on.", "idempotency_key_in_use");
            return Respond(409, refusal.ToJson(requestId).ToText(), requestId, ("Stripe-Should-Retry", "true")) with { Fault = fault };
        }

        return null;
    }

    private static SandboxResponse WithFault(SandboxResponse response, string? fault, ulong extent) => fault switch
    {
        FaultKinds.ResponseLost => response with { ConnectionLost = true, Fault = fault },
        FaultKinds.Slow => response with { Delay = TimeSpan.FromMilliseconds(SlowMillisecondsMin + (extent % SlowMillisecondsMore)), Fault = fault },
        _ => response,
    };

    private static SandboxResponse ServerError(string requestId, bool mayRetry)
    {
        var refusal = new StripeRefusal(500, "api_error", "An error of the sandbox, put in on request.");
        return Respond(500, refusal.ToJson(requestId).ToText(), requestId, ("Stripe-Should-Retry", mayRetry ? "true" : "false"));
    }

    // By the billing clock, as everything of it.
    private static SandboxResponse Dated(SandboxResponse response, DateTimeOffset now) =>
        response with { Headers = new Dictionary<string, string>(response.Headers, StringComparer.OrdinalIgnoreCase) { ["Date"] = now.ToString("R", CultureInfo.InvariantCulture) } };

    private static SandboxResponse Respond(int status, string body, string requestId, params (string Name, string Value)[] more)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { ["Request-Id"] = requestId };
        foreach (var (name, value) in more) headers[name] = value;
        return new(status, body) { Headers = headers };
    }

    private static void Authorize(string? authorization)
    {
        var key = "";
        if (authorization?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) == true) key = authorization[7..].Trim();
        else if (authorization?.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase) == true)
        {
            var bytes = new byte[authorization.Length];
            if (Convert.TryFromBase64String(authorization[6..].Trim(), bytes, out var written)) key = Encoding.UTF8.GetString(bytes, 0, written).Split(':')[0];
        }

        if (key.Length == 0)
            throw new StripeRefusal(401, "invalid_request_error", "No API key was sent: the header Authorization is Bearer and a secret test key.") { Began = false };
        if (!key.StartsWith("sk_test_", StringComparison.Ordinal) || key.Length == "sk_test_".Length)
            throw new StripeRefusal(401, "invalid_request_error", "Invalid API Key provided: the sandbox takes keys that begin with sk_test_.") { Began = false };
    }

    private Task Save(bool waits)
    {
        _due.Follow();
        var changes = _state.TakeChanges();
        if (changes.Count == 0) return _written;
        var written = _store.Save(changes);
        if (!waits) return _written;
        return _written = written;
    }
}
