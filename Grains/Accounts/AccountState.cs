using System.Collections.Immutable;
using Billing.Charging;
using Billing.Deduplication;
using Billing.Invoices;
using Billing.Lifecycle;
using Billing.Metering;
using Billing.Plans;
using Billing.Usage;

namespace Billing.Accounts;

/// <summary>
/// What an account must remember to decide its next command: the sum of its facts. Mutable, owned by one activation,
/// rebuilt from the journal.
/// </summary>
/// <param name="id">The account.</param>
/// <param name="hashKey">The key of all keyed hashes.</param>
/// <param name="catalogs">The published catalogue versions.</param>
/// <param name="forgets">Whether it forgets the events that no other can change any more; false to explain all that was.</param>
internal sealed partial class AccountState(string id, SipKey hashKey, ICatalogs catalogs, bool forgets = true)
{
    private readonly EventIdPool _eventIds = new();
    private readonly UsageChanges _changes = new();
    private readonly List<MeterState> _meters = [];
    private readonly List<Subscription> _subscriptions = [];
    private readonly List<InvoiceView> _invoices = [];
    private readonly List<InvoiceDraft> _drafts = [];
    private readonly Dictionary<UInt128, UsageOutcome> _deadLetters = [];
    private readonly List<SealedIds> _sealed = [];
    private int _forgottenDay;

    public string Id { get; } = id;

    public SipKey HashKey { get; } = hashKey;

    /// <summary>The number of the last journal entry inside; 0 before the first.</summary>
    public long Sequence { get; set; }

    /// <summary>The billing time of the last entry: the account's time does not go back, whatever the clocks of its silos say.</summary>
    public DateTimeOffset LastEntryAt { get; private set; }

    /// <summary>How the account was made; null while it is unknown.</summary>
    public AccountFact.AccountOpened? Profile { get; private set; }

    public AccountStatus Status { get; private set; } = AccountStatus.Pending;

    /// <summary>When and why the account ended; null while it goes on.</summary>
    public AccountFact.AccountCancelled? Cancelled { get; private set; }

    /// <summary>The cancellation that is to come; null without one.</summary>
    public AccountFact.CancellationScheduled? Cancellation { get; private set; }

    /// <summary>When a cancelled account was closed; null before.</summary>
    public DateTimeOffset? ClosedAt { get; private set; }

    /// <summary>The first instant without subscriptions, as things stand; null while no end is in sight.</summary>
    public DateTimeOffset? EndsAt => Cancelled?.At ?? Cancellation?.EffectiveAt;

    /// <summary>The first instant without subscriptions if nothing more happens: also the end of a trial that nobody has a payment method for.</summary>
    public DateTimeOffset? ExpectedEnd =>
        EndsAt ?? (Status == AccountStatus.Trialing && !Charging.HasMethod ? Profile!.TrialEndsAt : null);

    public AccountCalendar Calendar { get; } = new();

    /// <summary>The charges, the customer at Stripe and the payment method.</summary>
    public ChargingState Charging { get; private set; } = new();

    /// <summary>Why and since when the account is suspended; null while it is not.</summary>
    public AccountFact.AccountSuspended? Suspension { get; private set; }

    /// <summary>The newest return to good standing; null before the first.</summary>
    public AccountFact.AccountReactivated? Reactivation { get; private set; }

    /// <summary>The newest period whose base fees are on an invoice or a draft; null before the first.</summary>
    public BillingPeriod? BegunPeriod { get; private set; }

    public IReadOnlyList<Subscription> Subscriptions => _subscriptions;

    public IReadOnlyList<MeterState> Meters => _meters;

    public IReadOnlyList<InvoiceView> Invoices => _invoices;

    public IReadOnlyList<InvoiceDraft> Drafts => _drafts;

    /// <summary>
    /// Account credit in minor units: what invoices below zero left, less what later ones spent. Below zero it is owed: what invoices too small
    /// to be charged came to.
    /// </summary>
    public long Balance { get; private set; }

    public RememberedIds RememberedIds { get; private set; } = new();

    /// <summary>What waits to be released or compared, by letter.</summary>
    public IReadOnlyDictionary<UInt128, UsageOutcome> DeadLetters => _deadLetters;

    /// <summary>Which meters listen to which event type; rebuilt when subscriptions change.</summary>
    public ImmutableArray<EventBinding> Bindings { get; private set; } = [];

