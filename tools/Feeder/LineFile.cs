using System.IO.Compression;

namespace Billing.Feeder;

/// <summary>Reads newline-delimited files, plain or gzipped (told by the first two bytes, not by the name).</summary>
internal static class LineFile
{
    private const int BufferBytes = 1 << 16;

    /// <summary>Reads the events of a file, in file order. Blank lines are no events.</summary>
    /// <exception cref="FeederException">The file cannot be opened, or breaks off: the message names the last readable line.</exception>
    public static IReadOnlyList<EventLine> ReadEvents(string path) =>
        ReadLines(path).Select(line => EventLine.Read(line.Number, line.Bytes)).ToList();

    /// <summary>Reads the lines of a file that are not blank, with their numbers from 1.</summary>
    /// <exception cref="FeederException">The file cannot be opened, or breaks off: the message names the last readable line.</exception>
    public static IReadOnlyList<(int Number, ReadOnlyMemory<byte> Bytes)> ReadLines(string path)
    {
        var lines = new List<(int, ReadOnlyMemory<byte>)>();
        var number = 0;
        try
        {
            using var file = File.OpenRead(path);
            using var stream = Unpacked(file);
            using var line = new MemoryStream();
            var buffer = new byte[BufferBytes];
            int read;
            while ((read = stream.Read(buffer)) > 0)
            {
                var rest = buffer.AsSpan(0, read);
                int feed;
                while ((feed = rest.IndexOf((byte)'\n')) >= 0)
                {
                    line.Write(rest[..feed]);
                    rest = rest[(feed + 1)..];
                    Take(line, lines, ++number);
                }

                line.Write(rest);
            }

            if (line.Length > 0)
                Take(line, lines, ++number);

            return lines;
        }
        catch (Exception broken) when (broken is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            var where = number == 0 ? "" : $" after line {number}";
            throw new FeederException(FeederExit.InputFailed, $"{path} cannot be read{where}: {broken.Message}", broken);
        }
    }

    private static Stream Unpacked(FileStream file)
    {
        var packed = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        return packed ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    private static void Take(MemoryStream line, List<(int, ReadOnlyMemory<byte>)> lines, int number)
    {
        var bytes = line.ToArray();
        line.SetLength(0);
        if (bytes.AsSpan().IndexOfAnyExcept(" \t\r"u8) >= 0)
            lines.Add((number, bytes));
    }
}
