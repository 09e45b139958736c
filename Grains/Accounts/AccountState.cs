using System.Collections.Immutable;
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
internal sealed partial class AccountState(string id, SipKey hashKey, ICatalogs catalogs)
{
    private readonly EventIdPool _eventIds = new();
    private readonly List<MeterState> _meters = [];
    private readonly List<Subscription> _subscriptions = [];
    private readonly List<InvoiceView> _invoices = [];
    private readonly List<InvoiceDraft> _drafts = [];
    private readonly Dictionary<UInt128, UsageOutcome> _deadLetters = [];
    private int _forgottenDay;

    public string Id { get; } = id;

    public SipKey HashKey { get; } = hashKey;

    /// <summary>The number of the last journal entry inside; 0 before the first.</summary>
    public long Sequence { get; set; }

    /// <summary>How the account was made; null while it is unknown.</summary>
    public AccountFact.AccountOpened? Profile { get; private set; }

    public AccountStatus Status { get; private set; } = AccountStatus.Pending;

    public AccountCalendar Calendar { get; } = new();

    /// <summary>The newest period whose base fees are on an invoice or a draft; null before the first.</summary>
    public BillingPeriod? BegunPeriod { get; private set; }

    public IReadOnlyList<Subscription> Subscriptions => _subscriptions;

    public IReadOnlyList<MeterState> Meters => _meters;

    public IReadOnlyList<InvoiceView> Invoices => _invoices;

    public IReadOnlyList<InvoiceDraft> Drafts => _drafts;

    /// <summary>Account credit in minor units, zero or more: what invoices below zero left, less what later ones spent.</summary>
    public long Balance { get; private set; }

    public RememberedIds RememberedIds { get; private set; } = new();

    /// <summary>What waits to be released or compared, by letter.</summary>
    public IReadOnlyDictionary<UInt128, UsageOutcome> DeadLetters => _deadLetters;

    /// <summary>Which meters listen to which event type; rebuilt when subscriptions change.</summary>
    public ImmutableArray<EventBinding> Bindings { get; private set; } = [];

    /// <summary>The catalogue that holds where no subscription names another; null while the account is unknown.</summary>
    public Catalog? Catalog { get; private set; }

    /// <summary>When the account has something to do next; null when nothing is due ever.</summary>
    public DateTimeOffset? NextDueAt
    {
        get
        {
            DateTimeOffset? due = Status == AccountStatus.Active ? BegunPeriod?.End : null;
            foreach (var draft in _drafts)
            {
                var finalizeAt = FinalizeAt(draft);
                if (due is null || finalizeAt < due) due = finalizeAt;
            }

            return due;
        }
    }

    /// <summary>When a draft becomes final: the grace after it was drafted.</summary>
    public DateTimeOffset FinalizeAt(InvoiceDraft draft) => draft.DraftedAt + Catalog!.Grace;

    /// <summary>The catalogue version of that name. It was published before anything could refer to it.</summary>
    public CompiledCatalog CatalogOf(string version) =>
        catalogs.Find(version) ?? throw new InvalidDataException($"The catalogue version {version}, which account {Id} is on, is not in the store.");

    /// <summary>To be called before each fact is written: the first begins the entry. A turn without facts changes nothing.</summary>
    public void BeginEntry(FactWriter facts)
    {
        if (!facts.HasFacts) BeginEntry(facts.ReceivedAt);
    }

    /// <summary>Begins a journal entry: forgets what no event received from then on can touch.</summary>
    private void BeginEntry(DateTimeOffset receivedAt)
    {
        var day = DayOf(receivedAt.UtcTicks);
        if (day <= _forgottenDay || Catalog is null) return;
        _forgottenDay = day;
        foreach (var meter in _meters) meter.Forget((day * TimeSpan.TicksPerDay) - Catalog.DedupWindow.Ticks);
    }

    /// <summary>Folds in all facts of a journal entry. Never throws on what the platform has written.</summary>
    public void ApplyEntry(ReadOnlySpan<byte> entry)
    {
        var reader = new FactReader(entry);
        BeginEntry(reader.ReceivedAt);
        while (reader.TryRead(out var kind, out var content))
        {
            switch (kind)
            {
                case FactKind.Json:
                    Apply(FactReader.ReadJson(content));
                    break;
                case FactKind.UsageRecorded:
                    Apply(FactReader.ReadUsageRecorded(content), reader.ReceivedAt, null);
                    break;
                case FactKind.UsageRefused:
                    Apply(FactReader.ReadUsageRefused(content));
                    break;
                default:
                    throw new InvalidDataException($"The journal of account {Id} holds a fact of kind {(byte)kind}, which this release does not know.");
            }
        }

        Sequence++;
    }

    /// <summary>Folds in an accepted event.</summary>
    /// <param name="fact">The event.</param>
    /// <param name="receivedAt">The billing clock at its receipt.</param>
    /// <param name="changes">Takes what each meter changed; null when nobody asks.</param>
    public void Apply(in UsageRecordedFact fact, DateTimeOffset receivedAt, List<MeterChange>? changes)
    {
        RememberedIds.Remember(fact.KeyHash, fact.Fingerprint, ForgetDay(fact.TimeTicks, receivedAt.UtcTicks));
        if (fact.Readings.IsEmpty || !Calendar.TryPeriodOf(fact.TimeTicks, out var period)) return;

        var place = new EventPlace(fact.TimeTicks, fact.Source, fact.Id);
        var readings = new ReadingsReader(fact.Readings);
        while (readings.TryRead(out var meter, out var reading))
        {
            var change = _meters[meter].Add(reading, KeyHashOf(reading), place, period, Calendar);
            changes?.Add(change);
        }
    }

