using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Billing.Journal;
using Billing.Silo.Storage;

namespace Billing.Tests.Simulation;

/// <summary>Snapshots and segments: each a file that is written beside the old one, synced, and then takes its name.</summary>
internal sealed partial class SimulatedStore
{
    private const string SnapshotFolder = "snapshot/";
    private const string SegmentFolder = "segment/";
    private const string Unfinished = ".new";
    private const int CrcBytes = 4;

    /// <summary>So many days early ids are forgotten when that fault is planted.</summary>
    private const int DaysEarly = 30;

    private Task _saving = Task.CompletedTask;
    private int _filesMade;

    /// <inheritdoc/>
    public Task SaveSnapshot(JournalSnapshot snapshot)
    {
        var copy = snapshot with { State = snapshot.State.ToArray(), Sealed = [.. snapshot.Sealed.Select(s => s with { Ids = s.Ids.ToArray() })] };
        var saving = SaveAfter(_saving, copy);
        _saving = saving;
        return saving;
    }

    /// <inheritdoc/>
    public Task<Dropped> Drop(int forgetDay, DateTimeOffset bodiesBefore, CancellationToken cancellation)
    {
        var over = _disk.Names(SegmentFolder).Where(name => DayOf(name) <= forgetDay).ToList();
        foreach (var name in over) _disk.Delete(name);
        _world.Trace.Count("segment dropped", over.Count);
        return Task.FromResult(new Dropped(over.Count, 0));
    }

    private static int DayOf(string segment) => int.Parse(segment.Split('/')[1]);

    private async Task SaveAfter(Task earlier, JournalSnapshot snapshot)
    {
        await earlier.ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        await _world.Delay(_process, _world.Latency());
        var account = _accounts[snapshot.Account];
        if (account.Snapshot?.Sequence >= snapshot.Sequence) return;

        var segments = account.Snapshot?.Segments.Where(_disk.Exists).ToList() ?? [];
        foreach (var segment in snapshot.Sealed)
        {
            var name = $"{SegmentFolder}{segment.ForgetDay}/{_filesMade++}.{snapshot.Sequence}";
            segments.RemoveAll(s => DayOf(s) == segment.ForgetDay);
            segments.Add(name);
            await Write(name, segment.Ids);
        }

        var file = SnapshotFolder + Convert.ToHexString(Encoding.UTF8.GetBytes(snapshot.Account));
        await Write(file + Unfinished, Snapshot.Write(snapshot, segments));
        _disk.Rename(file + Unfinished, file);
        _disk.SyncFolder();
        account.Snapshot = new(file, snapshot.Sequence, segments);
        _world.Trace.Add(snapshot.Sequence, Crc32C.Of(snapshot.State.Span));
    }

    private async Task Write(string name, ReadOnlyMemory<byte> bytes)
    {
        if (_disk.Exists(name)) _disk.Delete(name);
        var summed = new byte[CrcBytes + bytes.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(summed, Crc32C.Of(bytes.Span));
        bytes.CopyTo(summed.AsMemory(CrcBytes));
        _disk.Append(name, summed);
        await _world.Delay(_process, _world.Latency());

        // A segment can be dropped meanwhile: a file without a name is synced for nobody.
        if (_fault != PlantedFault.SnapshotSwappedBeforeSync && _disk.Exists(name)) _disk.Sync(name);
        await _world.Delay(_process, _world.Latency());
    }

    private void OpenSnapshots()
    {
        foreach (var file in _disk.Names(SnapshotFolder).ToList())
        {
            if (file.EndsWith(Unfinished, StringComparison.Ordinal))
            {
                _disk.Delete(file);
                continue;
            }

            var account = Encoding.UTF8.GetString(Convert.FromHexString(file[SnapshotFolder.Length..]));
            if (Checked(file) is { } bytes && _accounts.TryGetValue(account, out var found)) found.Snapshot = Snapshot.Read(file, bytes.Span).Found;
        }

        _filesMade = _disk.Names(SegmentFolder).Select(n => int.Parse(n.Split('/')[2].Split('.')[0]) + 1).DefaultIfEmpty().Max();
    }

    /// <summary>What a file holds; null without it, or when its check sum does not hold.</summary>
    private ReadOnlyMemory<byte>? Checked(string file)
    {
        var bytes = _disk.Read(file).ToArray();
        if (bytes.Length < CrcBytes) return null;
        var holds = Crc32C.Of(bytes.AsSpan(CrcBytes)) == BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        return holds || _fault == PlantedFault.SnapshotSwappedBeforeSync ? bytes.AsMemory(CrcBytes) : null;
    }

    private JournalSnapshot? ReadSnapshot(Account account)
    {
        if (account.Snapshot is not { } known || Checked(known.File) is not { } bytes) return null;
        var (found, state) = Snapshot.Read(known.File, bytes.Span);
        var today = (int)((_world.Now - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerDay);
        var segments = new List<IdSegment>();
        foreach (var name in found.Segments)
        {
            if (!_disk.Exists(name)) continue;
            if (Checked(name) is not { } ids) return null;
            if (_fault != PlantedFault.IdsForgottenEarly || DayOf(name) > today + DaysEarly) segments.Add(new(DayOf(name), ids));
        }

        return new("", found.Sequence, _fault == PlantedFault.IdsForgottenEarly ? WithoutEarly(state, today + DaysEarly) : state, segments);
    }

    // The planted fault alone: the snapshot is made to rely on no segment that is left out.
    private static byte[] WithoutEarly(byte[] state, int day)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(state.AsSpan(1));
        var json = JsonNode.Parse(state.AsSpan(5, length))!.AsObject();
        var relied = json["sealed"]!.AsArray();
        for (var i = relied.Count - 1; i >= 0; i--)
            if ((int)relied[i]!["forget_day"]! <= day) relied.RemoveAt(i);
        var changed = JsonSerializer.SerializeToUtf8Bytes(json);
        var head = new byte[5];
        head[0] = state[0];
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(1), changed.Length);
        return [.. head, .. changed, .. state.AsSpan(5 + length)];
    }

    /// <summary>A snapshot that has its place: the file, the last entry in it, and the segments it relies on.</summary>
    private sealed record Snapshot(string File, long Sequence, List<string> Segments)
    {
        public static byte[] Write(JournalSnapshot snapshot, List<string> segments)
        {
            using var stream = new MemoryStream();
            using var writer = new BinaryWriter(stream);
            writer.Write(snapshot.Sequence);
            writer.Write(string.Join('\n', segments));
            writer.Write(snapshot.State.Span);
            return stream.ToArray();
        }

        public static (Snapshot Found, byte[] State) Read(string file, ReadOnlySpan<byte> bytes)
        {
            using var reader = new BinaryReader(new MemoryStream(bytes.ToArray()));
            var sequence = reader.ReadInt64();
            var segments = reader.ReadString().Split('\n', StringSplitOptions.RemoveEmptyEntries).ToList();
            segments.Sort((a, b) => DayOf(a).CompareTo(DayOf(b)));
            return (new(file, sequence, segments), bytes[(int)reader.BaseStream.Position..].ToArray());
        }
    }
}
