using Billing.Silo.Sandbox;
using FsCheck.Fluent;

namespace Billing.Tests.Sandbox;

/// <summary>Each kind of fault, how evenly they are drawn, and that they come again for the same seed.</summary>
public sealed class FaultTests
{
    private readonly SandboxRun _run = new();

    [Fact]
    public void ResponseLost_IsDoneAndSaved()
    {
        var lost = Faulty(FaultKinds.ResponseLost, () => _run.Send("POST", "/v1/customers", "name=A", "k"));
        var again = _run.Send("POST", "/v1/customers", "name=A", "k");

        Assert.True(lost.ConnectionLost);
        Assert.Equal((lost.Body, true, false), (again.Body, again.Replayed, again.ConnectionLost));
        Assert.Single(_run.List("/v1/customers"));
    }

    [Fact]
    public void Error500Saved_IsDoneAndGivenAgain()
    {
        var failed = Faulty(FaultKinds.Error500Saved, () => _run.Send("POST", "/v1/customers", "name=A", "k"));
        var again = _run.Send("POST", "/v1/customers", "name=A", "k");

        Assert.Equal((500, "false"), (failed.Status, failed.Headers["Stripe-Should-Retry"]));
        Assert.Equal((500, true), (again.Status, again.Replayed));
        Assert.Single(_run.List("/v1/customers"));
    }

    [Fact]
    public void Error500RolledForward_IsDoneTenMinutesLater()
    {
        var invoice = _run.Open(_run.Customer());

        var failed = Faulty(FaultKinds.Error500RolledForward, () => _run.Send("POST", $"/v1/invoices/{invoice}/pay", "", "k"));
        Assert.Equal(500, failed.Status);
        Assert.Equal("open", _run.Invoice(invoice).Text("status"));
        Assert.Equal(_run.Now + TimeSpan.FromMinutes(10), _run.Stripe.NextDueAt);

        _run.Now += TimeSpan.FromMinutes(10) - TimeSpan.FromTicks(1);
        Assert.Equal("open", _run.Invoice(invoice).Text("status"));
        _run.Now += TimeSpan.FromTicks(1);
        Assert.Equal("paid", _run.Invoice(invoice).Text("status"));

        Assert.Equal(500, _run.Send("POST", $"/v1/invoices/{invoice}/pay", "", "k").Status);
        Assert.Single(_run.List("/v1/charges"));
    }

    [Fact]
    public void RolledForwardPayOfAPaidInvoice_ChargesNothingMore()
    {
        var invoice = _run.Open(_run.Customer());
        Faulty(FaultKinds.Error500RolledForward, () => _run.Send("POST", $"/v1/invoices/{invoice}/pay", "", "1"));

        _run.Post($"/v1/invoices/{invoice}/pay", "", "2");
        _run.Now += TimeSpan.FromHours(1);

        Assert.Single(_run.List("/v1/charges"));
    }

    [Fact]
    public void RequestThatIsWrong_IsRefusedWhateverTheFault()
    {
        foreach (var fault in new[] { FaultKinds.Error500Saved, FaultKinds.Error500RolledForward })
            Assert.Equal(400, Faulty(fault, () => _run.Send("POST", "/v1/invoices", "", fault)).Status);

        Assert.Null(_run.Stripe.NextDueAt);
    }

    [Fact]
    public void RateLimited_SaysWhenToComeAgain()
    {
        var limited = Faulty(FaultKinds.RateLimited, () => _run.Send("POST", "/v1/customers"));

        Assert.Equal(429, limited.Status);
        Assert.InRange(int.Parse(limited.Headers["Retry-After"]), 1, 30);
        Assert.Contains(SandboxRun.Error(429, limited).Text("code"), new[] { "rate_limit", "lock_timeout" });
        Assert.Empty(_run.List("/v1/customers"));
    }

