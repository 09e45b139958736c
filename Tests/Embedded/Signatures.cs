using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Billing.Tests.Embedded;

/// <summary>Public signatures of assemblies and of a written list, as lines of text that can be compared.</summary>
internal static partial class Signatures
{
    private static readonly SymbolDisplayFormat Format = new(
        typeQualificationStyle: SymbolDisplayTypeQualificationStyle.NameAndContainingTypes,
        genericsOptions: SymbolDisplayGenericsOptions.IncludeTypeParameters
            | SymbolDisplayGenericsOptions.IncludeTypeConstraints | SymbolDisplayGenericsOptions.IncludeVariance,
        memberOptions: SymbolDisplayMemberOptions.IncludeAccessibility | SymbolDisplayMemberOptions.IncludeModifiers
            | SymbolDisplayMemberOptions.IncludeParameters | SymbolDisplayMemberOptions.IncludeType
            | SymbolDisplayMemberOptions.IncludeConstantValue | SymbolDisplayMemberOptions.IncludeRef,
        parameterOptions: SymbolDisplayParameterOptions.IncludeType | SymbolDisplayParameterOptions.IncludeName
            | SymbolDisplayParameterOptions.IncludeDefaultValue | SymbolDisplayParameterOptions.IncludeExtensionThis
            | SymbolDisplayParameterOptions.IncludeParamsRefOut,
        propertyStyle: SymbolDisplayPropertyStyle.ShowReadWriteDescriptor,
        miscellaneousOptions: SymbolDisplayMiscellaneousOptions.UseSpecialTypes
            | SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    /// <summary>The public types of assemblies by their full names. What they refer to may be missing.</summary>
    public static Dictionary<string, INamedTypeSymbol> TypesOf(string assemblyPath)
    {
        var platform = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("Orleans.", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path));
        var assembly = MetadataReference.CreateFromFile(assemblyPath);
        var compilation = CSharpCompilation.Create("signatures", references: [.. platform, assembly]);
        return AllTypes(((IAssemblySymbol)compilation.GetAssemblyOrModuleSymbol(assembly)!).GlobalNamespace)
            .Where(type => type.DeclaredAccessibility == Accessibility.Public)
            .ToDictionary(FullName);
    }

    /// <summary>One line for what the type is, one for each base and interface, one for each public or protected member.</summary>
    public static IEnumerable<string> LinesOf(INamedTypeSymbol type)
    {
        yield return $"{type.TypeKind}{(type is { TypeKind: TypeKind.Class, IsAbstract: true, IsStatic: false } ? " abstract" : "")}"
            + $"{(type.IsStatic ? " static" : "")} {type.ToDisplayString(Format)}";
        if (type.BaseType is { SpecialType: SpecialType.None } parent) yield return $": {parent.ToDisplayString(Format)}";
        foreach (var implemented in type.Interfaces) yield return $": {implemented.ToDisplayString(Format)}";
        if (UsageOf(type) is { } usage) yield return usage;
        foreach (var member in type.GetMembers().Where(IsOffered)) yield return LineOf(member);
    }

    /// <summary>The types of the written list by their full names, each with its lines.</summary>
    public static Dictionary<string, HashSet<string>> ReadList(string text)
    {
        var types = new Dictionary<string, HashSet<string>>();
        foreach (Match section in Section().Matches(text))
        {
            var heading = Heading().Match(section.Groups["heading"].Value);
            var lines = section.Groups["body"].Value.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Concat(heading.Groups["bases"].Value.Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(parent => ": " + parent))
                .Append(heading.Groups["kind"].Value + " " + heading.Groups["name"].Value);
            var name = $"{section.Groups["namespace"].Value}.{heading.Groups["name"].Value}";
            types.Add(Arity().Replace(name, match => "`" + (match.Value.Count(c => c == ',') + 1)), [.. lines.Select(Loose)]);
        }

        return types;
    }

    /// <summary>
    /// A line as the written list can express it: it has no modifiers, writes some types by their system names,
    /// and cannot tell an unmarked type parameter from a nullable one.
    /// </summary>
    public static string Loose(string line)
    {
        var loose = Modifiers().Replace(line, "").Replace("Double ", "double ").TrimEnd(';');
        loose = DefaultOf().Replace(loose, "= default");
        return TypeParameter().Replace(loose, "$1");
    }

    private static string LineOf(ISymbol member)
    {
        var line = member.ToDisplayString(Format);
        return member is IFieldSymbol { HasConstantValue: true } constant && constant.ContainingType.TypeKind == TypeKind.Enum
            ? $"{constant.Name} = {constant.ConstantValue}"
            : member is { IsAbstract: true, ContainingType.TypeKind: TypeKind.Interface } ? "abstract " + line : line;
    }

    private static bool IsOffered(ISymbol member) =>
        member.DeclaredAccessibility is Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal
        && member is not (IMethodSymbol { AssociatedSymbol: not null } or INamedTypeSymbol)
        && member is not IMethodSymbol { MethodKind: MethodKind.Constructor, IsImplicitlyDeclared: true }
        && (member.ContainingType.TypeKind != TypeKind.Delegate || member.Name == "Invoke");

    private static string? UsageOf(INamedTypeSymbol type)
    {
        if (type.GetAttributes().FirstOrDefault(attribute => attribute.AttributeClass?.Name == nameof(AttributeUsageAttribute)) is not { } usage)
        {
            return null;
        }

        var named = usage.NamedArguments.ToImmutableDictionary(argument => argument.Key, argument => (bool)argument.Value.Value!);
        return $"// AttributeUsage: {(AttributeTargets)(int)usage.ConstructorArguments[0].Value!}, "
            + $"AllowMultiple={named.GetValueOrDefault("AllowMultiple")}, Inherited={named.GetValueOrDefault("Inherited", true)}";
    }

    private static IEnumerable<INamedTypeSymbol> AllTypes(INamespaceSymbol space) =>
        space.GetTypeMembers().Concat(space.GetNamespaceMembers().SelectMany(AllTypes));

    private static string FullName(INamedTypeSymbol type) => $"{type.ContainingNamespace.ToDisplayString()}.{type.MetadataName}";

    [GeneratedRegex(@"^namespace (?<namespace>[\w.]+); (?<heading>.+)\n\{\n(?<body>(?:.*\n)*?)\}", RegexOptions.Multiline)]
    private static partial Regex Section();

    [GeneratedRegex(@"^(?<kind>(?:\w+ )*)(?<name>\w+(?:<[^>]+>)?)(?: : (?<bases>.*))?$")]
    private static partial Regex Heading();

    [GeneratedRegex("<[^>]+>$")]
    private static partial Regex Arity();

    [GeneratedRegex(@"\b(public|protected|internal|static|virtual|abstract|override|sealed|const|readonly|private) ")]
    private static partial Regex Modifiers();

    [GeneratedRegex(@"= default\(\w+\)")]
    private static partial Regex DefaultOf();

    [GeneratedRegex(@"\b(T|T[A-Z]\w*)\?")]
    private static partial Regex TypeParameter();
}
