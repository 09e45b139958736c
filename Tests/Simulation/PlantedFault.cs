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

    /// <summary>A call to Stripe goes out although the entry that says so could not be appended.</summary>
    SentBeforeDurable,

    /// <summary>After an answer that does not say what was done, the call goes out again at once under another key.</summary>
    NewKeyAfterUnknown,

    /// <summary>Stripe has forgotten a key, and the call goes out again under it.</summary>
    KeyPrunedAndReused,

    /// <summary>The lines of an invoice are added twice.</summary>
    LinesAddedTwice,

    /// <summary>A payment of which nothing is known is taken for made.</summary>
    UnknownTakenAsDone,

    /// <summary>A step of which nothing is known is taken for not done, and goes out under the next key without a look.</summary>
    UnknownTakenAsNotDone,

    /// <summary>A declined payment is taken for made.</summary>
    DeclinedTakenAsDone,

    /// <summary>What was done is answered as not done, and nothing is saved under its key.</summary>
    NotDoneSaidOfDone,

    /// <summary>One call that was handed out is carried out twice, under two keys.</summary>
    CarriedOutTwice,

    /// <summary>The amount of a line changes on the way to Stripe.</summary>
    LineAmountChanged,

    /// <summary>An account is given the answer to another account's call.</summary>
    AnswerOfAnotherGiven,

    /// <summary>What a webhook shows of an invoice is taken for what the invoice is now.</summary>
    WebhookTrusted,
}
