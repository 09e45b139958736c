using Orleans.Core;
using Orleans.Runtime;

namespace Orleans
{
    /// <summary>A record as a store sees it.</summary>
    public interface IGrainState<T>
    {
        /// <summary>The content.</summary>
        T State { get; set; }

        /// <summary>The version.</summary>
        string? ETag { get; set; }

        /// <summary>Whether the store holds it.</summary>
        bool RecordExists { get; set; }
    }
}

namespace Orleans.Storage
{
    /// <summary>Keeps records of grains. Registered as a keyed service under its name; without a key it is the default store.</summary>
    public interface IGrainStorage
    {
        /// <summary>Fills <paramref name="grainState"/> with what is stored, or leaves it new when nothing is.</summary>
        Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState);

        /// <inheritdoc cref="ReadStateAsync{T}(string, GrainId, IGrainState{T})"/>
        Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken) =>
            ReadStateAsync(stateName, grainId, grainState);

        /// <summary>Stores the record if its tag is still the stored one.</summary>
        /// <exception cref="InconsistentStateException">Another version is stored; nothing was written.</exception>
        Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState);

        /// <inheritdoc cref="WriteStateAsync{T}(string, GrainId, IGrainState{T})"/>
        Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken) =>
            WriteStateAsync(stateName, grainId, grainState);

        /// <summary>Removes the record if its tag is still the stored one.</summary>
        /// <exception cref="InconsistentStateException">Another version is stored; nothing was removed.</exception>
        Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState);

        /// <inheritdoc cref="ClearStateAsync{T}(string, GrainId, IGrainState{T})"/>
        Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken) =>
            ClearStateAsync(stateName, grainId, grainState);
    }
}

namespace Orleans.Runtime
{
    /// <summary>A record that is read before the grain activates. A constructor asks for it with <see cref="PersistentStateAttribute"/>.</summary>
    public interface IPersistentState<TState> : IStorage<TState>;

    /// <summary>Names the record, and the store that keeps it.</summary>
    [AttributeUsage(AttributeTargets.Parameter)]
    public class PersistentStateAttribute : Attribute
    {
        /// <summary>Names the record and its store; without a store name the default one.</summary>
        public PersistentStateAttribute(string stateName, string? storageName = null)
        {
            StateName = stateName;
            StorageName = storageName;
        }

        /// <summary>The name of the record within its grain.</summary>
        public string StateName { get; }

        /// <summary>The key under which the store is registered, or null for the default one.</summary>
        public string? StorageName { get; }
    }
}
