using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Billing.Accounts;
using Billing.Charging;
using Billing.Deduplication;
using Billing.Invoices;
using Billing.Journal;
using Billing.Lifecycle;
using Billing.Plans;
using Billing.Usage;

namespace Billing.Tests.Accounts;

/// <summary>
/// An account without Orleans and without a disk: turns run as the grain runs them, and their facts are kept as the journal would.
/// </summary>
internal sealed class AccountRun
{
    public const string Tickets = "desk.tickets";
    public const string Bytes = "desk.bytes";

    /// <summary>The subscription begins here: periods run to 30 April 12:00, 31 May 12:00 and so on.</summary>
    public static readonly DateTimeOffset Anchor = new(2026, 3, 31, 12, 0, 0, TimeSpan.Zero);

    /// <summary>The end of the first period.</summary>
    public static readonly DateTimeOffset FirstEnd = new(2026, 4, 30, 12, 0, 0, TimeSpan.Zero);

    /// <summary>
    /// Two tickets are included, each further one costs 0.40; bytes cost 0.000001. A session is 10 days, in a chat 3. The plan
    /// desk-trial begins with 7 free days; free costs nothing; nobody who has only that subscribes to the desk.
    /// </summary>
    private const string CatalogJson = """
        {
          "version": "v1", "currency": "USD",
          "meters": [
            { "id": "desk.tickets", "product": "desk", "event": "sent", "where": { "$.direction": "out" }, "aggregate": "count",
              "count_once": { "key": "$.ticket", "window": { "session": { "gap": "P10D", "by": { "path": "$.channel", "gaps": { "chat": "P3D" } } } } } },
            { "id": "desk.bytes", "product": "desk", "event": "sent", "aggregate": "sum", "value": "$.bytes" },
            { "id": "free.clicks", "product": "free", "event": "clicked", "aggregate": "count" }
          ],
          "products": [
            { "id": "desk", "plans": [
              { "id": "desk-1", "rank": 1, "base_price": "25.00", "included": { "desk.tickets": 2 },
                "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "0.40" }, "desk.bytes": { "model": "per_unit", "unit_price": "0.000001" } } },
              { "id": "desk-trial", "rank": 2, "base_price": "25.00", "trial": "P7D", "included": { "desk.tickets": 2 },
                "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "0.40" }, "desk.bytes": { "model": "per_unit", "unit_price": "0.000001" } } } ] },
            { "id": "free", "plans": [ { "id": "free-1", "rank": 1, "base_price": "0.00" } ] }
          ]
        }
        """;

    private static readonly SipKey HashKey = new(1, 2);
    private static readonly Catalogs Desk = new(CatalogJson);

    private readonly UsageDecider _decider = new();
    private readonly FactWriter _facts = new();
    private readonly Catalogs _published;

    public AccountRun(DateTimeOffset? now = null)
        : this(Desk, now ?? Anchor)
    {
    }

    private AccountRun(Catalogs published, DateTimeOffset now)
    {
        _published = published;
        Now = now;
        State = NewState();
    }

    public AccountState State { get; private set; }

    public DateTimeOffset Now { get; private set; }

    /// <summary>The entries of the journal.</summary>
    public List<ReadOnlyMemory<byte>> Entries { get; } = [];

    public static AccountRun Opened(params string[] plans)
    {
        var account = new AccountRun();
        Assert.Null(account.Open(plans.Length == 0 ? ["desk-1"] : plans));
        return account;
    }

    /// <summary>No account yet, on other published catalogue versions than the one of this class; the last is the newest.</summary>
    public static AccountRun On(DateTimeOffset now, params string[] catalogs) => new(new Catalogs(catalogs), now);

    /// <summary>Publishes a newer catalogue version, for accounts with catalogues of their own.</summary>
    public void Publish(string catalog)
    {
        if (_published == Desk) throw new InvalidOperationException("The catalogue of this class is shared.");
        _published.Add(catalog);
    }