    /// <summary>The catalogue that holds where no subscription names another; null while the account is unknown.</summary>
    public Catalog? Catalog { get; private set; }

    /// <summary>When the account has something to do next, be it a call to Stripe; null when nothing is due ever.</summary>
    public DateTimeOffset? NextDueAt => Charging.NextAt is { } call && !(NextRuleAt <= call) ? call : NextRuleAt;

    /// <summary>When something is due next that the account decides by itself; null when nothing is.</summary>
    public DateTimeOffset? NextRuleAt => _looksAgainAt is { } look && !(NextDatedAt < look) ? look : NextDatedAt;

    // What is due by dates alone.
    private DateTimeOffset? NextDatedAt
    {
        get
        {
            DateTimeOffset? due = Status switch
            {
                AccountStatus.Trialing => Profile!.TrialEndsAt,
                AccountStatus.Active or AccountStatus.PastDue or AccountStatus.Suspended when Calendar.PausedAt is null => BegunPeriod?.End,
                AccountStatus.Cancelled when Calendar.Anchor is not null && !IsClosed => NextClosing.End,
                _ => null,
            };
            foreach (var draft in _drafts)
            {
                var finalizeAt = FinalizeAt(draft);
                if (due is null || finalizeAt < due) due = finalizeAt;
            }

            if (ChargingDecider.DueAt(this) is { } charging && !(due < charging)) due = charging;
            return RenewalDecider.DueAt(this) is { } notice && !(due < notice) ? notice : due;
        }
    }

    /// <summary>Whether no event that may still come can change what a cancelled account owes.</summary>
    public bool IsClosed => ClosedAt >= LastClosingAt(Cancelled!.At);

    /// <summary>What the next closing invoice of a cancelled account is for: the time from its end, or from the closing before, to its day.</summary>
    public BillingPeriod NextClosing => ClosingPeriod(Cancelled!.At, (ClosedAt ?? Cancelled.At).UtcTicks);

    /// <summary>When what late events have changed is invoiced to an account that ends then: no event of its time is accepted any more.</summary>
    public DateTimeOffset ClosingAt(DateTimeOffset end) => end + (Catalog!.DedupWindow > Catalog.Grace ? Catalog.DedupWindow : Catalog.Grace);

    /// <summary>The closing that bears a change of the last periods of an account.</summary>
    /// <param name="end">When the account ends.</param>
    /// <param name="effectiveTicks">When the change counts.</param>
    public BillingPeriod ClosingPeriod(DateTimeOffset end, long effectiveTicks) =>
        effectiveTicks < ClosingAt(end).UtcTicks ? new(end, ClosingAt(end)) : new(ClosingAt(end), LastClosingAt(end));

    // An event that can be cancelled can be so by one of a later time, which itself may come late.
    private DateTimeOffset LastClosingAt(DateTimeOffset end) =>
        ClosingAt(end) + _meters.Select(m => m.Meter.CancelledBy?.Within ?? TimeSpan.Zero).Append(TimeSpan.Zero).Max();

    /// <summary>When a draft becomes final: the grace after it was drafted.</summary>
    public DateTimeOffset FinalizeAt(InvoiceDraft draft) => draft.DraftedAt + Catalog!.Grace;

    /// <summary>The catalogue version of that name. It was published before anything could refer to it.</summary>
    public CompiledCatalog CatalogOf(string version) =>
        catalogs.Find(version) ?? throw new UnknownCatalogException($"The catalogue version {version}, which account {Id} is on, is not known here.");

    /// <summary>To be called before each fact is written: the first begins the entry. A turn without facts changes nothing.</summary>
    public void BeginEntry(FactWriter facts)
    {
        if (!facts.HasFacts) BeginEntry(facts.ReceivedAt);
    }

    /// <summary>Begins a journal entry: forgets what no event received from then on can touch, and no invoice that is due asks for.</summary>
    private void BeginEntry(DateTimeOffset receivedAt)
    {
        LastEntryAt = receivedAt;
        var asOf = NextDatedAt is { } due && due < receivedAt ? due : receivedAt;
        var day = DayOf(asOf.UtcTicks);
        if (!forgets || day <= _forgottenDay || Catalog is null) return;
        _forgottenDay = day;
        foreach (var meter in _meters) meter.Forget((day * TimeSpan.TicksPerDay) - Catalog.DedupWindow.Ticks);
    }

