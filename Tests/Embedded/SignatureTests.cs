using System.Reflection;
using Microsoft.CodeAnalysis;
using Orleans;

namespace Billing.Tests.Embedded;

// Goal: code that compiles against Orleans.Embedded means the same against Orleans.
// Method: each public signature of ours, nullability included, must be one of the real assembly's,
// or of the written list for types of the assemblies that are not at hand.
public sealed class SignatureTests
{
    private static readonly Dictionary<string, INamedTypeSymbol> Ours = Signatures.TypesOf(typeof(IGrain).Assembly.Location);

    private static readonly Dictionary<string, INamedTypeSymbol> Real = Signatures.TypesOf(typeof(SignatureTests).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "OrleansAbstractions").Value!);

    private static readonly Dictionary<string, HashSet<string>> Listed = Signatures.ReadList(ReadList());

    public static TheoryData<string> OurTypes => [.. Ours.Keys];

    [Theory]
    [MemberData(nameof(OurTypes))]
    public void EachSignature_IsOneOfOrleans(string type) => Assert.Empty(Differences(Ours[type], type));

    [Fact]
    public void BothSources_AreRead()
    {
        Assert.True(Real.Count > 200);
        Assert.Contains("Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)", Listed["Orleans.Storage.IGrainStorage"]);
        Assert.Contains("T State { get; set; }", Listed["Orleans.IGrainState`1"]);
    }

    [Theory]
    [InlineData("Orleans.Grain", "Orleans.IGrainBase")]
    [InlineData("Orleans.Runtime.RequestContext", "Orleans.Runtime.RequestContext")]
    [InlineData("Orleans.Hosting.ISiloBuilder", "Orleans.IClusterClient")]
    public void AnotherType_IsToldApart(string type, string comparedWith)
    {
        var differences = Differences(Ours[type], comparedWith);

        Assert.Equal(type == comparedWith, differences.Count == 0);
    }

    private static List<string> Differences(INamedTypeSymbol ours, string name)
    {
        var lines = Signatures.LinesOf(ours);
        if (Real.TryGetValue(name, out var real)) return lines.Except(Signatures.LinesOf(real)).ToList();

        return Listed.TryGetValue(name, out var listed)
            ? lines.Skip(1).Select(Signatures.Loose).Except(listed).ToList()
            : [$"{name} is not in Orleans"];
    }

    private static string ReadList()
    {
        using var reader = new StreamReader(typeof(SignatureTests).Assembly.GetManifestResourceStream("orleans-api.txt")!);
        return reader.ReadToEnd();
    }
}