    public static OpenAccount Command(params string[] plans) =>
        new("Acme", "billing@acme.example", null, "DE", [.. plans], "v1", "pm_1", true, "command-1");

    /// <summary>Moves the clock and does what is due.</summary>
    public AccountRun At(DateTimeOffset now)
    {
        Now = now;
        Turn(() => { });
        return this;
    }

    /// <summary>Moves the clock only.</summary>
    public AccountRun Unawakened(DateTimeOffset now)
    {
        Now = now;
        return this;
    }

    public Refusal? Open(params string[] plans) => Open(Command(plans) with { CatalogVersion = _published.Latest.Catalog.Version });

    public Refusal? Open(OpenAccount command)
    {
        Refusal? refusal = null;
        Turn(() => refusal = AccountDecider.Open(State, command, _published, Now, _facts));
        return refusal;
    }

    public AccountChangeAnswer Cancel(string? reason = "The shop closes.", bool dryRun = false, string? commandId = null) =>
        Change(dryRun, (state, facts) => CancellationDecider.Cancel(state, new(reason, dryRun, commandId), Now, facts));

    public AccountChangeAnswer Add(string product, string plan) => ChangePlans(new PlanChange(product, plan));

    public AccountChangeAnswer ChangePlans(params PlanChange[] changes) =>
        ChangePlans(new ChangePlans([.. changes], _published.Latest.Catalog.Version, PlanChangeTime.Now, "They asked for it.", false, null));

    public AccountChangeAnswer ChangePlans(ChangePlans command) =>
        Change(command.DryRun, (state, facts) => PlanChangeDecider.Decide(state, command, _published, Now, facts));

    public AccountChangeAnswer UndoPlanChange(string product, bool dryRun = false) =>
        Change(dryRun, (state, facts) => PlanChangeDecider.Undo(state, new(product, null, dryRun), Now, facts));

    public AccountChangeAnswer Set(ChangeSettings command) => Change(command.DryRun, (state, facts) => SettingsDecider.Decide(state, command, Now, facts));

    public AccountChangeAnswer UndoCancellation(string? reason = null, bool dryRun = false) =>
        Change(dryRun, (state, facts) => CancellationDecider.Undo(state, new(reason, dryRun), Now, facts));

    /// <summary>The call to Stripe that the account hands out now; null when it hands out none.</summary>
    public StripeCall? NextCall() => Charge(() => { });

    /// <summary>Gives the account an answer, and takes the next call.</summary>
    public StripeCall? Answer(StripeAnswer answer) => Charge(() => ChargingDecider.Take(State, answer, Now, _facts));

    /// <summary>Tells the account that something happened to an invoice at Stripe, and takes the next call.</summary>
    public StripeCall? Notice(string stripeInvoice, string? intent = null) =>
        Charge(() => ChargingDecider.Notice(State, stripeInvoice, intent, Now, _facts));

    /// <summary>Tells the account of a refund or a dispute of an invoice at Stripe, and takes the next call.</summary>
    public StripeCall? NoticeReversal(string stripeInvoice, string? intent = null) =>
        Charge(() => ReversalDecider.Notice(State, stripeInvoice, intent, Now, _facts));

    public AccountChangeAnswer Pay(string method) =>
        Change(false, (state, facts) => ChargingCommandDecider.ChangePaymentMethod(state, new(method, "A new card.", false, null), Now, facts));

    public AccountChangeAnswer Release(bool dryRun = false) =>
        Change(dryRun, (state, facts) => ChargingCommandDecider.Release(state, new("It is right.", dryRun, null), Now, facts));

    public AccountChangeAnswer Suspend(bool dryRun = false) =>
        Change(dryRun, (state, facts) => SuspensionDecider.Suspend(state, new("They asked for it.", dryRun, null), Now, facts));

