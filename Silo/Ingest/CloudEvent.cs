namespace Billing.Silo.Ingest;

/// <summary>One event as it was read, or why it was refused.</summary>
/// <remarks>
/// Its texts are slices of the event's bytes, or of the reader's scratch: they end with the next
/// <see cref="CloudEventReader.Read"/>.
/// </remarks>
internal ref struct CloudEvent
{
    /// <summary>Who reports, UTF-8 without escapes. Also filled for a refused event, if it could be read.</summary>
    public ReadOnlySpan<byte> Source { get; internal set; }

    /// <summary>The reporter's name for the event, UTF-8 without escapes. Also filled for a refused event, if it could be read.</summary>
    public ReadOnlySpan<byte> Id { get; internal set; }

    /// <summary>The account's id, UTF-8 without escapes. Also filled for a refused event that names one account.</summary>
    public ReadOnlySpan<byte> Subject { get; internal set; }

    /// <summary>What happened, UTF-8 without escapes.</summary>
    public ReadOnlySpan<byte> Type { get; internal set; }

    /// <summary>When it happened: 100 ns since 0001-01-01 UTC, rounded down.</summary>
    public long TimeTicks { get; internal set; }

    /// <summary>The JSON text of <c>data</c> as it was sent; empty if there is none.</summary>
    public ReadOnlySpan<byte> Data { get; internal set; }

    /// <summary>The hash of source and id.</summary>
    public UInt128 KeyHash { get; internal set; }

    /// <summary>Equal for events of equal type, time and data, however they are spelled.</summary>
    public uint Fingerprint { get; internal set; }

    /// <summary>Why the event was refused, with what to do; null if it was not.</summary>
    public string? Reason { get; internal set; }

    /// <summary>The attribute the refusal is about; null if it is about the whole event.</summary>
    public string? Field { get; internal set; }
}
