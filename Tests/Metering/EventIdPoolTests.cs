using System.Text;
using Billing.Metering;
using FsCheck.Fluent;

namespace Billing.Tests.Metering;

public sealed class EventIdPoolTests
{
    [Fact]
    public void AnyAddsAndRemoves_KeepEveryOtherId() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), numbers =>
        {
            var pool = new EventIdPool();
            var kept = new Dictionary<int, string>();
            foreach (var n in numbers)
            {
                if (n % 3 == 0 && kept.Count > 0)
                {
                    var gone = kept.Keys.ElementAt(n / 3 % kept.Count);
                    pool.Remove(gone);
                    kept.Remove(gone);
                    continue;
                }

                var id = new string((char)('a' + (n % 26)), n / 26 % 3000);
                kept.Add(pool.Add("source"u8, Encoding.UTF8.GetBytes(id)), id);
            }

            Assert.All(kept, entry =>
            {
                Assert.Equal(0, pool.Compare(entry.Key, "source"u8, Encoding.UTF8.GetBytes(entry.Value)));
                Assert.True(pool.Compare(entry.Key, "sourcd"u8, Encoding.UTF8.GetBytes(entry.Value)) > 0);
            });
        }).Holds();

    [Fact]
    public void MoreIdsThanAnyNumberOfPlaces_CanComeAndGo()
    {
        // A reference has room for 65,536 chunks of 32 KiB: more long ids pass through, two at a time, each in a chunk of its own.
        var pool = new EventIdPool();
        var id = new byte[32_000];
        var last = pool.Add("s"u8, id);
        for (var i = 1; i < 66_000; i++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(id, i);
            var reference = pool.Add("s"u8, id);
            pool.Remove(last);
            Assert.Equal(0, pool.Compare(reference, "s"u8, id));
            last = reference;
        }
    }
}
