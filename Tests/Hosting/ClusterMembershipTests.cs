using Billing.Silo.Hosting;

namespace Billing.Tests.Hosting;

public sealed class ClusterMembershipTests
{
    [Theory]
    [InlineData("Host=127.0.0.1;Port=1;Username=nobody;Timeout=5")]
    [InlineData("not a connection string")]
    [InlineData("Username=nobody")]
    [InlineData("Host=nowhere.invalid;Timeout=5")]
    [InlineData("Host=127.0.0.1;Minimum Pool Size=9;Maximum Pool Size=3")]
    public void DatabaseThatCannotBeUsed_IsRefusedWithASentence(string connection)
    {
        var refused = Assert.Throws<InvalidOperationException>(() => ClusterMembership.Require(connection));

        Assert.StartsWith("The database of BILLING_CLUSTER_DATABASE cannot be used: ", refused.Message, StringComparison.Ordinal);
    }
}
