using System.Collections.Concurrent;
using System.Globalization;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace Billing.Tests.Cluster;

/// <summary>Keeps records of grains in memory, with versions that are checked.</summary>
public sealed class MemoryStorage : IGrainStorage
{
    private readonly ConcurrentDictionary<(string Name, GrainId Grain), (object? State, int Version)> _records = new();

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (_records.TryGetValue((stateName, grainId), out var record))
        {
            grainState.State = (T)record.State!;
            grainState.ETag = record.Version.ToString(CultureInfo.InvariantCulture);
            grainState.RecordExists = true;
        }
        else
        {
            grainState.ETag = null;
            grainState.RecordExists = false;
        }

        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var version = Check(stateName, grainId, grainState.ETag) + 1;
        _records[(stateName, grainId)] = (grainState.State, version);
        grainState.ETag = version.ToString(CultureInfo.InvariantCulture);
        grainState.RecordExists = true;
        return Task.CompletedTask;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        Check(stateName, grainId, grainState.ETag);
        _records.TryRemove((stateName, grainId), out _);
        grainState.ETag = null;
        grainState.RecordExists = false;
        return Task.CompletedTask;
    }

    /// <summary>Stands for a write by another activation.</summary>
    public void ChangeBehindTheGrain(string stateName, GrainId grainId, object state) =>
        _records[(stateName, grainId)] = (state, _records.GetValueOrDefault((stateName, grainId)).Version + 1);

    private int Check(string stateName, GrainId grainId, string? tag)
    {
        var stored = _records.GetValueOrDefault((stateName, grainId)).Version;
        var expected = tag is null ? 0 : int.Parse(tag, CultureInfo.InvariantCulture);
        return stored == expected
            ? stored
            : throw new InconsistentStateException("Another version is stored.", stored.ToString(CultureInfo.InvariantCulture), tag);
    }
}
