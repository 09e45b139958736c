using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Billing.Tests.Contracts;

/// <summary>Every message through the serializer of Orleans, as it goes from silo to silo.</summary>
public sealed class WireTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    [Fact]
    public void Message_ArrivesAsItWasSent() => Assert.All(Examples.All, example =>
    {
        var serializer = _services.GetRequiredService<Serializer>();

        var arrived = serializer.Deserialize<object>(serializer.SerializeToArray(example));

        Assert.IsType(example.GetType(), arrived);
        Assert.Equal(TextOf(example), TextOf(arrived));
    });

    [Fact]
    public void Message_IsNotCopiedWithinASilo() => Assert.All(Examples.All, example =>
        Assert.Same(example, _services.GetRequiredService<DeepCopier>().Copy(example)));

    public void Dispose() => _services.Dispose();

    // Arrays are equal only to themselves; their text is the same when their values are.
    private static string TextOf(object message) => JsonSerializer.Serialize(message, message.GetType());
}