    /// <summary>Folds in all facts of a journal entry. Never throws on what the platform has written.</summary>
    public void ApplyEntry(ReadOnlySpan<byte> entry)
    {
        var reader = new FactReader(entry);
        BeginEntry(reader.ReceivedAt);
        while (reader.TryRead(out var kind, out var content)) ApplyFact(kind, content, reader.ReceivedAt, null);
        _usageToLookAt = false;
        Sequence++;
    }

    /// <summary>Folds in one fact of a journal entry.</summary>
    public void ApplyFact(FactKind kind, ReadOnlySpan<byte> content, DateTimeOffset receivedAt, List<MeterChange>? changes)
    {
        switch (kind)
        {
            case FactKind.Json:
                Apply(FactReader.ReadJson(content));
                break;
            case FactKind.UsageRecorded:
                Apply(FactReader.ReadUsageRecorded(content), receivedAt, changes);
                break;
            case FactKind.UsageRefused:
                Apply(FactReader.ReadUsageRefused(content));
                break;
            default:
                throw new InvalidDataException($"The journal of account {Id} holds a fact of kind {(byte)kind}, which this release does not know.");
        }
    }

    /// <summary>Folds in an accepted event.</summary>
    /// <param name="fact">The event.</param>
    /// <param name="receivedAt">The billing clock at its receipt.</param>
    /// <param name="changes">Takes what each meter changed; null when nobody asks.</param>
    public void Apply(in UsageRecordedFact fact, DateTimeOffset receivedAt, List<MeterChange>? changes)
    {
        RememberedIds.Remember(fact.KeyHash, fact.Fingerprint, ForgetDay(fact.TimeTicks, receivedAt.UtcTicks));
        if (fact.Readings.IsEmpty) return;

        var place = new EventPlace(fact.TimeTicks, fact.Source, fact.Id);
        var subscribed = Calendar.TryPeriodOf(fact.TimeTicks, out var period);
        var readings = new ReadingsReader(fact.Readings);
        while (readings.TryRead(out var index, out var reading))
        {
            if (index == ReadingsWriter.NoSubscription) continue;
            var meter = _meters[index];
            var time = fact.TimeTicks;
            if (reading.Cancels) time = meter.Cancel(HashOf(reading.CancelKey), fact.KeyHash, fact.TimeTicks, _changes);
            else if (subscribed) meter.Add(Hashed(meter, reading), place, period, _changes);
            else continue;
            Watch(meter, time, receivedAt);
            if (changes is null) continue;
            foreach (var row in _changes.Rows) changes.Add(new(index, row.Period, row.Change));
        }
    }

    public void Apply(in UsageRefusedFact fact) => _deadLetters.TryAdd(fact.Letter, fact.Outcome);

