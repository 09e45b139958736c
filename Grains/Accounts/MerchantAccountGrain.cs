using System.Buffers;
using System.Collections.Immutable;
using System.Buffers.Binary;
using Billing.Charging;
using Billing.Invoices;
using Billing.Journal;
using Billing.Ledger;
using Billing.Lifecycle;
using Billing.Plans;
using Billing.Usage;
using Microsoft.Extensions.Logging;
using Orleans;

namespace Billing.Accounts;

/// <summary>
/// Runs the rules for one account and journals what they decide: no rule in it, only the order of steps. Nothing leaves before
/// the append returned; when an append fails or its outcome is unknown, the state is dropped and the next activation reads
/// what is durable.
/// </summary>
internal sealed partial class MerchantAccountGrain(
    IJournal journal, IBillingClock clock, ICatalogs catalogs, ICatalogUpdates updates, IHolds holds, ILogger<MerchantAccountGrain> log)
    : Grain, IMerchantAccountGrain
{
    /// <summary>
    /// A snapshot is written when the entries since the last one are as long as it was, and at least this long: so snapshots
    /// cost no more than the journal itself, however large the state.
    /// </summary>
    private const int SnapshotBytesMin = 64 << 10;

    private const int PreviewYearsMax = 2;

    [ThreadStatic]
    private static UsageDecider? _decider;

    [ThreadStatic]
    private static FactWriter? _facts;

    private AccountState? _state;
    private Refusal? _held;
    private bool _unread;
    private Listed _listed;
    private long _bytesSinceSnapshot;
    private long _snapshotBytes = SnapshotBytesMin;
    private Task _snapshot = Task.CompletedTask;

    private static UsageDecider Decider => _decider ??= new();

    private static FactWriter Facts => _facts ??= new();

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken) => ReadState(cancellationToken);

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _snapshot;

    /// <inheritdoc/>
    public async Task<Refusal?> ReadAgain()
    {
        if (_held is null) return null;
        try
        {
            await journal.ReadAgain(this.GetPrimaryKeyString(), CancellationToken.None);
        }
        catch (JournalDamagedException)
        {
            return _held;
        }
        catch (JournalUnavailableException)
        {
            return _held;
        }

        _held = null;
        await ReadState(CancellationToken.None);
        return _state is null ? WithoutState() : null;
    }

    /// <inheritdoc/>
    public Task<AccountAnswer> Open(OpenAccount command) => Turn(
        (state, facts, now) =>
        {
            if (AccountDecider.Open(state, command, catalogs, now, facts) is { } refusal) return new AccountAnswer(refusal, null);
            AccountDecider.CatchUp(state, now, facts);
            return new(null, AccountViews.Account(state, now));
        },
        refusal => new(refusal, null));

    /// <inheritdoc/>
    public Task<AccountChangeAnswer> Cancel(CancelAccount command) =>
        Change(command.DryRun, (state, facts, now) => CancellationDecider.Cancel(state, command, now, facts));

    /// <inheritdoc/>
    public Task<AccountChangeAnswer> UndoCancellation(UndoCancellation command) =>
        Change(command.DryRun, (state, facts, now) => CancellationDecider.Undo(state, command, now, facts));

    /// <inheritdoc/>
    public Task<AccountChangeAnswer> ChangePlans(ChangePlans command) =>
        Change(command.DryRun, (state, facts, now) => PlanChangeDecider.Decide(state, command, catalogs, now, facts));

    /// <inheritdoc/>
    public Task<AccountChangeAnswer> UndoPlanChange(UndoPlanChange command) =>
        Change(command.DryRun, (state, facts, now) => PlanChangeDecider.Undo(state, command, now, facts));

    /// <inheritdoc/>
    public Task<AccountChangeAnswer> ChangeSettings(ChangeSettings command) =>
        Change(command.DryRun, (state, facts, now) => SettingsDecider.Decide(state, command, now, facts));

    /// <inheritdoc/>
    public Task<EntitlementAnswer> GetEntitlement(string feature) =>
        Show((state, now) => Entitlements.Of(state, feature, now), refusal => new(refusal, null));

    /// <inheritdoc/>
    public Task<AccountChangeAnswer> ChangePaymentMethod(ChangePaymentMethod command) =>
        Change(command.DryRun, (state, facts, now) => ChargingCommandDecider.ChangePaymentMethod(state, command, now, facts));

    /// <inheritdoc/>
    public Task<AccountChangeAnswer> ReleaseCharges(ReleaseCharges command) =>
        Change(command.DryRun, (state, facts, now) => ChargingCommandDecider.Release(state, command, now, facts));

    /// <inheritdoc/>
    public Task<AccountChangeAnswer> Suspend(SuspendAccount command) =>
        Change(command.DryRun, (state, facts, now) => SuspensionDecider.Suspend(state, command, now, facts));

    /// <inheritdoc/>
    public Task<AccountChangeAnswer> Resume(ResumeAccount command) =>
        Change(command.DryRun, (state, facts, now) => SuspensionDecider.Resume(state, command, now, facts));

    /// <inheritdoc/>
    public Task<UsageResult> RecordUsage(UsageBatch batch)
    {
        if (_state is not { } state) return Task.FromResult(UsageResult.Refused(WithoutState()));
        try
        {
            var (facts, now) = BeginTurn(state, batch.Waited && batch.ReceivedAt is { } receivedAt ? receivedAt : Later(clock.Now, batch.ReceivedAt));
            var outcomes = new byte[batch.Count];
            var receipts = batch.WantReceipts ? ImmutableArray.CreateBuilder<UsageReceipt>(batch.Count) : null;
            var bodies = batch.KeepBodies ? new ArrayBufferWriter<byte>(batch.Records.Length) : null;
            var reader = new UsageBatchReader(batch.Records.Span);
            for (var i = 0; reader.TryRead(out var record); i++)
            {
                var outcome = Decider.Decide(state, record, now, facts, receipts, batch.Waited ? clock.Now : null);
                outcomes[i] = (byte)outcome;
                if (bodies is not null && outcome == UsageOutcome.Accepted) Keep(record.Body, bodies);
            }

            var result = new UsageResult(null, outcomes, receipts?.MoveToImmutable() ?? []);
            return facts.HasFacts
                ? Append(state, EntryOf(state, facts, bodies?.WrittenMemory ?? default), result, UsageResult.Refused)
                : Task.FromResult(result);
        }
        catch (Exception failed)
        {
            return Task.FromResult(UsageResult.Refused(Fail(failed, state)));
        }
    }

    /// <inheritdoc/>
    public async Task<CatchUpAnswer> CatchUp(DateTimeOffset now, bool mayCall)
    {
        var before = _state?.Sequence;
        var answer = await Charge((_, _, _) => { }, mayCall, now);
        if (answer.Refusal is not null || _state is not { } state || state.Sequence != before || !await IsOvertaken(state)) return answer;
        Drop();
        return new(Dropped, null);
    }

    /// <inheritdoc/>
    public Task<CatchUpAnswer> TakeStripeAnswer(StripeAnswer answer) => Charge((state, facts, now) => ChargingDecider.Take(state, answer, now, facts));

    /// <inheritdoc/>
    public Task<CatchUpAnswer> NoticeStripeInvoice(string stripeInvoice, string? intent) =>
        Charge((state, facts, now) => ChargingDecider.Notice(state, stripeInvoice, intent, now, facts));

    /// <inheritdoc/>
    public Task<CatchUpAnswer> NoticeStripeReversal(string stripeInvoice, string? intent) =>
        Charge((state, facts, now) => ReversalDecider.Notice(state, stripeInvoice, intent, now, facts));

    /// <inheritdoc/>
    public Task<AccountAnswer> GetAccount() =>
        Show((state, now) => new AccountAnswer(null, AccountViews.Account(state, now)), refusal => new(refusal, null));

    /// <inheritdoc/>
    public Task<UsageAnswer> GetUsage(string meter, DateTimeOffset? from, DateTimeOffset? to) => Show(
        (state, now) => AccountViews.Usage(state, meter, from, to, now) is { } usage
            ? new UsageAnswer(null, usage)
            : new(new(RefusalKind.NotFound, $"The account {state.Id} subscribes to no product with a meter {meter}.", "meter"), null),
        refusal => new(refusal, null));

    /// <inheritdoc/>
    public Task<InvoicePage> ListInvoices(int skip, int take) =>
        Show((state, now) => AccountViews.Invoices(state, skip, take, now), refusal => new(refusal, [], null));

    /// <inheritdoc/>
    public Task<InvoiceAnswer> GetInvoice(int number) => Show(
        (state, _) => number >= 1 && number <= state.Invoices.Count
            ? new InvoiceAnswer(null, state.Shown(state.Invoices[number - 1]))
            : new(new(RefusalKind.NotFound, $"The account {state.Id} has no invoice {number}; it has {state.Invoices.Count}.", "number"), null),
        refusal => new(refusal, null));

    /// <inheritdoc/>
    public Task<InvoiceAnswer> PreviewInvoice() => Show((state, now) => Previewed(state, now), refusal => new(refusal, null));

    /// <inheritdoc/>
    public Task<InvoiceAnswer> PreviewInvoiceAt(DateTimeOffset at) => Show(
        (state, now) => at >= now && at <= now.AddYears(PreviewYearsMax)
            ? Previewed(AccountDecider.Foresee(state, at), at)
            : new(new(RefusalKind.Invalid, $"at lies between now and {PreviewYearsMax} years ahead; what is past is on the invoices that are final.", "at"), null),
        refusal => new(refusal, null));

    /// <inheritdoc/>
    public Task<LedgerPage> GetLedger(int skip, int take) =>
        Show((state, _) => LedgerEntries.Page(state, skip, take), refusal => new(refusal, null, null, [], null));

    /// <inheritdoc/>
    public Task<PaymentMethodAnswer> GetPaymentMethod() =>
        Show((state, _) => new PaymentMethodAnswer(null, ChargeViews.Method(state)), refusal => new(refusal, null));

    /// <inheritdoc/>
    public Task<ChargePage> ListCharges(int skip, int take) =>
        Show((state, _) => ChargeViews.Page(state, skip, take), refusal => new(refusal, [], null));

    private async Task ReadState(CancellationToken cancellation)
    {
        var id = this.GetPrimaryKeyString();
        try
        {
            var state = await Load(id, cancellation);

            // What holds it is written again: a row of the release before does not say it.
            if (state.Profile is not null) _listed = new(state.Status, state.Subscriptions.Count, state.PlanMoves, null, "");
            _state = state;
            holds.End(id);
        }
        catch (JournalUnavailableException)
        {
            _unread = true;
        }
        catch (Exception damaged) when (damaged is JournalDamagedException or UnknownCatalogException)
        {
            LogHeld(damaged, id);
            _held = new(RefusalKind.Held, $"The account {id} is held: {damaged.Message} Until then nothing of it is counted, billed or shown, so that nothing is counted wrongly.");
            holds.Begin(id, _held.Detail);
        }
    }

    private static InvoiceAnswer Previewed(AccountState state, DateTimeOffset at) => AccountViews.Preview(state, at) is { } preview
        ? new(null, preview)
        : new(new(RefusalKind.NotFound, $"No invoice will come for the account {state.Id} as things stand: it has no subscription that is to be paid, and nothing is left to bill."), null);

    private static Refusal Dropped => new(
        RefusalKind.Retry, "The account is being read again from the journal. Nothing of this call is known to be stored; send the same again.");

    private static Refusal Unsure(string account) => new(
        RefusalKind.Retry, $"The store stopped answering while this was stored for the account {account}. It is not known whether it is stored; send the same again, which is safe.");

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset? other) => other > one ? other.Value : one;

    private static void Keep(ReadOnlySpan<byte> body, ArrayBufferWriter<byte> bodies)
    {
        BinaryPrimitives.WriteInt32LittleEndian(bodies.GetSpan(4), body.Length);
        bodies.Advance(4);
        bodies.Write(body);
    }

    // The synchronous part of a turn runs on one thread, from here until the journal has read the facts: before the first await.
    private static (FactWriter Facts, DateTimeOffset Now) BeginTurn(AccountState state, DateTimeOffset at)
    {
        var now = Later(state.LastEntryAt, at);
        var facts = Facts;
        facts.Begin(now);
        AccountDecider.CatchUp(state, now, facts);
        return (facts, now);
    }

    // Who wakes an account has read in the store that it is due. When nothing was to be done, another activation may have gone on, and
    // this one, which appends nothing and so is never fenced, would sleep over what only that one knows.
    private async Task<bool> IsOvertaken(AccountState state)
    {
        try
        {
            var tail = await journal.Read(state.Id, CancellationToken.None);
            var last = tail.SnapshotSequence + tail.Entries.Count;
            if (last <= state.Sequence) return false;
            LogFenced(state.Id, last);
        }
        catch (JournalUnavailableException)
        {
            return true;
        }
        catch (Exception unread)
        {
            LogUnknown(unread, state.Id, state.Sequence + 1);
        }

        return true;
    }

    private Task<TAnswer> Show<TAnswer>(Func<AccountState, DateTimeOffset, TAnswer> show, Func<Refusal, TAnswer> refuse) => Turn(
        (state, _, now) => state.Profile is null ? refuse(Unknown(state)) : show(state, now),
        refuse);

    // Only a turn whose caller carries out calls to Stripe chooses one: what is handed out to nobody would be lost until it is overdue.
    private Task<CatchUpAnswer> Charge(Action<AccountState, FactWriter, DateTimeOffset> decide, bool mayCall = true, DateTimeOffset? at = null) => Turn(
        (state, facts, now) =>
        {
            decide(state, facts, now);
            AccountDecider.CatchUp(state, now, facts);
            var call = mayCall ? ChargingDecider.Send(state, now, facts) : null;
            AccountDecider.CatchUp(state, now, facts);
            return new CatchUpAnswer(null, state.NextDueAt, call);
        },
        refusal => new(refusal, null),
        at);

    private Task<AccountChangeAnswer> Change(bool isDryRun, Func<AccountState, FactWriter, DateTimeOffset, AccountChangeAnswer> decide) => Turn(
        (state, facts, now) => state.Profile is null ? new(Unknown(state), null) : Acts.Decide(state, isDryRun, now, facts, (account, written) => decide(account, written, now)),
        refusal => new(refusal, null));

    private static Refusal Unknown(AccountState state) => new(RefusalKind.NotFound, $"There is no account {state.Id}.", "id");

    /// <summary>Decides, journals what was decided, and only then answers.</summary>
    private Task<TAnswer> Turn<TAnswer>(
        Func<AccountState, FactWriter, DateTimeOffset, TAnswer> decide, Func<Refusal, TAnswer> refuse, DateTimeOffset? at = null)
    {
        if (_state is not { } state) return Task.FromResult(refuse(WithoutState()));
        try
        {
            var (facts, now) = BeginTurn(state, Later(clock.Now, at));
            var answer = decide(state, facts, now);
            AccountDecider.CatchUp(state, now, facts);
            return facts.HasFacts ? Append(state, EntryOf(state, facts, default), answer, refuse) : Task.FromResult(answer);
        }
        catch (Exception failed)
        {
            return Task.FromResult(refuse(Fail(failed, state)));
        }
    }

    // What was folded in before the failure is not in the journal: the state is as wrong as after an append that failed.
    private Refusal Fail(Exception failed, AccountState state)
    {
        LogFailed(failed, state.Id);
        Drop();
        return new(
            RefusalKind.Failed,
            $"The account {state.Id} could not carry this out: the platform failed and logged why. Nothing of this call was stored for it; tell those who run the platform.");
    }

    // An activation that could not be read is of no use: the next call makes another one, which tries again.
    private Refusal WithoutState()
    {
        if (_held is not null) return _held;
        if (!_unread) return Dropped;
        DeactivateOnIdle();
        return new(
            RefusalKind.Unavailable,
            $"The store cannot be reached at the moment, so the account {this.GetPrimaryKeyString()} cannot be read. Nothing of this call was stored for it; send the same again in a moment.");
    }

    private void Drop()
    {
        _state = null;
        DeactivateOnIdle();
    }

    private JournalEntry EntryOf(AccountState state, FactWriter facts, ReadOnlyMemory<byte> bodies) => new(
        state.Id,
        state.Sequence + 1,
        facts.ReceivedAt,
        facts.Entry,
        bodies,
        state.NextDueAt,
        state.Profile is not null && !ListedOf(state).IsAs(_listed) ? AccountViews.Summary(state) : null);

    private Listed ListedOf(AccountState state) => new(
        state.Status, state.Subscriptions.Count, state.PlanMoves, state.Charging, ReferenceEquals(state.Charging, _listed.Charging) ? _listed.Holds : string.Join('\n', ChargeViews.Holds(state)));

    private async Task<TAnswer> Append<TAnswer>(AccountState state, JournalEntry entry, TAnswer answer, Func<Refusal, TAnswer> refuse)
    {
        try
        {
            if (await journal.Append(entry) == Appended.Yes)
            {
                state.Sequence = entry.Sequence;
                if (state.Profile is not null) _listed = ListedOf(state);
                SnapshotWhenDue(state, entry.Facts.Length);
                return answer;
            }

            LogFenced(state.Id, entry.Sequence);
        }
        catch (JournalUnavailableException)
        {
            Drop();
            return refuse(Unsure(state.Id));
        }
        catch (Exception unknown)
        {
            LogUnknown(unknown, state.Id, entry.Sequence);
        }

        Drop();
        return refuse(Dropped);
    }

    private void SnapshotWhenDue(AccountState state, int entryBytes)
    {
        _bytesSinceSnapshot += entryBytes;
        if (_bytesSinceSnapshot < _snapshotBytes || !_snapshot.IsCompleted) return;
        var today = AccountState.EpochDayOf(state.LastEntryAt.UtcTicks);
        var sealing = state.IdsToSeal();
        var snapshot = new PooledBuffer();
        state.WriteSnapshotBeside(sealing, snapshot, today);
        _bytesSinceSnapshot = 0;
        _snapshotBytes = long.Max(SnapshotBytesMin, snapshot.Length);
        _snapshot = Save(state.Sequence);

        async Task Save(long sequence)
        {
            using var returned = snapshot;
            try
            {
                await journal.SaveSnapshot(new(state.Id, sequence, snapshot.Written, sealing));
                state.Sealed(sealing, today);
            }
            catch (JournalUnavailableException)
            {
                // The next entries bring the next snapshot.
            }
            catch (Exception failed)
            {
                LogNoSnapshot(failed, state.Id, sequence);
            }
        }
    }

    private async Task<AccountState> Load(string id, CancellationToken cancellation)
    {
        var tail = await journal.Read(id, cancellation);
        try
        {
            return await Rebuilt(tail);
        }
        catch (UnknownCatalogException)
        {
            await updates.Refresh();
            return await Rebuilt(tail);
        }

        async Task<AccountState> Rebuilt(JournalTail read)
        {
            if (this.Rebuilt(id, read) is { } state) return state;
            LogRebuilding(id, read.SnapshotSequence);
            return this.Rebuilt(id, await journal.ReadAll(id, cancellation))!;
        }
    }

    /// <summary>The state that a tail makes; null when its snapshot cannot be read, or lacks ids that were sealed beside it.</summary>
    private AccountState? Rebuilt(string id, JournalTail tail)
    {
        var state = new AccountState(id, journal.HashKey, catalogs);
        if (tail.Snapshot is { } snapshot)
        {
            if (!AccountState.CanRestore(snapshot.Span)
                || !state.Restore(snapshot.Span, tail.SnapshotSequence, tail.Segments, AccountState.EpochDayOf(clock.Now.UtcTicks))) return null;
            _snapshotBytes = long.Max(SnapshotBytesMin, snapshot.Length);
        }

        _bytesSinceSnapshot = 0;
        foreach (var entry in tail.Entries)
        {
            try
            {
                state.ApplyEntry(entry.Span);
            }
            catch (Exception unreadable) when (unreadable is not UnknownCatalogException)
            {
                throw new JournalDamagedException(
                    $"Its entry {state.Sequence + 1} cannot be read by this release: {unreadable.Message} Start the release that wrote it, or restore the store from a backup.", unreadable);
            }

            _bytesSinceSnapshot += entry.Length;
        }

        return state;
    }

    /// <summary>What the row for lists says that can change, as it was stored last.</summary>
    private readonly record struct Listed(AccountStatus Status, int Subscriptions, int PlanMoves, ChargingState? Charging, string? Holds)
    {
        public bool IsAs(Listed other) => Status == other.Status && Subscriptions == other.Subscriptions && PlanMoves == other.PlanMoves && Holds == other.Holds;
    }
}
