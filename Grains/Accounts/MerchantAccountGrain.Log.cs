using Microsoft.Extensions.Logging;

namespace Billing.Accounts;

/// <summary>What the grain says in the log.</summary>
internal sealed partial class MerchantAccountGrain
{
    [LoggerMessage(Level = LogLevel.Critical, Message = "Account {Account} is held: what is stored of it is damaged.")]
    private partial void LogHeld(Exception exception, string account);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Account {Account}: its snapshot at entry {Sequence} is of another release, or lacks ids sealed beside it. It is made anew from the journal; nothing is lost.")]
    private partial void LogRebuilding(string account, long sequence);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Account {Account}: another activation has appended entry {Sequence}; this one steps down.")]
    private partial void LogFenced(string account, long sequence);

    [LoggerMessage(Level = LogLevel.Error, Message = "Account {Account}: it is unknown whether entry {Sequence} is stored; the account is read again.")]
    private partial void LogUnknown(Exception exception, string account, long sequence);

    [LoggerMessage(Level = LogLevel.Error, Message = "Account {Account}: a turn failed before anything was journaled; the account is read again.")]
    private partial void LogFailed(Exception exception, string account);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Account {Account}: the snapshot at entry {Sequence} was not stored. Nothing is lost: the journal holds everything.")]
    private partial void LogNoSnapshot(Exception exception, string account, long sequence);
}
