using Billing.Journal;
using Billing.Plans;

namespace Billing.Tests.Simulation;

/// <summary>The one catalogue of a run.</summary>
internal sealed class SimulatedCatalogs(CompiledCatalog latest) : ICatalogs, ICatalogUpdates
{
    public CompiledCatalog Latest => latest;

    CompiledCatalog? ICatalogs.Latest => latest;

    public CompiledCatalog? Find(string version) => version == latest.Catalog.Version ? latest : null;

    Task ICatalogUpdates.Refresh() => Task.CompletedTask;
}
