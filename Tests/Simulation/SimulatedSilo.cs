using System.Runtime.CompilerServices;
using Billing.Accounts;
using Billing.Journal;
using Billing.Plans;
using Billing.Silo.Charging;
using Billing.Silo.Ingest;
using Billing.Silo.Scheduling;
using Billing.Silo.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Configuration;
using Orleans.Embedded;
using Orleans.Runtime;

namespace Billing.Tests.Simulation;

/// <summary>One silo: the embedded runtime with the account grains, the ingest, the billing clock and the due work, all in one process.</summary>
internal sealed class SimulatedSilo
{
    private static readonly GrainClasses Classes = new([typeof(MerchantAccountGrain)], new());

    private readonly StoreConnection _store;

    private SimulatedSilo(StoreConnection store, Process process, IGrainFactory grains, GrainCatalog catalog, BillingClock clock, UsageIngest ingest, DueWork dueWork, StripeWork stripeWork)
    {
        _store = store;
        (Process, Grains, Catalog, Clock, Ingest, DueWork, StripeWork) = (process, grains, catalog, clock, ingest, dueWork, stripeWork);
    }

    public Process Process { get; }

    public IGrainFactory Grains { get; }

    public GrainCatalog Catalog { get; }

    public BillingClock Clock { get; }

    public UsageIngest Ingest { get; }

    public DueWork DueWork { get; }

    public StripeWork StripeWork { get; }

    /// <summary>Whether a round of due work is under way.</summary>
    public bool IsWaking { get; set; }

    /// <summary>No look at what is due before this time: the scheduler looks once a second.</summary>
    public long NextLook { get; set; }

    /// <summary>Starts a silo on a store. It must run in the silo's process.</summary>
    public static async Task<SimulatedSilo> Start(World world, Process process, StoreConnection store, SimulatedCatalogs catalogs, SimulatedStripe stripe)
    {
        var clock = await BillingClock.Load(store, process.Time, null);
        var services = new Services
        {
            [typeof(IJournal)] = store,
            [typeof(IBillingClock)] = clock,
            [typeof(ICatalogs)] = catalogs,
            [typeof(ICatalogUpdates)] = catalogs,
            [typeof(IHolds)] = new Billing.Silo.Checking.Holds(),
            [typeof(ILogger<MerchantAccountGrain>)] = new Watched<MerchantAccountGrain>(world),
        };
        var catalog = new GrainCatalog(
            services, Classes, process.Threads, process.Time, Options.Create(new GrainCollectionOptions()), new(new Watched<RuntimeLog>(world)));
        var grains = new GrainFactory(catalog);
        var waiting = new WaitingRoom(new NobodyWaits(), grains, process.Time, new Watched<WaitingRoom>(world));
        var calls = new StripeWork(stripe.For(process), grains, process.Time, new Watched<StripeWork>(world));
        return new(
            store, process, grains, catalog, clock, new(store, new(grains), waiting, clock), new(store, grains, calls, clock, process.Time, new Watched<DueWork>(world)), calls);
    }

    /// <summary>The accounts that are active here, each with its state.</summary>
    public IEnumerable<AccountState> States() => Catalog.Activations
        .Select(a => a.GrainInstance).OfType<MerchantAccountGrain>()
        .Select(grain => StateOf(grain)).OfType<AccountState>()
        .OrderBy(s => s.Id, StringComparer.Ordinal);

    /// <summary>Does what is to be done once a day: notes the clock and drops segments that nobody asks for.</summary>
    public async Task KeepUp()
    {
        var today = (int)((Clock.Now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerDay);
        await Clock.NoteHighest();
        await _store.Drop(today - 1, default, default);
    }

    /// <summary>Ends an activation as if it had been idle for long.</summary>
    public void Deactivate(string account) => Catalog.Activations
        .FirstOrDefault(a => a.GrainId.Key.ToString() == account)?
        .Deactivate(new(DeactivationReasonCode.ActivationIdle, "Unused for long."));

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_state")]
    private static extern ref AccountState? StateOf(MerchantAccountGrain grain);

    /// <summary>No account is held here, and none fails by itself.</summary>
    private sealed class NobodyWaits : IWaitingEvents
    {
        public Task Add(WaitingEvents events) => throw new InvalidOperationException($"Events wait for the account {events.Account}: {events.Reason}.");

        public Task<IReadOnlyList<string>> Accounts() => Task.FromResult<IReadOnlyList<string>>([]);

        public Task<StoredEvents?> Next(string account, long after) => Task.FromResult<StoredEvents?>(null);

        public Task Remove(string account, long number) => Task.CompletedTask;
    }

    /// <summary>The few services that grains and their runtime ask for.</summary>
    private sealed class Services : Dictionary<Type, object>, IServiceProvider, IServiceScopeFactory, IServiceScope
    {
        public IServiceProvider ServiceProvider => this;

        public object? GetService(Type serviceType) =>
            serviceType == typeof(IServiceScopeFactory) || serviceType == typeof(IServiceProvider) ? this
            : serviceType == typeof(IGrainContext) ? Activation.Current
            : serviceType == typeof(IEnumerable<IIncomingGrainCallFilter>) ? Array.Empty<IIncomingGrainCallFilter>()
            : this.GetValueOrDefault(serviceType);

        public IServiceScope CreateScope() => this;

        public void Dispose()
        {
        }
    }
}
