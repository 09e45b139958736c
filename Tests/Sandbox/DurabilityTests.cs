using Billing.Silo.Sandbox;
using Billing.Silo.Storage;
using Billing.Tests.Support;

namespace Billing.Tests.Sandbox;

/// <summary>All that was answered is there after the sandbox is gone, as by a kill, and taken up again from its store.</summary>
public sealed class DurabilityTests
{
    [Fact]
    public void SandboxTakenUpAgain_HoldsTheSame()
    {
        var store = new MemorySandboxStore();
        var run = new SandboxRun(store);
        var left = LeaveWork(run);

        HoldsTheSame(left, run, new SandboxRun(store, seed: 99) { Now = run.Now });
    }

    [Fact]
    public async Task FilesAsTheyAreWhenTheProcessIsKilled_HoldAllThatWasAnswered()
    {
        using var folder = new TemporaryFolder();
        await using var store = SqliteSandboxStore.Open(folder.File("before"));
        var run = new SandboxRun(store);
        var left = LeaveWork(run);
        await run.Stripe.Written;

        // The files while the store is open: what a process leaves that gets no time to close them.
        Directory.CreateDirectory(folder.File("after"));
        foreach (var file in Directory.GetFiles(folder.File("before"))) File.Copy(file, Path.Combine(folder.File("after"), Path.GetFileName(file)));
        await using var copied = SqliteSandboxStore.Open(folder.File("after"));

        HoldsTheSame(left, run, new SandboxRun(copied, seed: 99) { Now = run.Now });
    }

    [Fact]
    public async Task CallsAtOnce_AreAllThereAfterwards()
    {
        const int Calls = 500;
        using var folder = new TemporaryFolder();
        await using (var store = SqliteSandboxStore.Open(folder.Path))
        {
            var stripe = new StripeSandbox(store, 1);
            await Task.WhenAll(Enumerable.Range(0, Calls).Select(i => Task.Run(async () =>
            {
                var answer = await stripe.HandleAsync(new("POST", "/v1/customers", "", "Bearer sk_test_1", $"k{i}", null, $"name={i}"), DateTimeOffset.UnixEpoch);
                Assert.Equal(200, answer.Status);
            })));
        }

        await using var again = SqliteSandboxStore.Open(folder.Path);
        var customers = new SandboxRun(again).Pages("/v1/customers", 100);
        Assert.Equal(Calls, customers.Distinct().Count());
    }

    [Fact]
    public async Task StoreOfAnotherProcess_IsLeftAlone()
    {
        using var folder = new TemporaryFolder();
        await using var store = SqliteSandboxStore.Open(folder.Path);

        Assert.Throws<StoreInUseException>(() => SqliteSandboxStore.Open(folder.Path));
    }

    [Fact]
    public void AfterAFailedCommit_NothingIsAnsweredAnyMore()
    {
        var store = new FailingStore();
        var run = new SandboxRun(store);
        run.Post("/v1/customers");
        store.Fails = true;

        Assert.Throws<IOException>(() => run.Send("POST", "/v1/customers"));
        store.Fails = false;
        Assert.Throws<IOException>(() => run.Send("POST", "/v1/customers"));
        Assert.Throws<IOException>(() => run.Send("GET", "/v1/customers"));
    }

    [Fact]
    public void RequestLog_HoldsTheLastOnes()
    {
        var store = new MemorySandboxStore();
        var run = new SandboxRun(store);
        for (var i = 0; i < RequestLog.RequestsMax + 5; i++) run.Send("GET", $"/v1/nothing/{i}");

        var requests = new SandboxRun(store).Held["requests"]!.AsArray();

        Assert.Equal(RequestLog.RequestsMax, requests.Count);
        Assert.Equal("/v1/nothing/5", (string)requests[0]!["path"]!);
    }

    // Something of everything that waits: a saved answer, webhooks under way and to come, work rolled forward, a debit, faults half drawn.
    private static (string Invoice, string Debit, string Answer) LeaveWork(SandboxRun run)
    {
        run.Stripe.RegisterWebhook(SandboxRun.Url, SandboxRun.Secret, run.Now);
        var invoice = run.Open(run.Customer());
        var debit = run.Open(run.Customer("pm_usBankAccount"));
        run.Post($"/v1/invoices/{debit}/pay");
        var answer = run.Send("POST", "/v1/customers", "name=kept", "kept").Body;
        run.Stripe.SetFaults([FaultKinds.Error500RolledForward], 1, 5);
        Assert.Equal(500, run.Send("POST", $"/v1/invoices/{invoice}/pay", "", "rolled").Status);
        run.Stripe.SetFaults([], 0, 0);
        run.Send("DELETE", $"/v1/invoices/{run.Draft(run.Customer())}");
        run.Stripe.SetFaults(FaultKinds.OfReads, 0.5, 5);
        run.Send("GET", "/v1/customers");

        // What is read is noted with the next write.
        run.Send("POST", "/v1/customers", "name=last");
        run.Stripe.TakeDue(run.Now);
        return (invoice, debit, answer);
    }

    private static void HoldsTheSame((string Invoice, string Debit, string Answer) left, SandboxRun before, SandboxRun after)
    {
        Assert.Equal(before.Stripe.Snapshot(), after.Stripe.Snapshot());
        Assert.Equal(SandboxRun.Secret, after.Stripe.WebhookSecret);

        // The webhooks under way were not reported, so they are due again.
        Assert.Equal(after.Now, after.Stripe.NextDueAt);
        Assert.NotEmpty(after.Deliver());

        var drawn = Enumerable.Range(0, 20).Select(_ => before.Send("GET", "/v1/customers").Fault).ToList();
        Assert.Equal(drawn, Enumerable.Range(0, 20).Select(_ => after.Send("GET", "/v1/customers").Fault));
        after.Stripe.SetFaults([], 0, 0);

        var again = after.Send("POST", "/v1/customers", "name=kept", "kept");
        Assert.Equal((left.Answer, true), (again.Body, again.Replayed));
        Assert.Equal(500, after.Send("POST", $"/v1/invoices/{left.Invoice}/pay", "", "rolled").Status);
        after.Now += TimeSpan.FromMinutes(10);
        Assert.Equal("paid", after.Invoice(left.Invoice).Text("status"));
        after.Now += TimeSpan.FromDays(4);
        Assert.Equal("paid", after.Invoice(left.Debit).Text("status"));
        Assert.DoesNotContain(after.Post("/v1/customers").Id(), before.Held["customers"]!.AsArray().Select(c => (string)c!["id"]!));
    }

    private sealed class FailingStore : ISandboxStore
    {
        public bool Fails { get; set; }

        public IReadOnlyList<SandboxChange> Load() => [];

        public Task Save(IReadOnlyList<SandboxChange> changes) => Fails ? Task.FromException(new IOException("The disk is gone.")) : Task.CompletedTask;
    }
}
