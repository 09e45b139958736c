using System.Globalization;
using System.Text.Json;
using Billing.Charging;
using Billing.Silo.Charging;
using Billing.Silo.Sandbox;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using StripeCall = Billing.Charging.StripeCall;

namespace Billing.Tests.Faults;

/// <summary>F12 to F17: Stripe fails, each kind at high probability, while accounts open and their periods end. I3, I4, I8.</summary>
[Trait("Suite", "Faults")]
public class F12_StripeFaultsTests
{
    private static readonly string[] Accounts = ["shop-0", "shop-1", "shop-2"];

    /// <summary>The steps of a charge that change something at Stripe, each carried out or not when its answer is lost.</summary>
    public static TheoryData<StripeCallKind, bool> LostSteps
    {
        get
        {
            var steps = new TheoryData<StripeCallKind, bool>();
            foreach (var kind in new[] { StripeCallKind.CreateInvoice, StripeCallKind.AddLines, StripeCallKind.FinalizeInvoice, StripeCallKind.PayInvoice })
            {
                steps.Add(kind, true);
                steps.Add(kind, false);
            }

            return steps;
        }
    }

    [Theory]
    [InlineData(FaultKinds.Error500Saved)]
    [InlineData(FaultKinds.Error500RolledForward)]
    public Task F12_DoneThen500Saved_ChargesEachInvoiceOnce(string fault) => ChargesOnceUnder(0.6, fault);

    [Fact]
    public Task F13_DoneThenConnectionLost_ChargesEachInvoiceOnce() => ChargesOnceUnder(0.6, FaultKinds.ResponseLost);

    [Fact]
    public Task F14_StormOf429WithRetryAfter_ChargesEachInvoiceOnce() => ChargesOnceUnder(0.9, FaultKinds.RateLimited);

    [Fact]
    public Task F15_ConflictOfTwoSenders_ChargesEachInvoiceOnce() => ChargesOnceUnder(0.9, FaultKinds.Conflict409);

    [Fact]
    public Task F12ToF15_AllAtOnce_ChargesEachInvoiceOnce() =>
        ChargesOnceUnder(0.7, FaultKinds.Error500Saved, FaultKinds.Error500RolledForward, FaultKinds.ResponseLost, FaultKinds.RateLimited, FaultKinds.Conflict409);

    // Goal: an intent that stayed open for longer than Stripe keeps keys is not charged twice. Method: the answer to one step is lost, the process is down for
    // three days, and every key is forgotten when it is back.
    [Theory]
    [MemberData(nameof(LostSteps))]
    internal async Task F16_KeysPrunedWhileDownForThreeDays_ChargesEachInvoiceOnce(StripeCallKind step, bool done)
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);
        await using (var platform = await store.Open(configure: With(inner => new Breaking(inner, step, done))))
        {
            foreach (var account in Accounts) await platform.Api.Open(account, "desk-basic");
            await platform.Api.MoveClock("PT1S");
            foreach (var account in Accounts)
                Assert.NotEqual("settled", Assert.Single(await ChargedOnce.Charges(platform.Api, account)).GetProperty("state").GetString());
        }

        await using (var alone = await store.OpenAlone())
            await alone.Set("billing_clock", string.Create(CultureInfo.InvariantCulture, $"stands at {FaultStore.Start.AddDays(3).UtcTicks}"));
        await using var back = await store.Open();
        await back.Api.MoveClock("P1D");

        await ChargedOnce.Check(back.Api, Accounts, Accounts.Length);
    }

    [Fact]
    public async Task F17_AmountChangedUnderTheSameKey_IsNotChargedAndWaitsForAPerson()
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);
        await using var platform = await store.Open(configure: With(inner => new SendingAnotherAmountFirst(inner)));
        await platform.Api.Open("shop", "desk-basic");

        await platform.Api.MoveClock("P2D");

        var charge = Assert.Single(await ChargedOnce.Charges(platform.Api, "shop"));
        Assert.Equal(("parked", "mismatch"), (charge.GetProperty("state").GetString(), charge.GetProperty("verdict").GetString()));
        var stripe = (await platform.Api.Get("/v1/sandbox/stripe")).Json;
        Assert.Empty(ChargedOnce.Charged(stripe));
        Assert.Equal("draft", Assert.Single(stripe.GetProperty("invoices").EnumerateArray()).GetProperty("status").GetString());
        Assert.Contains("is parked", await Holds(), StringComparison.Ordinal);

        Assert.Equal(200, (await platform.Api.Post("/v1/accounts/shop/release", """{"reason":"It is right."}""")).Status);
        Assert.Equal("[]", await Holds());

        // The list says the same as the account.
        async Task<string> Holds()
        {
            var holds = (await platform.Api.Get("/v1/accounts/shop")).Json.GetProperty("holds").GetRawText();
            Assert.Equal(holds, (await platform.Api.Get("/v1/accounts")).Json.GetProperty("items")[0].GetProperty("holds").GetRawText());
            return holds;
        }
    }

    private static async Task ChargesOnceUnder(double probability, params string[] faults)
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);
        await using var platform = await store.Open();
        await SetFaults(probability, faults);
        foreach (var account in Accounts) await platform.Api.Open(account, "desk-basic");
        await platform.Api.MoveClock("P35D");
        var met = (await platform.Api.Get("/v1/sandbox/stripe")).Json.GetProperty("requests").EnumerateArray().Select(r => r.GetProperty("fault").GetString()).ToList();
        Assert.All(faults, fault => Assert.Contains(fault, met));
        await SetFaults(0);
        await platform.Api.MoveClock("P5D");

        await ChargedOnce.Check(platform.Api, Accounts, 2 * Accounts.Length);

        async Task SetFaults(double of, params string[] kinds)
        {
            var answer = await platform.Api.Post("/v1/sandbox/faults", JsonSerializer.Serialize(new { kinds, probability = of, seed = 12 }));
            Assert.True(answer.Status == 200, answer.Text);
        }
    }

    private static Action<WebApplicationBuilder> With(Func<ICarryOut, ICarryOut> around) =>
        builder => builder.Services.AddSingleton(services => around(services.GetRequiredService<StripeConnection>()));

    /// <summary>The first call of a kind for each account ends without an answer.</summary>
    private sealed class Breaking(ICarryOut inner, StripeCallKind kind, bool done) : ICarryOut
    {
        public async Task<StripeAnswer> CarryOut(StripeCall call, CancellationToken cancellation)
        {
            if (call.Kind != kind) return await inner.CarryOut(call, cancellation);
            if (done) await inner.CarryOut(call, cancellation);
            throw new IOException("The answer is lost, as the test wants it.");
        }
    }

    /// <summary>Before the lines of an invoice are sent, others are, under the same key.</summary>
    private sealed class SendingAnotherAmountFirst(ICarryOut inner) : ICarryOut
    {
        public async Task<StripeAnswer> CarryOut(StripeCall call, CancellationToken cancellation)
        {
            if (call.Kind == StripeCallKind.AddLines)
            {
                var other = await inner.CarryOut(call with { Lines = [.. call.Lines.Select(l => l with { Amount = l.Amount + 1 })] }, cancellation);
                Assert.Equal(StripeOutcome.Done, other.Outcome);
            }

            return await inner.CarryOut(call, cancellation);
        }
    }
}
