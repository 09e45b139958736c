using System.Collections.Immutable;
using Billing.Metering;

namespace Billing.Plans;

/// <summary>A catalogue version made ready for the path of an event. Immutable and shared.</summary>
public sealed class CompiledCatalog
{
    /// <summary>Compiles a published version.</summary>
    public CompiledCatalog(Catalog catalog)
    {
        Catalog = catalog;
        var types = catalog.Meters.Select(m => m.Event).Concat(catalog.Meters.Select(m => m.CancelledBy?.Event).OfType<string>()).Distinct();
        Programs = [.. types.Select(type => new EventProgram(type, catalog.Meters))];
    }

    /// <summary>What was compiled.</summary>
    public Catalog Catalog { get; }

    internal ImmutableArray<EventProgram> Programs { get; }
}

/// <summary>The published catalogue versions. Published versions never change, so an answer may be kept for good.</summary>
public interface ICatalogs
{
    /// <summary>The newest version; null while none is published.</summary>
    CompiledCatalog? Latest { get; }

    /// <summary>The currencies that there are versions in, in the order in which they came; who names none pays in the first.</summary>
    ImmutableArray<string> Currencies => Latest is { } latest ? [latest.Catalog.Currency] : [];

    /// <summary>The newest version priced in a currency, which new subscriptions get that name no version; null while there is none.</summary>
    CompiledCatalog? LatestIn(string currency) => Latest is { } latest && latest.Catalog.Currency == currency ? latest : null;

    /// <summary>A published version, or null.</summary>
    CompiledCatalog? Find(string version);
}

/// <summary>An account is on a catalogue version that is not known here: another silo has just published it, or the store lacks it.</summary>
public sealed class UnknownCatalogException(string message) : Exception(message);
