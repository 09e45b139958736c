using System.Collections.Immutable;
using Orleans;
using Orleans.Embedded;
using Orleans.Runtime;

namespace Billing.Tests.Embedded;

// The interfaces are private and no grain implements them, so that no host meets them.
public sealed class MessageRulesTests
{
    private interface ITakesAnArray : IGrainWithStringKey
    {
        Task Take(int count, byte[] bytes);
    }

    private interface IAnswersAList : IGrainWithStringKey
    {
        Task<List<string>> Answer();
    }

    private interface IAnswersNestedMutable : IGrainWithStringKey
    {
        ValueTask<ImmutableArray<Unlabelled>> Answer();
    }

    private interface IAnswersNoTask : IGrainWithStringKey
    {
        int Answer();
    }

    private interface IIsGeneric : IGrainWithStringKey
    {
        Task Take<T>(T value);
    }

    private interface IIsFine : IGrainWithStringKey
    {
        Task<int?> A(string text, DayOfWeek day, decimal amount, DateTimeOffset at, TimeSpan time, Guid id, CancellationToken cancellation);

        ValueTask<ImmutableArray<Labelled>> B(ReadOnlyMemory<byte> bytes, Labelled message, IIsFine other, (int, string) pair);

        ValueTask C(ImmutableDictionary<string, Labelled> messages, [Immutable] byte[] promised);
    }

    [Theory]
    [InlineData(typeof(ITakesAnArray), "ITakesAnArray.Take", "bytes of type System.Byte[] is not immutable")]
    [InlineData(typeof(IAnswersAList), "IAnswersAList.Answer", "System.Collections.Generic.List`1[System.String] is not immutable")]
    [InlineData(typeof(IAnswersNestedMutable), "IAnswersNestedMutable.Answer", "Unlabelled] is not immutable")]
    [InlineData(typeof(IAnswersNoTask), "IAnswersNoTask.Answer", "it returns no task")]
    [InlineData(typeof(IIsGeneric), "IIsGeneric.Take", "it is generic")]
    public void InterfaceThatCouldShareMutableState_IsRefusedByName(Type grainInterface, string member, string reason)
    {
        var refusal = Assert.Throws<OrleansException>(() => ProxyEmitter.Emit(grainInterface));

        Assert.Contains(member, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ImmutableTypes_AreTaken() => Assert.NotNull(ProxyEmitter.Emit(typeof(IIsFine)));

    private sealed record Unlabelled(string Text);

    [Immutable]
    private sealed record Labelled(string Text);
}
