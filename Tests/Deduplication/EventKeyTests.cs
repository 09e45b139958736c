using System.Text;
using Billing.Deduplication;

namespace Billing.Tests.Deduplication;

public sealed class EventKeyTests
{
    private static readonly SipKey Key = new(1, 2);

    [Fact]
    public void PartsThatJoinToTheSameText_AreDifferentKeys() => Assert.NotEqual(Hash("a-", "b"), Hash("a", "-b"));

    [Fact]
    public void PartsInTheOtherOrder_AreDifferentKeys() => Assert.NotEqual(Hash("a", "b"), Hash("b", "a"));

    [Theory]
    [InlineData(1), InlineData(251), InlineData(252), InlineData(253), InlineData(1_024)]
    public void PartsOfAnyLength_AreHashedBehindTheLengthOfTheSource(int length)
    {
        var source = new string('s', length);
        var encoded = BitConverter.GetBytes(length).Concat(Encoding.UTF8.GetBytes(source + "id")).ToArray();

        Assert.Equal(SipHash128.Hash(Key, encoded), Hash(source, "id"));
    }

    private static UInt128 Hash(string source, string id) =>
        EventKey.Hash(Key, Encoding.UTF8.GetBytes(source), Encoding.UTF8.GetBytes(id));
}
