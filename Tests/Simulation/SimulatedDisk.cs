namespace Billing.Tests.Simulation;

/// <summary>
/// Files as a disk keeps them. What is written is seen at once; it survives a crash for certain only once it is synced, and a new or
/// changed name only once the folder is. Files grow at their end.
/// </summary>
internal sealed class SimulatedDisk(World world)
{
    private readonly List<Action<Dictionary<string, Inode>>> _unsyncedNames = [];
    private Dictionary<string, Inode> _names = new(StringComparer.Ordinal);
    private Dictionary<string, Inode> _durableNames = new(StringComparer.Ordinal);

    /// <summary>The next sync fails. What it should have made durable never will be, though it can still be read.</summary>
    public bool NextSyncFails { get; set; }

    /// <summary>The next write fails and leaves a part behind.</summary>
    public bool NextWriteFails { get; set; }

    /// <summary>While there is no room, writes fail and leave a part behind.</summary>
    public bool IsFull { get; set; }

    public bool Exists(string name) => _names.ContainsKey(name);

    public IEnumerable<string> Names(string prefix) => _names.Keys.Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    public int Length(string name) => _names.TryGetValue(name, out var file) ? file.Length : 0;

    public ReadOnlySpan<byte> Read(string name) => _names.TryGetValue(name, out var file) ? file.Bytes.AsSpan(0, file.Length) : [];

    public byte[] Read(string name, int offset, int length) => Read(name).Slice(offset, length).ToArray();

    /// <summary>Writes at the end of a file, making it if there is none.</summary>
    public void Append(string name, ReadOnlySpan<byte> bytes)
    {
        if (!_names.TryGetValue(name, out var file))
        {
            file = new();
            ChangeNames(names => names[name] = file);
        }

        if (!NextWriteFails && !IsFull)
        {
            file.Append(bytes);
            return;
        }

        NextWriteFails = false;
        file.Append(bytes[..world.Index(bytes.Length + 1)]);
        throw new IOException(IsFull ? "No space left on device." : "Input/output error in a write.");
    }

    public void Sync(string name)
    {
        var file = _names[name];
        if (NextSyncFails)
        {
            NextSyncFails = false;
            file.Lose();
            throw new IOException("Input/output error in a sync.");
        }

        file.Synced = file.Length;
    }

    /// <summary>Cuts a file; durable at once.</summary>
    public void Cut(string name, int length) => _names[name].Cut(length);

    public void Rename(string from, string to)
    {
        var file = _names[from];
        ChangeNames(names =>
        {
            names.Remove(from);
            names[to] = file;
        });
    }

    public void Delete(string name) => ChangeNames(names => names.Remove(name));

    public void SyncFolder()
    {
        foreach (var change in _unsyncedNames) change(_durableNames);
        _unsyncedNames.Clear();
    }

    /// <summary>The power fails: of what was not synced, any part may be lost, torn or damaged.</summary>
    public void Crash()
    {
        foreach (var change in _unsyncedNames.Take(world.Index(_unsyncedNames.Count + 1))) change(_durableNames);
        _unsyncedNames.Clear();
        _names = new(_durableNames, StringComparer.Ordinal);
        foreach (var name in _names.Keys.Order(StringComparer.Ordinal)) _names[name].Crash(world);
    }

    private void ChangeNames(Action<Dictionary<string, Inode>> change)
    {
        change(_names);
        _unsyncedNames.Add(change);
    }

    private sealed class Inode
    {
        private readonly List<(int From, int To)> _lost = [];

        public byte[] Bytes { get; private set; } = [];

        public int Length { get; private set; }

        public int Synced { get; set; }

        public void Append(ReadOnlySpan<byte> bytes)
        {
            if (Length + bytes.Length > Bytes.Length)
            {
                var larger = new byte[int.Max(Length + bytes.Length, 2 * Bytes.Length)];
                Bytes.AsSpan(0, Length).CopyTo(larger);
                Bytes = larger;
            }

            bytes.CopyTo(Bytes.AsSpan(Length));
            Length += bytes.Length;
        }

        // The pages count as clean from now on: a later sync succeeds and writes none of them.
        public void Lose() => _lost.Add((Synced, Length));

        public void Cut(int length)
        {
            Length = length;
            Synced = int.Min(Synced, length);
            _lost.RemoveAll(l => l.From >= length);
        }

        public void Crash(World world)
        {
            if (Synced < Length)
            {
                Length = Synced + world.Index(Length - Synced + 1);
                if (Synced < Length && world.Chance(40)) Bytes[Synced + world.Index(Length - Synced)] ^= (byte)(1 << world.Index(8));
            }

            foreach (var (from, to) in _lost)
                if (from < Length) Bytes.AsSpan(from, int.Min(to, Length) - from).Clear();
            _lost.Clear();
            Synced = Length;
        }
    }
}
