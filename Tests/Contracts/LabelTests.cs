using System.Reflection;
using Billing.Accounts;
using Orleans;

namespace Billing.Tests.Contracts;

/// <summary>The names and numbers by which silos of different versions understand each other. What is listed here must not change.</summary>
public sealed class LabelTests
{
    private static readonly Assembly Contracts = typeof(IMerchantAccountGrain).Assembly;

    [Fact]
    public void MessageTypes_KeepTheirNamesAndNumbers() => Assert.Equal(
        [
            "billing.account-answer: 0 Refusal, 1 Account",
            "billing.account-summary: 0 Id, 1 Name, 2 Email, 3 Status, 4 Currency, 5 CreatedAt, 6 Plans",
            "billing.account: 0 Id, 1 Name, 2 Email, 3 Country, 4 Status, 5 Currency, 6 CreatedAt, 7 AutomaticPlanChanges, 8 Subscriptions, 9 Usage, 10 Balance, 11 Holds",
            "billing.arithmetic-step: 0 Quantity, 1 UnitPrice, 2 Amount, 3 Text",
            "billing.billed-on: 0 Kind, 1 InvoicePeriod",
            "billing.catch-up-answer: 0 Refusal, 1 NextDueAt",
            "billing.invoice-answer: 0 Refusal, 1 Invoice",
            "billing.invoice-line: 0 N, 1 Kind, 2 Product, 3 Plan, 4 CatalogVersion, 5 Meter, 6 Period, 7 Quantity, 8 Amount, 9 Arithmetic, 10 EventCount",
            "billing.invoice-page: 0 Refusal, 1 Items, 2 Next",
            "billing.invoice: 0 Number, 1 Status, 2 Currency, 3 Total, 4 Period, 5 DraftedAt, 6 FinalizedAt, 7 PaidAt, 8 Lines",
            "billing.meter-receipt: 0 Meter, 1 Quantity, 2 Period",
            "billing.meter-usage: 0 Meter, 1 Quantity, 2 Pending, 3 Included, 4 Forecast",
            "billing.open-account: 0 Name, 1 Email, 2 Currency, 3 Country, 4 Plans, 5 CatalogVersion, 6 PaymentMethod, 7 AutomaticPlanChanges, 8 CommandId",
            "billing.period-usage-view: 0 Period, 1 Quantity, 2 Pending",
            "billing.period: 0 Start, 1 End",
            "billing.quantity: 0 Whole, 1 Fraction",
            "billing.refusal: 0 Kind, 1 Detail, 2 Field",
            "billing.subscription: 0 Product, 1 Plan, 2 CatalogVersion, 3 Period",
            "billing.usage-answer: 0 Refusal, 1 Usage",
            "billing.usage-batch: 0 Records, 1 Count, 2 KeepBodies, 3 WantReceipts",
            "billing.usage-receipt: 0 Outcome, 1 Reason, 2 Meters, 3 BilledOn",
            "billing.usage-result: 0 Refusal, 1 Outcomes, 2 Receipts",
            "billing.usage-view: 0 Meter, 1 Items",
        ],
        MessageTypes().Select(Describe).Order(StringComparer.Ordinal));

    [Fact]
    public void GrainInterfaces_KeepTheirNames() => Assert.Equal(
        ["billing.merchant-account: catch-up, get, get-invoice, get-usage, list-invoices, open, preview-invoice, record-usage"],
        from type in Contracts.GetTypes()
        where type.IsInterface && typeof(IGrain).IsAssignableFrom(type)
        select $"{AliasOf(type)}: {string.Join(", ", type.GetMethods().Select(AliasOf).Order(StringComparer.Ordinal))}");

    [Fact]
    public void MessageTypes_AreImmutable() => Assert.All(MessageTypes(), type => Assert.True(type.IsDefined(typeof(ImmutableAttribute)), type.FullName));

    [Fact]
    public void MessageTypes_HaveAnExample() => Assert.Equal(
        MessageTypes().Select(type => type.Name).Order(StringComparer.Ordinal),
        Examples.All.Select(example => example.GetType().Name).Distinct().Order(StringComparer.Ordinal));

    private static IEnumerable<Type> MessageTypes() => Contracts.GetTypes().Where(type => type.IsDefined(typeof(GenerateSerializerAttribute), inherit: false));

    private static string AliasOf(MemberInfo member) => member.GetCustomAttribute<AliasAttribute>()!.Alias;

    private static string Describe(Type type)
    {
        var fields =
            from property in type.GetProperties()
            let id = property.GetCustomAttribute<IdAttribute>()
            where id is not null
            orderby id.Id
            select $"{id.Id} {property.Name}";
        return $"{AliasOf(type)}: {string.Join(", ", fields)}";
    }
}
