using System.Numerics;
using Billing.Invoices;

namespace Billing.Tests.Plans;

/// <summary>A line of base price that an account is to be sent, in cents.</summary>
internal sealed record Fee(string Product, InvoiceLineKind Kind, string Plan, string Version, DateTimeOffset From, DateTimeOffset To, long Amount);

/// <summary>
/// Which base prices an account owes, worked out from what people do with it alone. It knows for each product the plan it is on and what is
/// paid for how long at which price, and follows the text of the rules from one end of a period to the next.
/// </summary>
internal sealed class NaiveBaseFees
{
    private readonly FeeCase _tried;
    private readonly SortedDictionary<string, Product> _products = new(StringComparer.Ordinal);
    private readonly List<Fee> _fees = [];
    private DateTimeOffset? _trialEnd;
    private DateTimeOffset _anchor;
    private int _month;
    private bool _isToEnd;
    private bool _hasEnded;
    private bool _isSuspended;
    private DateTimeOffset? _pausedAt;

    /// <summary>The account is opened.</summary>
    public NaiveBaseFees(FeeCase tried)
    {
        _tried = tried;
        var plans = tried.First.Select(id => tried.Plan(id, tried.FirstVersion)).ToList();
        foreach (var product in tried.Plans.Select(p => p.Product)) _products[product] = new() { Plan = plans.Find(p => p.Product == product) };
        if (plans.Max(p => p.TrialDays) is > 0 and var days) _trialEnd = tried.Begins.AddDays(days);
        else Begin(tried.Begins);
    }

    /// <summary>The lines so far that are not zero.</summary>
    public IEnumerable<Fee> Fees => _fees.Where(f => f.Amount != 0);

    /// <summary>The plans that products are on.</summary>
    public IEnumerable<string> Plans => _products.Values.Select(p => p.Plan?.Id).OfType<string>();

    /// <summary>The next plan up, of the last product that has one.</summary>
    public IEnumerable<string> NextUp => _products.Values
        .Select(p => _tried.Plans.Where(o => o.Product == p.Plan?.Product && o.Version == p.Plan.Version && o.Yearly == p.Plan.Yearly && o.Rank > p.Plan.Rank).MinBy(o => o.Rank)?.Id)
        .OfType<string>().TakeLast(1);

    /// <summary>When the trial or the running period ends; null while neither runs.</summary>
    public DateTimeOffset? NextEnd => _hasEnded || _pausedAt is not null ? null : _trialEnd ?? PeriodEnd;

    /// <summary>Whether another period follows, as things stand, with plans that were asked for at the end of this one.</summary>
    public bool GoesOn => NextEnd is not null && !_isToEnd && !_isSuspended;

    private DateTimeOffset PeriodStart => _anchor.AddMonths(_month);

    private DateTimeOffset PeriodEnd => _anchor.AddMonths(_month + 1);

    /// <summary>Lets the time pass.</summary>
    public void To(DateTimeOffset now)
    {
        while (NextEnd is { } end && end <= now)
        {
            if (_isToEnd) _hasEnded = true;
            else if (_trialEnd is not null) Begin(end);
            else if (_isSuspended) _pausedAt = end;
            else Next();
        }
    }

    /// <summary>Whether something cannot be done, as things stand.</summary>
    public bool Refuses(FeeAct act) => _hasEnded || act.Kind switch
    {
        FeeActKind.MoveNow => _pausedAt is not null || act.Plans.IsEmpty || PlansOf(act).Exists(RefusesNow),
        FeeActKind.MoveAtPeriodEnd => _pausedAt is not null || _isToEnd || act.Plans.IsEmpty || PlansOf(act).Exists(RefusesAtPeriodEnd),
        FeeActKind.Undo => ProductOf(act.Plans[0]).Scheduled is null,
        FeeActKind.Suspend => _isSuspended || _trialEnd is not null,
        FeeActKind.Resume => !_isSuspended,
        FeeActKind.Cancel => _isToEnd,
        _ => !_isToEnd,
    };