    [Fact]
    public void Slow_IsDoneAndHeldBack()
    {
        var slow = Faulty(FaultKinds.Slow, () => _run.Send("POST", "/v1/customers"));

        Assert.Equal(200, slow.Status);
        Assert.InRange(slow.Delay, TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(2));
    }

    [Theory]
    [InlineData(FaultKinds.ResponseLost, 200, true)]
    [InlineData(FaultKinds.Error500Saved, 500, false)]
    [InlineData(FaultKinds.Error500RolledForward, 500, false)]
    [InlineData(FaultKinds.RateLimited, 429, false)]
    [InlineData(FaultKinds.Conflict409, 200, false)]
    public void Read_OnlyFails(string fault, int status, bool lost)
    {
        var customer = _run.Customer();

        var read = Faulty(fault, () => _run.Send("GET", $"/v1/customers/{customer}"));

        Assert.Equal((status, lost), (read.Status, read.ConnectionLost));
        Assert.Null(_run.Stripe.NextDueAt);
        Assert.Equal(200, _run.Send("GET", $"/v1/customers/{customer}").Status);
    }

    [Fact]
    public void Replay_IsNotSavedAnew()
    {
        var first = _run.Send("POST", "/v1/customers", "", "k");
        _run.Stripe.SetFaults([FaultKinds.Error500Saved, FaultKinds.Error500RolledForward], 1, 1);

        Assert.Equal(first.Body, _run.Send("POST", "/v1/customers", "", "k").Body);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void Kinds_AreDrawnEvenly(double probability)
    {
        const int Requests = 6000;
        _run.Stripe.SetFaults(FaultKinds.OfWrites, probability, 3);

        var drawn = Enumerable.Range(0, Requests).Select(_ => _run.Send("POST", "/v1/webhook_endpoints/we_none").Fault).ToList();

        // Requests that are refused anyway show the faults that come before the work: 429 and 409, each a sixth of the faults.
        var expected = Requests * probability / FaultKinds.OfWrites.Count;
        foreach (var kind in new[] { FaultKinds.RateLimited, FaultKinds.Conflict409, FaultKinds.ResponseLost, FaultKinds.Slow })
            Assert.InRange(drawn.Count(d => d == kind), expected * 0.8, expected * 1.2);
    }

    [Fact]
    public void SameSeed_MeetsTheSameFaults() => Prop.ForAll(Generated.Number(1000), seed =>
    {
        string?[] Drawn(int from)
        {
            var run = new SandboxRun();
            run.Stripe.SetFaults(FaultKinds.All, 0.6, from);
            return [.. Enumerable.Range(0, 30).Select(i => run.Send("POST", "/v1/customers", "", $"k{i}").Fault)];
        }

        Assert.Equal(Drawn(seed), Drawn(seed));
        Assert.NotEqual(Drawn(seed), Drawn(seed + 1));
    }).Holds(20);

    [Fact]
    public void FaultsThatAreOver_ComeNoMore()
    {
        _run.Stripe.SetFaults(FaultKinds.OfWrites, 1, 1);
        _run.Stripe.SetFaults([], 0, 0);

        Assert.All(Enumerable.Range(0, 20), _ => Assert.Null(_run.Send("POST", "/v1/customers").Fault));
    }

    [Fact]
    public void UnknownKindOrProbability_IsRefusedByName()
    {
        Assert.Contains("earthquake", Assert.Throws<ArgumentException>(() => _run.Stripe.SetFaults(["earthquake"], 1, 1)).Message, StringComparison.Ordinal);
        foreach (var probability in new[] { -0.1, 1.1, double.NaN })
            Assert.Throws<ArgumentException>(() => _run.Stripe.SetFaults([FaultKinds.Slow], probability, 1));

        Assert.Null(_run.Send("POST", "/v1/customers").Fault);
    }

    private T Faulty<T>(string kind, Func<T> act)
    {
        _run.Stripe.SetFaults([kind], 1, 1);
        var result = act();
        _run.Stripe.SetFaults([], 0, 0);
        return result;
    }
}
