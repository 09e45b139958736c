using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>
/// Remembers outside the database how far it was acknowledged, so that a journal that lost its end, such as one whose
/// write-ahead log was removed, is noticed. Survives the death of the process; after a loss of power it may be older, which
/// only notices less.
/// </summary>
/// <remarks>Commit (8 bytes) and its check sum (4), in mapped memory: noting a commit costs no call to the system.</remarks>
internal sealed class HeadFile : IDisposable
{
    private const int Bytes = 12;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    public HeadFile(string path)
    {
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.OpenOrCreate, null, Bytes);
        _view = _file.CreateViewAccessor(0, Bytes);
    }

    /// <summary>The last commit noted; 0 in a new file, null when the check sum does not hold.</summary>
    public long? Read()
    {
        var bytes = new byte[Bytes];
        _view.ReadArray(0, bytes, 0, Bytes);
        if (!bytes.AsSpan().ContainsAnyExcept((byte)0)) return 0;
        return Crc32C.Of(bytes.AsSpan(0, 8)) == BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8)) ? BinaryPrimitives.ReadInt64LittleEndian(bytes) : null;
    }

    /// <summary>Notes a commit that is durable.</summary>
    public void Write(long commit)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, commit);
        _view.Write(0, commit);
        _view.Write(8, Crc32C.Of(bytes));
    }

    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }
}
