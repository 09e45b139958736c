namespace Billing.Tests;

/// <summary>The source tree that the tests were built from.</summary>
internal static class Repository
{
    private static readonly string[] Products = ["artifacts", "bin", "obj", ".git", ".data", ".vs", ".idea", "TestResults"];

    /// <summary>The folder of the solution, found upwards from the test assembly.</summary>
    public static string Root { get; } = Find();

    /// <summary>The files below a folder of the root that are not build products; paths are relative to the root, with slashes.</summary>
    public static IReadOnlyList<string> Files(string folder = "", params string[] extensions) =>
    [
        .. (Directory.Exists(Path.Combine(Root, folder)) ? Walk(Path.Combine(Root, folder)) : [])
            .Where(file => extensions.Length == 0 || extensions.Contains(Path.GetExtension(file)))
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Order(StringComparer.Ordinal),
    ];

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    private static IEnumerable<string> Walk(string folder) =>
        Directory.EnumerateFiles(folder).Concat(Directory.EnumerateDirectories(folder).Where(d => !Products.Contains(Path.GetFileName(d))).SelectMany(Walk));

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Orleans.Billing.sln"))) return folder.FullName;
        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds Orleans.Billing.sln: these tests read the source tree.");
    }
}
