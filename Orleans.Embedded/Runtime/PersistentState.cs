using System.Runtime.CompilerServices;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Embedded;

/// <summary>A record of one activation, bound to its store.</summary>
internal sealed class PersistentState<T>(string name, GrainId grain, IGrainStorage store) : IPersistentState<T>
{
    private readonly Record _record = new();
    private bool _isRead;

    public T State
    {
        get => _record.State;
        set => _record.State = value;
    }

    public string? Etag => _record.ETag;

    public bool RecordExists => _isRead
        ? _record.RecordExists
        : throw new InvalidOperationException($"The record {name} of {grain} was not read yet.");

    public Task ReadStateAsync() => ReadStateAsync(default);

    public Task WriteStateAsync() => WriteStateAsync(default);

    public Task ClearStateAsync() => ClearStateAsync(default);

    public async Task ReadStateAsync(CancellationToken cancellationToken)
    {
        await store.ReadStateAsync(name, grain, _record, cancellationToken);
        _isRead = true;
    }

    public Task WriteStateAsync(CancellationToken cancellationToken) =>
        store.WriteStateAsync(name, grain, _record, cancellationToken);

    public Task ClearStateAsync(CancellationToken cancellationToken) =>
        store.ClearStateAsync(name, grain, _record, cancellationToken);

    private sealed class Record : IGrainState<T>
    {
        // A store may leave null where it has nothing: the grain then finds a new state.
        public T State
        {
            get => field ??= NewState();
            set;
        }

        public string? ETag { get; set; }

        public bool RecordExists { get; set; }

        private static T NewState()
        {
            var type = typeof(T);
            if (type.IsValueType || type == typeof(string)) return default!;

            return type.GetConstructor(Type.EmptyTypes) is null
                ? (T)RuntimeHelpers.GetUninitializedObject(type)
                : Activator.CreateInstance<T>();
        }
    }
}
