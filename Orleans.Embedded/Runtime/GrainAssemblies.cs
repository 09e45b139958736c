using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Orleans.Embedded;

/// <summary>Finds grain classes without being told: in every assembly of the program that refers to this one.</summary>
internal static class GrainAssemblies
{
    private static readonly string Own = typeof(GrainAssemblies).Assembly.GetName().Name!;

    /// <summary>All grain classes that can be created.</summary>
    public static IEnumerable<Type> GrainTypes() => Loaded().Union(OnDisk())
        .SelectMany(assembly => assembly.GetTypes())
        .Where(type => type is { IsClass: true, IsAbstract: false, ContainsGenericParameters: false }
            && typeof(IGrain).IsAssignableFrom(type)
            && !typeof(GrainReference).IsAssignableFrom(type));

    private static IEnumerable<Assembly> Loaded() => AppDomain.CurrentDomain.GetAssemblies()
        .Where(assembly => !assembly.IsDynamic && Array.Exists(assembly.GetReferencedAssemblies(), name => name.Name == Own));

    // The compiler keeps no reference that is not used, and the runtime loads late: so the program's own list is asked.
    private static IEnumerable<Assembly> OnDisk() => ((string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Where(path => !IsOfThePlatform(Path.GetFileName(path)) && File.Exists(path) && RefersToThis(path))
        .Select(path => Assembly.Load(new AssemblyName(Path.GetFileNameWithoutExtension(path))));

    private static bool IsOfThePlatform(string file) =>
        file.StartsWith("System.", StringComparison.Ordinal) || file.StartsWith("Microsoft.", StringComparison.Ordinal);

    private static bool RefersToThis(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        if (!file.HasMetadata) return false;

        var metadata = file.GetMetadataReader();
        return metadata.AssemblyReferences.Any(handle => metadata.StringComparer.Equals(metadata.GetAssemblyReference(handle).Name, Own));
    }
}
