using Orleans.Runtime;

namespace Orleans.Storage;

/// <summary>
/// The stored state is not the one this activation has read. Nothing was written.
/// When it leaves a grain call, the activation is ended: the next one reads what is stored.
/// </summary>
public class InconsistentStateException : OrleansException
{
    /// <summary>A conflict without words.</summary>
    public InconsistentStateException()
    {
    }

    /// <summary>A conflict.</summary>
    public InconsistentStateException(string message)
        : base(message)
    {
    }

    /// <summary>A conflict and what caused it.</summary>
    public InconsistentStateException(string message, Exception? innerException)
        : base(message, innerException!)
    {
    }

    /// <summary>A conflict between two tags, and what caused it.</summary>
    public InconsistentStateException(string errorMsg, string? storedEtag, string? currentEtag, Exception? storageException)
        : base(errorMsg, storageException!)
    {
        StoredEtag = storedEtag;
        CurrentEtag = currentEtag;
    }

    /// <summary>A conflict between two tags.</summary>
    public InconsistentStateException(string errorMsg, string? storedEtag, string? currentEtag)
        : this(errorMsg, storedEtag, currentEtag, null)
    {
    }

    /// <summary>A conflict between two tags that an exception of the store told of.</summary>
    public InconsistentStateException(string? storedEtag, string? currentEtag, Exception storageException)
        : this(storageException.Message, storedEtag, currentEtag, storageException)
    {
    }

    /// <summary>The tag in the store.</summary>
    public string? StoredEtag { get; }

    /// <summary>The tag the writer had.</summary>
    public string? CurrentEtag { get; }

    // Only the activation that met the conflict ends, not those the exception passes on its way to the caller.
    internal bool MetHere { get; set; } = true;
}
