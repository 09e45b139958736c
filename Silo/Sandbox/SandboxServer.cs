using System.Globalization;
using System.Security.Cryptography;
using Billing.Journal;
using Billing.Silo.Scheduling;
using Billing.Silo.Storage;
using Billing.Silo.Stripe;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Billing.Silo.Sandbox;

/// <summary>
/// Serves the sandbox Stripe on an address of its own, at the billing time, and sends its webhooks to the platform. Started before the
/// platform serves and stopped after it.
/// </summary>
internal sealed partial class SandboxServer : IHostedService, IDueBesideAccounts, IAsyncDisposable
{
    /// <summary>The setting of the address.</summary>
    public const string UrlSetting = "BILLING_SANDBOX_URL";

    private const string UrlDefault = "http://127.0.0.1:5081";

    private readonly IConfiguration _settings;
    private readonly StripeOptions _stripe;
    private readonly IBillingClock _clock;
    private readonly IServer _platform;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeProvider _time;
    private readonly ILogger<SandboxServer> _log;
    private SqliteSandboxStore? _store;
    private StripeSandbox? _sandbox;
    private WebApplication? _app;
    private WebhookSender? _sender;

    public SandboxServer(IConfiguration settings, StripeOptions stripe, IBillingClock clock, IServer platform, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<SandboxServer> log)
    {
        _settings = settings;
        _stripe = stripe;
        _clock = clock;
        _platform = platform;
        _lifetime = lifetime;
        _time = time;
        _log = log;
    }

    /// <summary>Whether the settings leave charging to the sandbox: no key and no address of Stripe's is given.</summary>
    public static bool IsWanted(IConfiguration settings) => string.IsNullOrEmpty(settings["STRIPE_SECRET_KEY"]) && string.IsNullOrEmpty(settings["STRIPE_API_BASE"]);

    /// <summary>The sandbox that is served; null before the start, and when another silo of a shared store serves it.</summary>
    public StripeSandbox? Sandbox => _sandbox;

    /// <summary>Where it listens, here or at the other silo; a port of 0 in the settings stands here as the one it was given.</summary>
    public Uri Address => new(_app?.Urls.First() ?? Url);

    /// <summary>The secret that signs the webhooks to the platform; null before the platform listens.</summary>
    public string? WebhookSecret => _sandbox?.WebhookSecret;

    /// <inheritdoc/>
    public DateTimeOffset? NextDueAt => _sandbox?.NextDueAt;

    /// <inheritdoc/>
    public Task<int> CarryOutDueAsync(DateTimeOffset now) => _sender?.CarryOutDue(now, CancellationToken.None) ?? Task.FromResult(0);

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var url = Url;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttp)
            throw new InvalidOperationException($"{UrlSetting} is \"{url}\"; it needs an address such as {UrlDefault}.");
        try
        {
            _store = SqliteSandboxStore.Open(_settings["BILLING_DATA"] is { Length: > 0 } folder ? folder : ".data");
        }
        catch (StoreInUseException inUse) when (Stores.AreShared(_settings))
        {
            LogServedElsewhere(inUse.Message);
            return;
        }

        try
        {
            _sandbox = new(_store, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));
            _sender = new(_sandbox, _clock, _time, _log);
            _app = Build(url);
            await _app.StartAsync(cancellationToken);
        }
        catch (IOException busy) when (busy.InnerException is AddressInUseException)
        {
            throw new InvalidOperationException($"{UrlSetting} is {url}, and another process listens there. Stop that process, or set {UrlSetting} to another address.", busy);
        }

        _lifetime.ApplicationStarted.Register(() =>
        {
            _sandbox.RegisterWebhook(WebhookUrl(), _stripe.WebhookSecrets[0], _clock.Now);
            _sender.Start();
        });
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_app is not null) await _app.StopAsync(cancellationToken);
        if (_sender is not null) await _sender.DisposeAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
        if (_sender is not null) await _sender.DisposeAsync();
        if (_store is not null) await _store.DisposeAsync();
        _store = null;
    }

    private string Url => _settings[UrlSetting] is { Length: > 0 } set ? set : UrlDefault;

    private WebApplication Build(string url)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.AddServerHeader = false).UseUrls(url);
        // Signals are for the platform, which stops this.
        builder.Services.AddSingleton<IHostLifetime, LifetimeOfThePlatform>();
        var app = builder.Build();
        app.Run(Answer);
        return app;
    }

    private async Task Answer(HttpContext context)
    {
        try
        {
            using var reader = new StreamReader(context.Request.Body);
            var headers = context.Request.Headers;
            var response = await _sandbox!.HandleAsync(
                new(
                    context.Request.Method,
                    context.Request.Path.Value ?? "/",
                    context.Request.QueryString.Value is { Length: > 0 } query ? query[1..] : "",
                    Header("Authorization"),
                    Header("Idempotency-Key"),
                    Header("Stripe-Version"),
                    await reader.ReadToEndAsync(context.RequestAborted)),
                _clock.Now);
            _sender!.Wake();
            if (response.ConnectionLost)
            {
                context.Abort();
                return;
            }

            if (response.Delay > TimeSpan.Zero) await Task.Delay(response.Delay, _time, context.RequestAborted);
            context.Response.StatusCode = response.Status;
            context.Response.ContentType = "application/json";
            foreach (var (name, value) in response.Headers) context.Response.Headers[name] = value;
            if (Header("Stripe-Version") is { } version) context.Response.Headers["Stripe-Version"] = version;
            if (Header("Idempotency-Key") is { } key) context.Response.Headers["Idempotency-Key"] = key;
            await context.Response.WriteAsync(response.Body, context.RequestAborted);

            string? Header(string name) => headers.TryGetValue(name, out var value) ? value.ToString() : null;
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller went away; what was done stays done.
        }
        catch (BadHttpRequestException unreadable)
        {
            context.Response.StatusCode = unreadable.StatusCode;
        }
        catch (Exception failed)
        {
            // What it did may not be durable, and memory may be ahead of the file: only a new start can tell.
            LogBroken(failed);
            context.Abort();
            _lifetime.StopApplication();
        }
    }

    private string WebhookUrl()
    {
        var own = _platform.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? _settings["BILLING_URL"] ?? "http://127.0.0.1:5080";
        // An address of all interfaces is reached on this one.
        var address = BindingAddress.Parse(own);
        var host = address.Host is "0.0.0.0" or "[::]" or "*" or "+" ? "127.0.0.1" : address.Host;
        return $"{address.Scheme}://{host}:{address.Port.ToString(CultureInfo.InvariantCulture)}/v1/stripe/webhook";
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "The sandbox Stripe cannot go on. The platform stops; start it again to read what is durable.")]
    private partial void LogBroken(Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Another silo of this store serves the sandbox Stripe: {Reason}")]
    private partial void LogServedElsewhere(string reason);

    private sealed class LifetimeOfThePlatform : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
