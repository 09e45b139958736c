using System.Globalization;
using Billing.Accounts;
using Billing.Invoices;
using Billing.Tests.Accounts;

namespace Billing.Tests.Plans;

/// <summary>A case on an account, with the oracle of base prices at its side.</summary>
internal sealed class FeeRun
{
    private readonly FeeCase _tried;

    private FeeRun(FeeCase tried)
    {
        _tried = tried;
        Account = AccountRun.On(tried.Begins, tried.Catalogs);
        Assert.Null(Account.Open(AccountRun.Command([.. tried.First]) with { CatalogVersion = tried.FirstVersion, AutomaticPlanChanges = false }));
        Oracle = new(tried);
    }

    public AccountRun Account { get; }

    public NaiveBaseFees Oracle { get; }

    /// <summary>The lines of base price on all invoices and drafts that are not zero.</summary>
    public IEnumerable<Fee> Fees => FeesOf(Account.Invoices);

    /// <summary>Lives a case to its end, with some usage.</summary>
    /// <param name="tried">The case.</param>
    /// <param name="before">Is called when the time of each act has come, and at the end.</param>
    /// <param name="act">Acts in place of the account, and tells whether it was not refused.</param>
    public static FeeRun Lived(FeeCase tried, Action<FeeRun>? before = null, Func<FeeRun, FeeAct, bool>? act = null)
    {
        var run = new FeeRun(tried);
        foreach (var asked in tried.Acts)
        {
            if (run.When(asked) is not { } clock) break;
            run.To(clock);
            before?.Invoke(run);
            var next = asked switch
            {
                { Kind: FeeActKind.MoveNow, Plans.IsEmpty: true } => asked with { Plans = [.. run.Oracle.NextUp] },
                { Kind: FeeActKind.MoveAtPeriodEnd, Plans.IsEmpty: true } => asked with { Plans = [.. run.Oracle.Plans] },
                _ => asked,
            };
            var refuses = run.Oracle.Refuses(next);
            Assert.True(refuses != (act?.Invoke(run, next) ?? run.Do(next).Change is not null), $"{next}, which {(refuses ? "cannot" : "can")} be done");
            if (!refuses) run.Oracle.Did(next, clock);
            run.Use(clock);
        }

        run.To(tried.Ends);
        before?.Invoke(run);
        return run;
    }

    /// <summary>Does what a person does, or tries it.</summary>
    public AccountChangeAnswer Do(FeeAct act, bool dryRun = false, string? commandId = null) => act.Kind switch
    {
        FeeActKind.MoveNow or FeeActKind.MoveAtPeriodEnd => Account.ChangePlans(new ChangePlans(
            [.. act.Plans.Select(id => new PlanChange(ProductOf(id), id))],
            act.Version,
            act.Kind == FeeActKind.MoveNow ? PlanChangeTime.Now : PlanChangeTime.PeriodEnd,
            "They asked for it.", dryRun, commandId)),
        FeeActKind.Undo => Account.UndoPlanChange(ProductOf(act.Plans[0]), dryRun),
        FeeActKind.Suspend => Account.Suspend(dryRun),
        FeeActKind.Resume => Account.Resume(dryRun),
        FeeActKind.Cancel => Account.Cancel(dryRun: dryRun, commandId: commandId),
        _ => Account.UndoCancellation(dryRun: dryRun),
    };

    /// <summary>The lines of base price of some invoices that are not zero.</summary>
    public static IEnumerable<Fee> FeesOf(IEnumerable<InvoiceView> invoices) => FeesOf(invoices.SelectMany(i => i.Lines));

    /// <summary>The lines of base price among some that are not zero.</summary>
    public static IEnumerable<Fee> FeesOf(IEnumerable<InvoiceLine> lines) =>
        lines.Where(l => l is { Product: not null, Amount: not 0 }).Select(l => new Fee(l.Product!, l.Kind, l.Plan!, l.CatalogVersion!, l.Period.Start, l.Period.End, l.Amount));

    /// <summary>Lines as a text, in an order of their own.</summary>
    public static string Text(IEnumerable<Fee> fees) => string.Concat(
        fees.OrderBy(f => f.Product, StringComparer.Ordinal).ThenBy(f => f.From).ThenBy(f => f.To).ThenBy(f => f.Kind).ThenBy(f => f.Plan, StringComparer.Ordinal).ThenBy(f => f.Amount)
            .Select(f => string.Create(CultureInfo.InvariantCulture, $"\n  {f.Kind} {f.Plan} {f.Version} {f.From:u} to {f.To:u}: {f.Amount}")));

    public string ProductOf(string plan) => _tried.Plans.First(p => p.Id == plan).Product;

    // What is used costs nothing. It makes closed periods be rated anew.
    private void Use(DateTimeOffset clock) => Account.Send(
        new($"{Account.Entries.Count}", clock, "{}", "sent"), new($"{Account.Entries.Count} late", clock.AddDays(-20), "{}", "sent"));

    // Null when the case has ended by then.
    private DateTimeOffset? When(FeeAct act)
    {
        var clock = Account.Now;
        for (var i = 1; i < act.Boundaries && Oracle.NextEnd is { } end; i++)
        {
            clock = end;
            if (clock > _tried.Ends) return null;
            Oracle.To(clock);
        }

        var at = (act.Boundaries > 0 && Oracle.NextEnd is { } last ? last : clock) + act.Wait;
        if (at < clock) at = clock;
        return at > _tried.Ends ? null : at;
    }

    private void To(DateTimeOffset clock)
    {
        while (_tried.Wakes && Account.State.NextRuleAt is { } due && due <= clock) Account.At(due);
        Account.At(clock);
        Oracle.To(clock);
    }
}
