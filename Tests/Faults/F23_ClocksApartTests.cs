using System.Globalization;
using Billing.Journal;
using Billing.Silo.Scheduling;
using Billing.Silo.Storage;
using Billing.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Billing.Tests.Faults;

/// <summary>
/// F23 on one real store: two silos whose machine clocks are five minutes apart take events and close periods at once. No period is
/// closed twice or missed, and each is closed at its own instant, whichever silo comes to it first.
/// </summary>
[Trait("Suite", "Faults")]
public class F23_ClocksApartTests
{
    private static readonly TimeSpan Apart = TimeSpan.FromMinutes(5);
    private static readonly DateTimeOffset Opened = At("2026-01-31T22:30:00Z");
    private static readonly DateTimeOffset FirstEnd = At("2026-02-28T22:30:00Z");
    private static readonly DateTimeOffset SecondEnd = At("2026-03-31T22:30:00Z");
    private static readonly TimeSpan Grace = TimeSpan.FromHours(72);

    // Where the clock behind stands: before each end, between what the two clocks show, and behind it.
    private static readonly DateTimeOffset[] Times =
    [
        Opened.AddMinutes(10),
        FirstEnd.AddMinutes(-6), FirstEnd.AddMinutes(-4), FirstEnd.AddMinutes(-1), FirstEnd.AddMinutes(1),
        FirstEnd.Add(Grace).AddMinutes(-6), FirstEnd.Add(Grace).AddMinutes(-4), FirstEnd.Add(Grace).AddMinutes(1),
        SecondEnd.AddMinutes(-4), SecondEnd.AddMinutes(1),
        SecondEnd.Add(Grace).AddMinutes(-4), SecondEnd.Add(Grace).AddMinutes(1),
    ];

    [Fact]
    public async Task F23_SilosWhoseClocksAreFiveMinutesApart_CloseEachPeriodOnceAtItsInstant()
    {
        await using var store = await FaultStore.New(FaultStore.Postgres);
        await using (var alone = await store.OpenAlone()) await alone.Set("billing_clock", "ahead by 0");
        var machine = new MachineTime(Opened);
        var clocks = new[] { machine, machine.AheadBy(Apart) };
        await using var behind = await Start(store, clocks[0]);
        await using var ahead = await Start(store, clocks[1]);
        var silos = new[] { behind, ahead };
        await behind.Api.Open("shop", "desk-basic");
        var times = new List<DateTimeOffset>();

        foreach (var (time, i) in Times.Select((time, i) => (time, i)))
        {
            machine.Set(time);
            var sent = clocks.Select((clock, side) => new ScriptEvent("shop", $"e{i}.{side}", clock.GetUtcNow())).ToList();
            var work = silos.Select(silo => silo.Services.GetRequiredService<DueWork>().Run(default)).ToList();
            var answers = await Task.WhenAll(silos.Select((silo, side) => ScriptRequest.Of([sent[side]]).SendUntilTaken(silo.Api)));
            Assert.All(answers, answer => Assert.True(answer.Count("accepted") + answer.Count("duplicate") == 1, answer.Text));
            await Task.WhenAll(work);
            times.AddRange(sent.Select(e => e.Time));
        }

        var shown = await Task.WhenAll(silos.Select(async silo => (await silo.Api.Get("/v1/accounts/shop/invoices")).Text));
        Assert.Equal(PaymentText.Without(shown[0]), PaymentText.Without(shown[1]));
        var invoices = (await behind.Api.Get("/v1/accounts/shop/invoices")).Json.GetProperty("items").EnumerateArray().ToList();
        Assert.Equal([Opened, FirstEnd, SecondEnd], invoices.Select(i => i.GetProperty("period").GetProperty("start").GetDateTimeOffset()));
        Assert.Equal([1, 2, 3], invoices.Select(i => i.GetProperty("number").GetInt32()));
        Assert.Equal([Opened, FirstEnd, SecondEnd], invoices.Select(i => i.GetProperty("drafted_at").GetDateTimeOffset()));
        Assert.Equal([Opened, FirstEnd + Grace, SecondEnd + Grace], invoices.Select(i => i.GetProperty("finalized_at").GetDateTimeOffset()));

        // 2 tickets are included, each more is 0.50.
        Assert.Equal((6, 11), (times.Count(t => t < FirstEnd), times.Count(t => t >= FirstEnd && t < SecondEnd)));
        Assert.Equal([10_00, 12_00, 14_50], invoices.Select(i => i.GetProperty("total").GetInt32()));
        Assert.Empty(await behind.Services.GetRequiredService<IIntegrity>().Check(default));
    }

    private static Task<OpenPlatform> Start(FaultStore store, TimeProvider machine) => store.Open(configure: builder =>
    {
        builder.Services.RemoveAll<BillingClock>();
        builder.Services.RemoveAll<IBillingClock>();
        builder.Services.AddSingleton(services => BillingClock.Load(services.GetRequiredService<ISettings>(), machine, null).GetAwaiter().GetResult());
        builder.Services.AddSingleton<IBillingClock>(services => services.GetRequiredService<BillingClock>());
    }, shared: true);

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture);

    /// <summary>A machine's clock that is set by hand, and clocks ahead of it.</summary>
    private sealed class MachineTime(DateTimeOffset start, TimeSpan ahead = default, MachineTime? of = null) : TimeProvider
    {
        private long _ticks = start.UtcTicks;

        public MachineTime AheadBy(TimeSpan by) => new(start, by, this);

        public void Set(DateTimeOffset now) => Interlocked.Exchange(ref _ticks, now.UtcTicks);

        public override DateTimeOffset GetUtcNow() => of is null ? new(Interlocked.Read(ref _ticks), TimeSpan.Zero) : of.GetUtcNow() + ahead;
    }
}