    public void Apply(in UsageRefusedFact fact) => _deadLetters.TryAdd(fact.Letter, fact.Outcome);

    public void Apply(AccountFact fact)
    {
        switch (fact)
        {
            case AccountFact.AccountOpened opened:
                Profile = opened;
                Status = opened.Status;
                Catalog = CatalogOf(opened.CatalogVersion).Catalog;
                Bind();
                break;

            case AccountFact.SubscriptionStarted started:
                if (Calendar.Anchor is null)
                {
                    Calendar.Begin(started.At);
                    BegunPeriod = BillingCalendar.PeriodAt(started.At, 0);
                }

                _subscriptions.Add(new(started.Product, started.Plan, started.CatalogVersion, started.At));
                foreach (var meter in CatalogOf(started.CatalogVersion).Catalog.MetersOf(started.Product))
                    if (_meters.All(m => m.Meter.Id != meter.Id)) _meters.Add(MeterState.For(meter, _eventIds));
                Bind();
                break;

            case AccountFact.InvoiceDrafted drafted:
                BegunPeriod = drafted.Period;
                _drafts.Add(new(drafted.Period, drafted.At));
                break;

            case AccountFact.InvoiceFinalized finalized:
                Add(finalized.Invoice);
                _drafts.RemoveAll(d => d.Period == finalized.Invoice.Period);
                foreach (var line in finalized.Invoice.Lines)
                    if (line is { Meter: { } meter, Plan: { } plan, CatalogVersion: { } version })
                        MeterOf(meter).In(line.Period).Bill(plan, version, line.Amount, line.Quantity, line.EventCount);
                break;

            case AccountFact.DeadLetterClosed closed:
                _deadLetters.Remove(closed.Letter);
                break;
        }
    }

    /// <summary>The state of a meter that the account subscribes to.</summary>
    public MeterState MeterOf(string meter) => _meters.Find(m => m.Meter.Id == meter)!;

    /// <summary>The keyed hash of a reading's key; zero for a meter without one.</summary>
    public UInt128 KeyHashOf(in MeterReading reading) => reading.Key.IsEmpty ? UInt128.Zero : SipHash128.Hash(HashKey, reading.Key);

    /// <summary>The UTC day, counted from 1970-01-01, that ids are looked up on.</summary>
    public static int EpochDayOf(long ticks) => DayOf(ticks) - DayOf(DateTimeOffset.UnixEpoch.UtcTicks);

    /// <summary>The UTC day of receipt, or of the event's time if that is later, of an id that is forgotten on a day.</summary>
    public int ReceivedDayOf(int forgetDay) => forgetDay - 1 - (int)(Catalog!.DedupWindow.Ticks / TimeSpan.TicksPerDay);

    // The day after the last on which the event can still be inside the window: until then its id is remembered.
    private int ForgetDay(long timeTicks, long receivedTicks) =>
        EpochDayOf(long.Max(timeTicks, receivedTicks) + (Catalog?.DedupWindow ?? TimeSpan.FromDays(35)).Ticks) + 1;

    private static int DayOf(long ticks) => (int)(ticks / TimeSpan.TicksPerDay);

    private void Add(InvoiceView invoice)
    {
        _invoices.Add(invoice);
        Balance += invoice.Lines.Where(l => l.Kind == InvoiceLineKind.Credit).Sum(l => l.Amount) + long.Max(0, -invoice.Total);
    }

    private void Bind()
    {
        var versions = _subscriptions.Select(s => s.CatalogVersion).Prepend(Profile!.CatalogVersion).Distinct();
        Bindings =
        [
            .. from version in versions
               from program in CatalogOf(version).Programs
               let meters = program.Meters.Where(m => VersionOf(m.Definition.Product) == version).Select(Bound).ToArray()
               where meters.Length > 0
               select new EventBinding(program, meters),
        ];

        string VersionOf(string product) => _subscriptions.Find(s => s.Product == product)?.CatalogVersion ?? Profile!.CatalogVersion;

        MeterBinding Bound(CompiledMeter meter) => new(
            meter,
            _meters.FindIndex(m => m.Meter.Id == meter.Definition.Id),
            _subscriptions.Find(s => s.Product == meter.Definition.Product));
    }
}

/// <summary>The meters of an account that listen to one event type of one catalogue version.</summary>
internal sealed record EventBinding(EventProgram Program, MeterBinding[] Meters);

/// <summary>A meter as one account uses it.</summary>
/// <param name="Meter">The compiled meter.</param>
/// <param name="Index">Its number in the account's facts; -1 when the account does not subscribe to its product.</param>
/// <param name="Subscription">The subscription to its product; null without one.</param>
internal sealed record MeterBinding(CompiledMeter Meter, int Index, Subscription? Subscription);
