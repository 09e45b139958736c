namespace Billing.Tests.Simulation;

/// <summary>A fault that is put into a run on purpose: the invariants must find it.</summary>
internal enum PlantedFault
{
    None,

    /// <summary>The journal says that an entry is stored before it writes it.</summary>
    AcknowledgedBeforeAppend,

    /// <summary>The sender gets its 2xx before the facts are durable.</summary>
    AnsweredBeforeDurable,

    /// <summary>An entry is appended whatever number it names.</summary>
    AppendedWithoutFence,

    /// <summary>A snapshot takes its place before it is synced, and is trusted without its check sum.</summary>
    SnapshotSwappedBeforeSync,

    /// <summary>Segments of ids go, and snapshots no longer ask for them, days before the window ends.</summary>
    IdsForgottenEarly,

    /// <summary>A failed sync is tried again, and what it was for is acknowledged.</summary>
    FailedSyncRetried,

    /// <summary>The due time is set in memory only; a crash forgets it.</summary>
    DueTimeNotWritten,

    /// <summary>After a failed append the activation goes on with the state it has.</summary>
    StateKeptAfterFailedAppend,

    /// <summary>Recovery leaves the last commit out, as if it were torn.</summary>
    LastCommitDropped,
}
