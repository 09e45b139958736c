namespace Billing.Benchmarks.Charge;

/// <summary>Claims in a key-value store what it is about to do, writes it, charges. What is claimed is taken for done.</summary>
internal sealed class ClaimThenCharge(WorkerWorld world) : IWorker
{
    private const int Attempts = 3;

    private readonly Claims _redis = new(world);
    private readonly Table<UsageEvent> _usage = new(world, "usage");
    private readonly Table<WorkerInvoice> _invoices = new(world, "invoices");

    public void Use(UsageEvent used)
    {
        if (_redis.SetIfAbsent($"event:{used.Id}")) _usage.Put(used.Id, used);
    }

    public void Close(string merchant)
    {
        if (!_redis.SetIfAbsent($"invoice:{merchant}")) return;
        var cents = _usage.Rows.Where(u => u.Merchant == merchant).Sum(u => u.Units * ChargeSchedule.CentsPerUnit);
        var invoice = new WorkerInvoice(merchant, cents, IsPaid: false);
        _invoices.Put(merchant, invoice);
        Charge(invoice);
    }

    public void Start()
    {
        foreach (var open in _invoices.Rows.Where(i => !i.IsPaid).ToList()) Charge(open);
    }

    private void Charge(WorkerInvoice invoice)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                world.Stripe.Charge(invoice.Merchant, invoice.Cents, world.NewKey());
                break;
            }
            catch (StripeFailedException) when (attempt < Attempts)
            {
                world.Sleep(TimeSpan.FromSeconds(10));
            }
        }

        _invoices.Put(invoice.Merchant, invoice with { IsPaid = true });
    }
}