    public void Apply(AccountFact fact)
    {
        Charging = Charging.With(fact, _invoices.Count);
        switch (fact)
        {
            case AccountFact.AccountOpened opened:
                Profile = opened;
                Status = opened.Status;
                if (opened.TrialEndsAt is { } trialEnd) Calendar.BeginTrial(new(opened.At, trialEnd));
                Catalog = CatalogOf(opened.CatalogVersion).Catalog;
                Bind();
                break;

            case AccountFact.SubscriptionStarted started:
                if (Calendar.Start is null) BeginPeriods(started.At);
                _subscriptions.Add(new(
                    started.Product, started.Plan, started.CatalogVersion, started.At, null, started.BaseFeesFrom, started.CommandId));
                foreach (var meter in CatalogOf(started.CatalogVersion).Catalog.MetersOf(started.Product))
                    if (_meters.All(m => m.Meter.Id != meter.Id)) _meters.Add(new(meter, started.CatalogVersion, _eventIds, Calendar));
                Bind();
                break;

            case AccountFact.MeterTracked tracked:
                _meters.Add(new(CatalogOf(tracked.CatalogVersion).Catalog.Meters.First(m => m.Id == tracked.Meter), tracked.CatalogVersion, _eventIds, Calendar));
                Bind();
                break;

            case AccountFact.PaidSubscriptionBegan began:
                Status = AccountStatus.Active;
                BeginPeriods(began.At);
                break;

            case AccountFact.CancellationScheduled scheduled:
                Cancellation = scheduled;
                break;

            case AccountFact.CancellationUndone undone:
                Cancellation = null;
                RenewsSince = undone.At;
                break;

            case AccountFact.AccountCancelled cancelled:
                Cancellation = null;
                Suspension = null;
                Status = AccountStatus.Cancelled;
                Cancelled = cancelled;
                for (var i = 0; i < _subscriptions.Count; i++) _subscriptions[i] = _subscriptions[i] with { EndedAt = cancelled.At };
                Bind();
                break;

            case AccountFact.AccountClosed closed:
                ClosedAt = closed.At;
                break;

            case AccountFact.InvoiceDrafted drafted:
                if (Status != AccountStatus.Cancelled && Calendar.PausedAt is null) BegunPeriod = drafted.Period;
                _drafts.Add(new(drafted.Period, drafted.At, drafted.WithoutBaseFees == true));
                break;

            case AccountFact.InvoiceFinalized finalized:
                Add(finalized.Invoice);
                if (_drafts.Find(d => d.Period == finalized.Invoice.Period && FinalizeAt(d) == finalized.Invoice.FinalizedAt) is { } final) Remove(final);
                foreach (var line in finalized.Invoice.Lines)
                    if (line is { Meter: { } meter, Plan: { } plan, CatalogVersion: { } version })
                        MeterOf(meter).In(line.Period).Bill(plan, version, line.Amount, line.Quantity, line.EventCount);
                break;

            case AccountFact.DraftDropped dropped:
                if (_drafts.Find(d => d.Period == dropped.Period) is { } without) Remove(without);
                break;

            case AccountFact.AccountPastDue:
                Status = AccountStatus.PastDue;
                break;

            case AccountFact.AccountSuspended suspended:
                Status = AccountStatus.Suspended;
                Suspension = suspended;
                break;

            case AccountFact.PeriodsPaused paused:
                Calendar.Pause(paused.At);
                break;

            case AccountFact.AccountReactivated reactivated:
                Status = Charging.HasUnpaidDeclined ? AccountStatus.PastDue : AccountStatus.Active;
                Suspension = null;
                Reactivation = reactivated;
                RenewsSince = reactivated.At;
                if (reactivated.Anchor is { } anchor) BeginPeriods(anchor);
                break;

            case AccountFact.DeadLetterClosed released:
                _deadLetters.Remove(released.Letter);
                break;
        }

        ApplyToPlans(fact);
    }

    /// <summary>Whether nothing is owed for an invoice any more.</summary>
    public bool IsPaid(InvoiceView invoice) =>
        invoice.Status == InvoiceStatus.Paid || Charging.Charges.Any(c => c.Invoice == invoice.Number && c.State == ChargeState.Settled);

    /// <summary>A finalised invoice as it stands: what was final then, and whether it is paid by now.</summary>
    public InvoiceView Shown(InvoiceView invoice) => Charging.Charges.FirstOrDefault(c => c.Invoice == invoice.Number && c.SettledAt is not null) is { } charge
        ? invoice with { Status = InvoiceStatus.Paid, PaidAt = charge.SettledAt }
        : invoice;

    /// <summary>Whether the product of a subscription was subscribed to at an instant, and a period ran.</summary>
    public bool Serves(Subscription? subscription, long ticks) => subscription?.Covers(ticks) == true && !Calendar.IsPausedAt(ticks);

    /// <summary>The state of a meter that the account subscribes to.</summary>
    public MeterState MeterOf(string meter) => _meters.Find(m => m.Meter.Id == meter)!;

    /// <summary>A reading with the keyed hashes of its keys.</summary>
    public HashedReading Hashed(MeterState meter, in MeterReading reading)
    {
        var key = HashOf(reading.Key);
        var cancelKey = meter.Meter.CancelledBy is null ? UInt128.Zero : reading.CancelKey == reading.Key ? key : HashOf(reading.CancelKey);
        return new(key, cancelKey, reading.Value, reading.GapSeconds);
    }

    /// <summary>The keyed hash of a key; zero for an empty one.</summary>
    public UInt128 HashOf(ReadOnlySpan<byte> key) => key.IsEmpty ? UInt128.Zero : SipHash128.Hash(HashKey, key);

