using System.Text.Json;
using System.Text.Json.Serialization;
using Billing.Http;
using Billing.Journal;
using Billing.Plans;
using Billing.Silo.Api;
using Billing.Silo.Catalogs;
using Billing.Silo.Charging;
using Billing.Silo.Checking;
using Billing.Silo.Feed;
using Billing.Silo.Ingest;
using Billing.Silo.Sandbox;
using Billing.Silo.Scheduling;
using Billing.Silo.Security;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Sqlite;
using Billing.Silo.Stripe;

namespace Billing.Silo.Hosting;

/// <summary>One silo: the store, the grains on their Orleans, the HTTP API and the scheduler, put together from settings.</summary>
internal sealed class Platform : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly IStore _store;
    private readonly BillingClock _clock;

    private Platform(WebApplication app, IStore store, BillingClock clock)
    {
        _app = app;
        _store = store;
        _clock = clock;
        if (store is SqliteStore embedded)
            embedded.IndexingFailed += failed => app.Logger.LogError(failed, "index.db, which is derived from the journal, could not be written. Nothing is lost; it is tried again later.");
        store.Broken += failed =>
        {
            StoppedBy = failed;
            app.Logger.LogCritical(failed, "The store cannot go on: it is not known what is on disk. The platform stops; start it again to read what is durable.");
            app.Lifetime.StopApplication();
        };
        store.AvailabilityChanged += why =>
        {
            if (why is null) app.Logger.LogWarning("The store can be used again.");
            else app.Logger.LogError("The store cannot be used: {Why} Until it can, calls answer 503 and are safe to send again; what was acknowledged is stored.", why.Message);
        };
    }

    /// <summary>What made the platform stop; null when it was asked to.</summary>
    public Exception? StoppedBy { get; private set; }

    /// <summary>The store of the running platform.</summary>
    public IStore Store => _store;

    /// <summary>The services of the running platform.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>Where the platform listens; a port of 0 in the settings stands here as the one it was given.</summary>
    public IEnumerable<string> Addresses => _app.Urls;

    /// <summary>Opens the store and starts to serve.</summary>
    /// <param name="args">Settings as <c>--NAME=value</c>; they come before environment and <c>appsettings.json</c>.</param>
    /// <param name="configure">Changes the host before it is built.</param>
    public static async Task<Platform> Start(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        var settings = builder.Configuration;
        if (settings["BILLING_CLUSTER_DATABASE"] is { Length: > 0 } && !Stores.AreShared(settings)) throw new InvalidOperationException("BILLING_CLUSTER_DATABASE is set, but the store is SQLite, which belongs to one silo alone: each silo of the cluster would bill from a store of its own. Leave it out.");
        if (settings["CRASH_AT"] is { Length: > 0 } && settings["STRIPE_SECRET_KEY"] is { Length: > 0 }) throw new InvalidOperationException("CRASH_AT and STRIPE_SECRET_KEY are both set: a silo that charges real money is not crashed on purpose. Leave one out.");
        CrashPoints.Arm(settings["CRASH_AT"]);

        var retention = BodyRetention.Read(settings["BILLING_BODY_RETENTION_DAYS"]);
        var store = await Stores.Open(settings);
        try
        {
            await HashKeyCheck.Verify(store);
            var clock = await BillingClock.Load(store, TimeProvider.System, ClockStart(settings["BILLING_CLOCK"]));
            var catalogs = await PublishedCatalogs.Load(
                store, clock, settings["BILLING_CATALOG"] ?? Path.Combine(AppContext.BaseDirectory, "catalog.sample.json"));
            var keys = await ApiKeys.Load(
                store, clock, settings["BILLING_ADMIN_KEY"], made => Console.WriteLine($"Admin key, shown this once: {made}"));

            builder.WebHost.UseUrls(settings["BILLING_URL"] ?? "http://127.0.0.1:5080");
            builder.WebHost.ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = RequestReading.BodyBytesMax + 1L;
            });
            // First, so that the grains run before anything calls them, and until the last caller has stopped.
            builder.AddOrleans();
            AddServices(builder.Services, store, clock, catalogs, keys);
            builder.Services.AddSingleton(retention);
            if (Stores.AreShared(settings)) builder.Services.AddHostedService<SharedStoreRefresh>();
            builder.Services.AddSingleton(await StripeOptions.Load(settings, store));
            if (SandboxServer.IsWanted(settings)) AddSandbox(builder.Services);
            AddBackgroundWork(builder.Services);
            configure?.Invoke(builder);

            var app = builder.Build();
            try
            {
                MapRequests(app);
                foreach (var notice in store.Notices) app.Logger.LogWarning("{Notice}", notice);
                var platform = new Platform(app, store, clock);
                await app.StartAsync();
                return platform;
            }
            catch
            {
                await app.DisposeAsync();
                throw;
            }
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>Serves until it is told to stop, then drains.</summary>
    public Task Run() => _app.WaitForShutdownAsync();

    /// <summary>Says where the platform listens and what time it is there.</summary>
    public void PrintAddresses()
    {
        foreach (var address in Addresses) Console.WriteLine($"Orleans.Billing listens on {address}  (API description: {address}/openapi/v1.json)");
        if (Services.GetService<SandboxServer>() is { } sandbox) Console.WriteLine($"The sandbox Stripe listens on {sandbox.Address.GetLeftPart(UriPartial.Authority)}");
        Console.WriteLine($"Billing clock: {UtcJsonConverter.ToText(_clock.Now)}{(_clock.StandsStill ? ", standing still until it is moved" : "")}");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _store.DisposeAsync();
    }

    private static void AddServices(IServiceCollection services, IStore store, BillingClock clock, PublishedCatalogs catalogs, ApiKeys keys)
    {
        services.AddSingleton<IJournal>(store);
        services.AddSingleton<IRetention>(store);
        services.AddSingleton<IIntegrity>(store);
        services.AddSingleton<ISettings>(store);
        services.AddSingleton<ICatalogStore>(store);
        services.AddSingleton<IDueTimes>(store);
        services.AddSingleton<IAccountDirectory>(store);
        services.AddSingleton<IIdempotencyStore>(store);
        services.AddSingleton<IWaitingEvents>(store);
        services.AddSingleton<IStripeEvents>(store);
        services.AddSingleton<IFeedEntries>(store);
        services.AddSingleton<FactFeed>();
        services.AddSingleton<IBillingClock>(clock);
        services.AddSingleton(clock);
        services.AddSingleton<ICatalogs>(catalogs);
        services.AddSingleton<ICatalogUpdates>(catalogs);
        services.AddSingleton(catalogs);
        services.AddSingleton<CatalogDesk>();
        services.AddSingleton<BackTests>();
        services.AddSingleton<CatalogMoves>();
        services.AddSingleton(keys);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<AccountLanes>();
        services.AddSingleton<WaitingRoom>();
        services.AddSingleton<BodyBudget>();
        services.AddSingleton<UsageIngest>();
        services.AddSingleton<DueWork>();
        services.AddSingleton<SandboxClock>();
        services.AddSingleton<StripeConnection>();
        services.AddSingleton<ICarryOut>(s => s.GetRequiredService<StripeConnection>());
        services.AddSingleton<PaymentMethodDesk>();
        services.AddSingleton<StripeWork>();
        services.AddSingleton<StripeEventWork>();
        services.AddSingleton<IDueBesideAccounts>(s => s.GetRequiredService<StripeEventWork>());
        services.AddSingleton<WebhookCounts>();
        services.AddSingleton<Holds>();
        services.AddSingleton<IHolds>(s => s.GetRequiredService<Holds>());
        services.AddSingleton<AccountListing>();
        services.AddSingleton<StoreCheck>();
        services.AddSingleton<Idempotency>();
        ApiKeyAuthentication.Add(services);
        services.AddOpenApi("v1", ApiDescription.Configure);
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, BillingJson.Web);
        });
    }

    // Behind the sandbox: what they do first may be to call it.
    private static void AddBackgroundWork(IServiceCollection services)
    {
        services.AddHostedService<StripeDrain>();
        services.AddHostedService(s => s.GetRequiredService<StripeEventWork>());
        services.AddHostedService<Scheduler>();
        services.AddHostedService(s => s.GetRequiredService<StoreCheck>());
        services.AddHostedService<Upkeep>();
        services.AddHostedService(s => s.GetRequiredService<BackTests>());
        services.AddHostedService(s => s.GetRequiredService<CatalogMoves>());
    }

    private static void AddSandbox(IServiceCollection services)
    {
        services.AddSingleton<SandboxServer>();
        services.AddSingleton<IDueBesideAccounts>(s => s.GetRequiredService<SandboxServer>());
        services.AddHostedService(s => s.GetRequiredService<SandboxServer>());
    }

    private static void MapRequests(WebApplication app)
    {
        app.UseMiddleware<ProblemResponses>();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseMiddleware<QueryNames>();
        app.UseMiddleware<Idempotency>();
        app.MapOpenApi("/openapi/v1.json");
        HealthEndpoints.Map(app);
        EventsEndpoint.Map(app);
        AccountEndpoints.Map(app);
        AccountChangeEndpoints.Map(app);
        ChargeEndpoints.Map(app);
        InvoiceEndpoints.Map(app);
        HistoryEndpoints.Map(app);
        LedgerEndpoint.Map(app);
        FeedEndpoint.Map(app);
        EntitlementEndpoint.Map(app);
        CatalogEndpoints.Map(app);
        BackTestEndpoints.Map(app);
        CatalogMoveEndpoints.Map(app);
        CheckEndpoints.Map(app);
        SandboxEndpoints.Map(app);
        StripeWebhookEndpoint.Map(app);
        NotBuiltEndpoints.Map(app);
    }

    private static DateTimeOffset? ClockStart(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        return RequestReading.ReadInstant(text) is { } start && start >= BillingClock.Earliest && start < BillingClock.Latest
            ? start
            : throw new InvalidOperationException($"BILLING_CLOCK is \"{text}\"; it needs an RFC 3339 time from 1970 to 2148, such as 2026-11-01T00:00:00Z.");
    }
}