    public AccountChangeAnswer Resume(bool dryRun = false) =>
        Change(dryRun, (state, facts) => SuspensionDecider.Resume(state, new("They asked for it.", dryRun, null), Now, facts));

    public ImmutableArray<ChargeView> Charges => ChargeViews.Page(State, 0, 1000).Items;

    /// <summary>Sends a batch and answers with its receipts.</summary>
    public ImmutableArray<UsageReceipt> Send(params Event[] batch)
    {
        var receipts = ImmutableArray.CreateBuilder<UsageReceipt>();
        Turn(() =>
        {
            foreach (var sent in batch) Assert.Equal(_decider.Decide(State, sent.ToRecord(), Now, _facts, receipts), receipts[^1].Outcome);
        });
        return receipts.ToImmutable();
    }

    public UsageReceipt SendOne(Event sent) => Assert.Single(Send(sent));

    /// <summary>The usage of a meter in the period that begins then, as text; null when nothing was ever counted in it.</summary>
    public string? Usage(string meter, DateTimeOffset periodStart) =>
        State.MeterOf(meter).Periods.FirstOrDefault(p => p.Period.Start == periodStart) is { } usage
            ? State.MeterOf(meter).UsageAt(usage.Period, Now).Quantity.ToString()
            : null;

    /// <summary>What a meter says by a clock of the period that begins then, and how many of its events stand.</summary>
    public (Quantity Quantity, Quantity Pending, long EventCount) UsageAt(string meter, DateTimeOffset periodStart, DateTimeOffset at) =>
        State.MeterOf(meter).Periods.FirstOrDefault(p => p.Period.Start == periodStart) is { } usage
            ? State.MeterOf(meter).UsageAt(usage.Period, at) is var (quantity, pending, events) ? (quantity, pending, events) : default
            : default;

    /// <summary>All invoices, drafts last.</summary>
    public ImmutableArray<InvoiceView> Invoices => AccountViews.Invoices(State, 0, 1000, Now).Items;

    public string InvoicesJson => JsonSerializer.Serialize(Invoices);

    public byte[] Snapshot() => Canonical(State, Now);

    /// <summary>All facts of the journal but those about single events.</summary>
    public IEnumerable<AccountFact> Facts()
    {
        foreach (var entry in Entries)
        {
            var facts = new List<AccountFact>();
            var reader = new FactReader(entry.Span);
            while (reader.TryRead(out var kind, out var content))
                if (kind == FactKind.Json) facts.Add(FactReader.ReadJson(content));
            foreach (var fact in facts) yield return fact;
        }
    }

    /// <summary>The bytes that equal states share.</summary>
    public static byte[] Canonical(AccountState state, DateTimeOffset now)
    {
        var writer = new ArrayBufferWriter<byte>();
        state.WriteSnapshot(writer, AccountState.EpochDayOf(now.UtcTicks), canonical: true);
        return writer.WrittenSpan.ToArray();
    }

    /// <summary>
    /// The state as another activation would read it: a snapshot taken after so many entries, with ids sealed then and half way, and
    /// the rest of the entries.
    /// </summary>
    public AccountState ReadAgain(int snapshotAfter = 0)
    {
        var state = NewState();
        var segments = new List<IdSegment>();
        for (var i = 1; i <= snapshotAfter; i++)
        {
            state.ApplyEntry(Entries[i - 1].Span);
            if (i != snapshotAfter / 2 && i != snapshotAfter) continue;

            var today = AccountState.EpochDayOf(state.LastEntryAt.UtcTicks);
            var sealing = state.IdsToSeal();
            segments.AddRange(sealing);
            var snapshot = new ArrayBufferWriter<byte>();
            state.WriteSnapshotBeside(sealing, snapshot, today);
            state.Sealed(sealing, today);
            if (i < snapshotAfter) continue;
            state = NewState();
            Assert.True(state.Restore(snapshot.WrittenSpan, snapshotAfter, segments, today));
        }

        foreach (var entry in Entries.Skip(snapshotAfter)) state.ApplyEntry(entry.Span);
        return state;
    }