    /// <summary>The UTC day, counted from 1970-01-01, that ids are looked up on.</summary>
    public static int EpochDayOf(long ticks) => DayOf(ticks) - DayOf(DateTimeOffset.UnixEpoch.UtcTicks);

    /// <summary>The first instant of a day counted from 1970-01-01.</summary>
    public static long TicksOfDay(int epochDay) => DateTimeOffset.UnixEpoch.UtcTicks + (epochDay * TimeSpan.TicksPerDay);

    /// <summary>The UTC day of receipt, or of the event's time if that is later, of an id that is forgotten on a day.</summary>
    public int ReceivedDayOf(int forgetDay) => forgetDay - 1 - (int)(Catalog!.DedupWindow.Ticks / TimeSpan.TicksPerDay);

    // The day after the last on which the event can still be inside the window: until then its id is remembered.
    private int ForgetDay(long timeTicks, long receivedTicks) =>
        EpochDayOf(long.Max(timeTicks, receivedTicks) + (Catalog?.DedupWindow ?? TimeSpan.FromDays(35)).Ticks) + 1;

    // The last day of forgetting that no new id can get: those of the day of the last entry, and later ones, can still come.
    private int SealableDay => ForgetDay(LastEntryAt.UtcTicks, LastEntryAt.UtcTicks) - 1;

    private void BeginPeriods(DateTimeOffset anchor)
    {
        Calendar.Begin(anchor);
        BegunPeriod = BillingCalendar.PeriodAt(anchor, 0);
    }

    private void Remove(InvoiceDraft draft)
    {
        _drafts.Remove(draft);
        Closed(draft);
    }

    private static int DayOf(long ticks) => (int)(ticks / TimeSpan.TicksPerDay);

    private void Add(InvoiceView invoice)
    {
        _invoices.Add(invoice);
        Balance += invoice.Lines.Where(l => l.Kind == InvoiceLineKind.Credit).Sum(l => l.Amount) - (invoice.Status == InvoiceStatus.Paid ? invoice.Total : 0);
    }

    private void Bind()
    {
        var versions = _subscriptions.Select(s => s.CatalogVersion).Prepend(Profile!.CatalogVersion).Distinct();
        Bindings =
        [
            .. from version in versions
               from program in CatalogOf(version).Programs
               let meters = program.Meters.Where(m => VersionOf(m.Definition.Product) == version).Select(m => new MeterBinding<CompiledMeter>(m, IndexOf(m.Definition), Of(m.Definition))).ToArray()
               let cancellers = program.Cancellers.Where(m => VersionOf(m.Definition.Product) == version).Select(m => new MeterBinding<CompiledCanceller>(m, IndexOf(m.Definition), Of(m.Definition))).ToArray()
               where meters.Length + cancellers.Length > 0
               select new EventBinding(program, meters, cancellers),
        ];

        string VersionOf(string product) => _subscriptions.Find(s => s.Product == product)?.CatalogVersion ?? Profile!.CatalogVersion;

        int IndexOf(Meter meter) => _meters.FindIndex(m => m.Meter.Id == meter.Id);

        Subscription? Of(Meter meter) => _subscriptions.Find(s => s.Product == meter.Product);
    }
}

/// <summary>The meters of an account that one event type of one catalogue version concerns.</summary>
/// <param name="Program">What is read from an event.</param>
/// <param name="Meters">Those that count it.</param>
/// <param name="Cancellers">Those that it cancels events of.</param>
internal sealed record EventBinding(EventProgram Program, MeterBinding<CompiledMeter>[] Meters, MeterBinding<CompiledCanceller>[] Cancellers);

/// <summary>A meter as one account uses it.</summary>
/// <param name="Meter">What is read from an event for it.</param>
/// <param name="Index">Its number in the account's facts; -1 when the account keeps no state for it.</param>
/// <param name="Subscription">The subscription to its product; null without one.</param>
internal sealed record MeterBinding<TCompiled>(TCompiled Meter, int Index, Subscription? Subscription);

/// <summary>By how much an event changed the usage of a meter in a period.</summary>
/// <param name="Meter">The number of the meter in the account's facts.</param>
/// <param name="Period">The billing period.</param>
/// <param name="Change">In the meter's unit.</param>
internal readonly record struct MeterChange(int Meter, BillingPeriod Period, Quantity Change);
