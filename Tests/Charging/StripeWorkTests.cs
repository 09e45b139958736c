using Billing.Accounts;
using Billing.Silo.Charging;
using Billing.Tests.Support;

namespace Billing.Tests.Charging;

/// <summary>Places for calls to Stripe are given back, whatever happens to who took them.</summary>
public sealed class StripeWorkTests
{
    [Fact]
    public async Task ATurnThatFails_GivesItsPlaceBack()
    {
        var work = NoStripe.Work(AccountDouble.Factory(_ => AccountDouble.Account()));

        for (var i = 0; i <= StripeWork.AtOnceMax; i++)
            await Assert.ThrowsAsync<IOException>(() => work.Follow(() => throw new IOException("The store does not answer.")));

        Assert.True(work.WhenIdle().IsCompleted);
        Assert.NotNull(await work.Follow(() => Task.FromResult(new CatchUpAnswer(null, null))));
    }

    [Fact]
    public async Task NoPlaceIsFree_TheAccountIsNotAsked()
    {
        var work = NoStripe.Work(AccountDouble.Factory(_ => AccountDouble.Account()));
        for (var i = 0; i < StripeWork.AtOnceMax; i++) Assert.True(work.TryReserve());

        Assert.Null(await work.Follow(() => throw new InvalidOperationException("The account was asked.")));

        work.Release();
        Assert.NotNull(await work.Follow(() => Task.FromResult(new CatchUpAnswer(null, null))));
        Assert.False(work.WhenIdle().IsCompleted);
    }

    [Fact]
    public async Task TheSiloStops_WhatIsUnderWayIsWaitedForAndNothingElseIsBegun()
    {
        var work = NoStripe.Work(AccountDouble.Factory(_ => AccountDouble.Account()));
        Assert.True(work.TryReserve());

        var stopped = work.Stop();

        Assert.False(stopped.IsCompleted);
        Assert.Null(await work.Follow(() => throw new InvalidOperationException("The account was asked.")));
        work.Release();
        await stopped;
    }
}
