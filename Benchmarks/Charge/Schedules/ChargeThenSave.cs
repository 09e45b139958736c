namespace Billing.Benchmarks.Charge;

/// <summary>Charges, then saves that it charged. What is not saved is charged when it is asked again, or at the next start.</summary>
/// <param name="world">Where it runs.</param>
/// <param name="oneKey">Whether all attempts for an invoice share one idempotency key; else each has its own, as Stripe's libraries do it.</param>
internal sealed class ChargeThenSave(WorkerWorld world, bool oneKey) : IWorker
{
    private readonly Table<UsageEvent> _usage = new(world, "usage");
    private readonly Table<WorkerInvoice> _invoices = new(world, "invoices");

    public void Use(UsageEvent used) => _usage.Put(used.Id, used);

    public void Close(string merchant)
    {
        if (_invoices.Find(merchant) is null)
        {
            var cents = _usage.Rows.Where(u => u.Merchant == merchant).Sum(u => u.Units * ChargeSchedule.CentsPerUnit);
            _invoices.Put(merchant, new(merchant, cents, IsPaid: false));
        }

        Charge(_invoices.Find(merchant)!);
    }

    public void Start()
    {
        foreach (var invoice in _invoices.Rows.ToList()) Charge(invoice);
    }

    private void Charge(WorkerInvoice invoice)
    {
        if (invoice.IsPaid) return;
        world.Stripe.Charge(invoice.Merchant, invoice.Cents, oneKey ? $"invoice-{invoice.Merchant}" : world.NewKey());
        _invoices.Put(invoice.Merchant, invoice with { IsPaid = true });
    }
}
