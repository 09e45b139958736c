using Orleans.Runtime;

namespace Orleans.Embedded;

internal sealed class GrainFactory(GrainCatalog catalog) : IClusterClient
{
    public IServiceProvider ServiceProvider => catalog.Services;

    public TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey =>
        (TGrainInterface)(object)catalog.ReferenceTo(typeof(TGrainInterface), primaryKey, grainClassNamePrefix);

    public IGrain GetGrain(Type grainInterfaceType, string grainPrimaryKey) =>
        (IGrain)catalog.ReferenceTo(grainInterfaceType, grainPrimaryKey, null);

    public TGrainInterface GetGrain<TGrainInterface>(GrainId grainId)
        where TGrainInterface : IAddressable =>
        (TGrainInterface)(object)catalog.ReferenceTo(typeof(TGrainInterface), grainId);
}
