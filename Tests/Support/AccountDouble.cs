using System.Reflection;
using Billing.Accounts;
using Billing.Usage;
using Orleans;

namespace Billing.Tests.Support;

/// <summary>Accounts that do what a test tells them, behind the grain factory of either runtime.</summary>
internal static class AccountDouble
{
    /// <summary>A factory that gives out an account for each id.</summary>
    public static IGrainFactory Factory(Func<string, IMerchantAccountGrain> account)
    {
        var factory = DispatchProxy.Create<IGrainFactory, FactoryProxy>();
        ((FactoryProxy)(object)factory).Account = account;
        return factory;
    }

    /// <summary>An account with only the calls that a test gives it.</summary>
    public static IMerchantAccountGrain Account(Func<UsageBatch, Task<UsageResult>>? recordUsage = null, Func<Task<CatchUpAnswer>>? catchUp = null, Func<string, string?, Task<CatchUpAnswer>>? notice = null)
    {
        var account = DispatchProxy.Create<IMerchantAccountGrain, AccountProxy>();
        var proxy = (AccountProxy)(object)account;
        proxy.RecordUsage = recordUsage;
        proxy.CatchUp = catchUp;
        proxy.Notice = notice;
        return account;
    }

    public class FactoryProxy : DispatchProxy
    {
        internal Func<string, IMerchantAccountGrain> Account { get; set; } = _ => throw new InvalidOperationException();

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Account((string)args![0]!);
    }

    public class AccountProxy : DispatchProxy
    {
        internal Func<UsageBatch, Task<UsageResult>>? RecordUsage { get; set; }

        internal Func<Task<CatchUpAnswer>>? CatchUp { get; set; }

        internal Func<string, string?, Task<CatchUpAnswer>>? Notice { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
        {
            nameof(IMerchantAccountGrain.RecordUsage) when RecordUsage is { } call => call((UsageBatch)args![0]!),
            nameof(IMerchantAccountGrain.CatchUp) when CatchUp is { } call => call(),
            nameof(IMerchantAccountGrain.NoticeStripeInvoice) when Notice is { } call => call((string)args![0]!, (string?)args[1]),
            _ => throw new NotSupportedException(targetMethod.Name),
        };
    }
}
