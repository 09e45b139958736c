using System.Globalization;
using System.Reflection;
using System.Text;
using Billing.Accounts;
using Orleans;

namespace Billing.Tests.Contracts;

/// <summary>What crosses a grain call is a contract between releases that run side by side: its names and numbers stay.</summary>
public sealed class ContractsTests
{
    private static readonly Assembly Interfaces = typeof(IMerchantAccountGrain).Assembly;

    private static readonly Type[] Grains = [.. Interfaces.GetTypes().Where(t => t.IsInterface && t.IsAssignableTo(typeof(IGrainWithStringKey)))];

    private static readonly Type[] Labelled =
        [.. Interfaces.GetTypes().Where(t => t.IsDefined(typeof(GenerateSerializerAttribute), false)).OrderBy(t => t.FullName, StringComparer.Ordinal)];

    [Fact]
    public void EveryTypeThatCrossesAGrainCall_IsLabelled()
    {
        Assert.NotEmpty(Grains);
        var crossing = new HashSet<Type>();
        foreach (var method in Grains.SelectMany(g => g.GetMethods()))
            foreach (var type in method.GetParameters().Select(p => p.ParameterType).Append(method.ReturnType)) Collect(type, crossing);

        Assert.Contains(typeof(Quantity), crossing);
        Assert.All(crossing, type =>
        {
            Assert.True(type.IsDefined(typeof(GenerateSerializerAttribute), false), $"{type} crosses a grain call without [GenerateSerializer].");
            Assert.True(type.IsDefined(typeof(ImmutableAttribute), false), $"{type} crosses a grain call without [Immutable].");
            Assert.True(type.IsDefined(typeof(AliasAttribute), false), $"{type} crosses a grain call without [Alias].");
        });
    }

    [Fact]
    public void AliasesAreUnique_AndSoAreTheNumbersOfMembers()
    {
        Assert.Equal(Labelled.Length + Grains.Length, Labelled.Concat(Grains).Select(AliasOf).Distinct(StringComparer.Ordinal).Count());
        Assert.All(Grains, grain => Assert.Equal(grain.GetMethods().Length, grain.GetMethods().Select(AliasOf).Distinct(StringComparer.Ordinal).Count()));
        Assert.All(Labelled, type => Assert.Equal(Members(type).Count(), Members(type).Select(IdOf).Distinct().Count()));
    }

    [Fact]
    public void AliasesAndNumbers_AreTheApprovedOnes()
    {
        var found = new StringBuilder();
        foreach (var grain in Grains.OrderBy(AliasOf, StringComparer.Ordinal))
            foreach (var method in grain.GetMethods().OrderBy(AliasOf, StringComparer.Ordinal))
                found.Append(CultureInfo.InvariantCulture, $"grain {AliasOf(grain)} {AliasOf(method)}({string.Join(", ", method.GetParameters().Select(p => Name(p.ParameterType)))}): {Name(method.ReturnType)}\n");

        foreach (var type in Labelled.OrderBy(AliasOf, StringComparer.Ordinal))
            foreach (var member in Members(type).OrderBy(IdOf)) found.Append(CultureInfo.InvariantCulture, $"type {AliasOf(type)} {IdOf(member)} {member.Name}: {Name(member.PropertyType)}\n");

        foreach (var type in Interfaces.GetTypes().Where(t => t.IsEnum).OrderBy(t => t.Name, StringComparer.Ordinal))
            foreach (var value in Enum.GetValues(type)) found.Append(CultureInfo.InvariantCulture, $"enum {type.Name} {Convert.ToInt32(value, CultureInfo.InvariantCulture)} {value}\n");

        const string File = "Tests/Contracts/contracts.txt";
        var approved = System.IO.File.Exists(Path.Combine(Repository.Root, File)) ? Repository.Read(File) : "";
        if (approved == found.ToString()) return;

        var received = Path.Combine(AppContext.BaseDirectory, "contracts.received.txt");
        System.IO.File.WriteAllText(received, found.ToString());
        var differences = found.ToString().Split('\n').Except(approved.Split('\n')).Select(l => "+ " + l)
            .Concat(approved.Split('\n').Except(found.ToString().Split('\n')).Select(l => "- " + l));
        Assert.Fail($"""
            The contracts differ from {File}, which pins what other releases send and read:
            {string.Join('\n', differences)}
            Renamed, renumbered or removed by accident: put it back. New members get new numbers at the end.
            On purpose: cp {Path.GetRelativePath(Repository.Root, received)} {File}, and say in the commit why no running release is harmed.
            """);
    }

    // What has an example goes through the real serializer in the build on real Orleans.
    [Fact]
    public void EveryMessageType_HasAnExample() => Assert.Equal(
        Labelled.Select(t => t.Name).Order(StringComparer.Ordinal),
        Examples.All.Select(e => e.GetType().Name).Distinct().Order(StringComparer.Ordinal));

    private static void Collect(Type type, HashSet<Type> crossing)
    {
        foreach (var argument in type.GenericTypeArguments) Collect(argument, crossing);
        if (type.Assembly != Interfaces || type.IsEnum || !crossing.Add(type)) return;
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)) Collect(property.PropertyType, crossing);
    }

    /// <summary>The members that are stored: all automatic properties. One without a number would be lost on the wire.</summary>
    private static IEnumerable<PropertyInfo> Members(Type type) => type
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(p => type.GetField($"<{p.Name}>k__BackingField", BindingFlags.NonPublic | BindingFlags.Instance) is not null);

    private static uint IdOf(PropertyInfo member) =>
        member.GetCustomAttribute<IdAttribute>()?.Id ?? throw new InvalidOperationException($"{member.DeclaringType}.{member.Name} has no [Id]: it would be lost on the wire.");

    private static string AliasOf(MemberInfo member) =>
        member.GetCustomAttribute<AliasAttribute>()?.Alias ?? throw new InvalidOperationException($"{member.DeclaringType}.{member.Name} has no [Alias]: its name in code would be its name on the wire.");

    private static string Name(Type type) => Nullable.GetUnderlyingType(type) is { } value ? Name(value) + "?"
        : type.IsGenericType ? $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GenericTypeArguments.Select(Name))}>"
        : type.Name;
}