    /// <summary>Something was done, and not refused.</summary>
    public void Did(FeeAct act, DateTimeOffset now)
    {
        var at = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerSecond));
        switch (act.Kind)
        {
            case FeeActKind.MoveNow:
                foreach (var plan in PlansOf(act)) Move(plan, at);
                break;
            case FeeActKind.MoveAtPeriodEnd:
                foreach (var plan in PlansOf(act)) Schedule(plan);
                break;
            case FeeActKind.Undo:
                ProductOf(act.Plans[0]).Scheduled = null;
                break;
            case FeeActKind.Suspend:
                _isSuspended = true;
                break;
            case FeeActKind.Resume:
                _isSuspended = false;
                if (_pausedAt is { } paused) BeginAnew(at < paused ? paused : at);
                break;
            case FeeActKind.Cancel:
                (_isToEnd, _hasEnded) = (true, _pausedAt is not null);
                break;
            default:
                _isToEnd = false;
                break;
        }
    }

    // Upwards on the ladder, by the same interval; what is added at once is paid by the month. In a trial anything goes.
    private bool RefusesNow(FeePlan plan) => ProductOf(plan.Id).Plan is { } present
        ? plan == present || (_trialEnd is null && (plan.Yearly != present.Yearly || plan.Rank < present.Rank))
        : _trialEnd is null && plan.Yearly;

    private bool RefusesAtPeriodEnd(FeePlan plan) => ProductOf(plan.Id) is var product && (plan == product.Plan || product.Scheduled == (plan, HoldsFrom(product, plan)));

    private List<FeePlan> PlansOf(FeeAct act) =>
        [.. act.Plans.Select(id => _tried.Plan(id, act.Version ?? ProductOf(id).Plan?.Version ?? _tried.Plans[^1].Version))];

    private Product ProductOf(string plan) => _products[_tried.Plans.First(p => p.Id == plan).Product];

    private void Begin(DateTimeOffset anchor)
    {
        (_trialEnd, _anchor, _month) = (null, anchor, 0);
        foreach (var product in _products.Values) BeginPeriod(product);
    }

    private void Next()
    {
        _month++;
        foreach (var product in _products.Values) BeginPeriod(product);
    }

    // What is left of the years that are paid is given back, so nothing is paid when the first period begins.
    private void BeginAnew(DateTimeOffset anchor)
    {
        _pausedAt = null;
        foreach (var product in _products.Values)
        {
            if (product.Paid is { } paid && paid.End > anchor) Part(paid, anchor, -1);
            product.Paid = null;
        }

        Begin(anchor);
    }

    // A plan that was asked for waits for the end of what is paid, but for the same year of another version, which goes on in it.
    private void BeginPeriod(Product product)
    {
        var isPaid = product.Paid is { } paid && paid.End > PeriodStart;
        if (product.Scheduled is { } scheduled && (!isPaid || PeriodStart >= scheduled.From)) (product.Plan, product.Scheduled) = (scheduled.Plan, null);
        if (isPaid || product.Plan is not { } plan) return;
        product.Paid = new(plan, PeriodStart, _anchor.AddMonths(_month + (plan.Yearly ? 12 : 1)));
        _fees.Add(new(plan.Product, InvoiceLineKind.Base, plan.Id, plan.Version, product.Paid.Start, product.Paid.End, plan.Price));
    }

    private void Schedule(FeePlan plan) => ProductOf(plan.Id).Scheduled = (plan, HoldsFrom(ProductOf(plan.Id), plan));

    private DateTimeOffset HoldsFrom(Product product, FeePlan plan) =>
        product is { Plan: { } present, Paid: { } paid } && !GoesOnIn(plan, present) ? paid.End : NextEnd!.Value;

    private void Move(FeePlan plan, DateTimeOffset at)
    {
        var product = ProductOf(plan.Id);
        if (product.Plan is null) product.Scheduled = null;
        product.Plan = plan;
        if (_trialEnd is not null) return;
        if (product.Paid is { } before) Part(before, at, -1);
        product.Paid = product.Paid is { } paid ? paid with { Plan = plan } : new(plan, PeriodStart, PeriodEnd);
        Part(product.Paid, at, 1);
        if (product.Scheduled is { } scheduled && scheduled.From < product.Paid.End) product.Scheduled = scheduled with { From = product.Paid.End };
    }

    private void Part(Paid paid, DateTimeOffset from, int sign) => _fees.Add(new(
        paid.Plan.Product, InvoiceLineKind.Proration, paid.Plan.Id, paid.Plan.Version, from, paid.End,
        sign * (paid.Plan.Price - HalfToEven(paid.Plan.Price * Seconds(from - paid.Start), Seconds(paid.End - paid.Start)))));

    private static bool GoesOnIn(FeePlan plan, FeePlan present) => plan.Id == present.Id && plan.Yearly && present.Yearly;

    private static BigInteger Seconds(TimeSpan time) => time.Ticks / TimeSpan.TicksPerSecond;

    private static long HalfToEven(BigInteger dividend, BigInteger divisor)
    {
        var whole = BigInteger.DivRem(dividend, divisor, out var rest);
        var twice = (rest * 2).CompareTo(divisor);
        return (long)(twice > 0 || (twice == 0 && !whole.IsEven) ? whole + 1 : whole);
    }

    /// <summary>What is paid: the time that the whole price is for.</summary>
    private sealed record Paid(FeePlan Plan, DateTimeOffset Start, DateTimeOffset End);

    private sealed class Product
    {
        /// <summary>The plan it is on; null for one that is not subscribed to.</summary>
        public FeePlan? Plan { get; set; }

        /// <summary>The plan that was asked for, and from when on it is to hold; null for none. It holds sooner where nothing is paid.</summary>
        public (FeePlan Plan, DateTimeOffset From)? Scheduled { get; set; }

        /// <summary>What was paid last; null for nothing that still counts.</summary>
        public Paid? Paid { get; set; }
    }
}