    /// <summary>The published catalogue versions.</summary>
    public ICatalogs Published => _published;

    /// <summary>An empty state that forgets nothing, to explain what happened.</summary>
    public AccountState Explaining() => new("acme", HashKey, _published, forgets: false);

    /// <summary>An empty state on other catalogues, to see what would have happened.</summary>
    public AccountState Explaining(ICatalogs catalogs) => new("acme", HashKey, catalogs);

    /// <summary>Goes on with the state that another activation would read.</summary>
    public void Reactivate(int snapshotAfter) => State = ReadAgain(snapshotAfter);

    private AccountState NewState() => new("acme", HashKey, _published);

    private AccountChangeAnswer Change(bool isDryRun, Func<AccountState, FactWriter, AccountChangeAnswer> decide)
    {
        AccountChangeAnswer? answer = null;
        Turn(() => answer = Acts.Decide(State, isDryRun, Now, _facts, decide));
        return answer!;
    }

    private StripeCall? Charge(Action decide)
    {
        StripeCall? call = null;
        Turn(() =>
        {
            decide();
            AccountDecider.CatchUp(State, Now, _facts);
            call = ChargingDecider.Send(State, Now, _facts);
        });
        return call;
    }

    private void Turn(Action decide)
    {
        _facts.Begin(Now);
        AccountDecider.CatchUp(State, Now, _facts);
        decide();
        AccountDecider.CatchUp(State, Now, _facts);
        if (!_facts.HasFacts) return;
        Entries.Add(_facts.Entry.ToArray());
        State.Sequence++;
    }

    /// <summary>A CloudEvent as ingest hands it over.</summary>
    public sealed record Event(string Id, DateTimeOffset Time, string Data, string Type = "sent", string Source = "mail", string? Unreadable = null)
    {
        /// <summary>A message of a ticket, with so many bytes.</summary>
        public static Event Message(string id, DateTimeOffset time, string ticket = "1", int bytes = 0, string channel = "email") => new(
            id, time, string.Create(CultureInfo.InvariantCulture, $$"""{"direction":"out","ticket":"{{ticket}}","channel":"{{channel}}","bytes":{{bytes}}}"""));

        public UInt128 KeyHash => EventKey.Hash(HashKey, Encoding.UTF8.GetBytes(Source), Encoding.UTF8.GetBytes(Id));

        public UsageRecord ToRecord()
        {
            var data = Encoding.UTF8.GetBytes(Data);
            return new()
            {
                KeyHash = KeyHash,
                Fingerprint = unchecked((uint)SipHash128.Hash(HashKey, Encoding.UTF8.GetBytes($"{Type}|{Time.UtcTicks}|{Data}"))),
                TimeTicks = Time.UtcTicks,
                Type = Encoding.UTF8.GetBytes(Type),
                Source = Encoding.UTF8.GetBytes(Source),
                Id = Encoding.UTF8.GetBytes(Id),
                Unreadable = Encoding.UTF8.GetBytes(Unreadable ?? ""),
                Data = data,
                Body = data,
            };
        }
    }

    private sealed class Catalogs(params string[] versions) : ICatalogs
    {
        private readonly List<CompiledCatalog> _versions = [.. versions.Select(Compile)];

        public CompiledCatalog Latest => _versions[^1];

        CompiledCatalog? ICatalogs.Latest => Latest;

        public CompiledCatalog? Find(string version) => _versions.Find(v => v.Catalog.Version == version);

        public void Add(string version) => _versions.Add(Compile(version));

        private static CompiledCatalog Compile(string json)
        {
            var (catalog, problem) = CatalogReader.Read(Encoding.UTF8.GetBytes(json));
            Assert.Null(problem);
            return new(catalog!);
        }
    }
}
