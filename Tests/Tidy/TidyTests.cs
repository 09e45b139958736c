using System.Text.RegularExpressions;

namespace Billing.Tests.Tidy;

/// <summary>Style as tests, over the source tree.</summary>
public sealed partial class TidyTests
{
    private const int LinesMax = 500;
    private const int ReadmeLinesMax = 60;

    /// <summary>Folders of these hold one room each.</summary>
    private static readonly string[] Houses = ["Grains", "Silo"];

    private static readonly string[] Compositions = ["Silo/Hosting/OrleansComposition.cs", "Tests/Cluster/GrainHost.cs"];

    // Goal: a billing rule runs without a silo, a clock or a network, and counts without floating point.
    // Method: read the source of every rule file and look for the words that would end that.
    [Theory]
    [InlineData(@"\basync\b", "a rule does not wait")]
    [InlineData(@"\bawait\b", "a rule does not wait")]
    [InlineData(@"\bTask\b", "a rule does not wait")]
    [InlineData(@"\bUtcNow\b|\bDateTime\.|\bDateTimeOffset\.Now\b|\bTimeProvider\b|\bStopwatch\b|\bIBillingClock\b|\bEnvironment\.", "a rule is told the time")]
    [InlineData(@"\b(File|Directory|FileStream|HttpClient|Socket|Console|Process)\b\.?\s*[.(]", "a rule does no I/O")]
    [InlineData(@"\bIGrainFactory\b|\bIJournal\b", "a rule knows values only")]
    [InlineData(@"\bRandom\b|\bGuid\.NewGuid\b", "a rule gives the same answer each time")]
    [InlineData(@"\b(double|float|Double|Single|Half|Math|MathF)\b(?=[ .)\]>?])", "quantities and amounts are exact")]
    public void RuleFiles_DoNotUse(string words, string because)
    {
        var rules = Repository.Files("Grains", ".cs")
            .Where(f => f != "Grains/Accounts/MerchantAccountGrain.cs" && f != "Grains/History/AccountHistoryGrain.cs" && !f.StartsWith("Grains/Journal/", StringComparison.Ordinal))
            .ToList();

        Assert.NotEmpty(rules);
        NoneHolds(rules, new(words, RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5)), because, line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal));
    }

    [Fact]
    public void Source_LeavesNothingForLater() =>
        NoneHolds(
            Repository.Files("", ".cs", ".md", ".json", ".csproj", ".props", ".razor", ".yaml"),
            new("\\b(TO" + "DO|FIX" + "ME|HA" + "CK)\\b|NotImplemented" + "Exception", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5)),
            "what is not built is said in the product: a refusal of the kind not_built");

    [Fact]
    public void Source_NamesNoPlaceOfOneMachine() =>
        NoneHolds(
            Repository.Files("", ".cs", ".md", ".json", ".csproj", ".props", ".razor", ".yaml", ".config", ".sh", ""),
            MachinePath(),
            "it runs wherever it is checked out");

    [Fact]
    public void ConditionalCompilation_IsInTheCompositionFilesOnly() =>
        NoneHolds(
            [.. Repository.Files("", ".cs").Except(Compositions)],
            Conditional(),
            $"the two builds differ in {string.Join(" and ", Compositions)} alone");

    [Fact]
    public void SourceFiles_StayShort()
    {
        var sizes = Repository.Files("", ".cs").Select(f => (File: f, Lines: Lines(f).Length)).ToList();

        Assert.NotEmpty(sizes);
        var long_ = sizes.Where(s => s.Lines > LinesMax).Select(s => $"{s.File}: {s.Lines} lines").ToList();
        Assert.True(long_.Count == 0, $"Files of more than {LinesMax} lines hold more than one idea:\n{string.Join('\n', long_)}");
    }

    [Fact]
    public void EveryRoom_OpensWithAShortReadme()
    {
        var missing = Houses
            .SelectMany(house => Repository.Files(house, ".cs"))
            .Where(file => file.Count(c => c == '/') >= 2)
            .Select(file => string.Join('/', file.Split('/').Take(2)))
            .Distinct()
            .Where(room => !File.Exists(Path.Combine(Repository.Root, room, "README.md")))
            .ToList();
        var readmes = Repository.Files("", ".md").Where(f => f.Split('/') is [var house, _, "README.md"] && Houses.Contains(house)).ToList();
        var long_ = readmes.Where(f => Lines(f).Length > ReadmeLinesMax).ToList();

        Assert.True(missing.Count == 0, $"Rooms without a README.md (what it owns, what it does not, its invariants):\n{string.Join('\n', missing)}");
        Assert.True(long_.Count == 0, $"A room's README is half a page, at most {ReadmeLinesMax} lines:\n{string.Join('\n', long_)}");
    }

    [Theory]
    [InlineData("Grains", "Silo")]
    [InlineData("Grains", "Dashboard")]
    [InlineData("Grains.Interfaces", "Grains")]
    [InlineData("Grains.Interfaces", "Silo")]
    [InlineData("Orleans.Embedded", "Grains")]
    [InlineData("Orleans.Embedded", "Silo")]
    public void References_PointInward(string from, string to)
    {
        var projects = Repository.Files(from, ".csproj");

        Assert.NotEmpty(projects);
        Assert.All(projects, file => Assert.DoesNotContain($"/{to}.csproj", Repository.Read(file), StringComparison.Ordinal));
        NoneHolds(
            Repository.Files(from, ".cs"),
            new($@"^using (static )?Billing\.{Regex.Escape(to)}\b", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5)),
            $"{from} does not know {to}");
    }

    private static void NoneHolds(IReadOnlyList<string> files, Regex words, string because, Func<string, bool>? counts = null)
    {
        var found = from file in files
                    from line in Lines(file).Select((text, index) => (Text: text, Number: index + 1))
                    where (counts is null || counts(line.Text)) && words.IsMatch(line.Text)
                    select $"{file}:{line.Number}: {line.Text.Trim()}";
        var list = found.ToList();
        Assert.True(list.Count == 0, $"{char.ToUpperInvariant(because[0])}{because[1..]}:\n{string.Join('\n', list)}");
    }

    private static string[] Lines(string file) => File.ReadAllLines(Path.Combine(Repository.Root, file));

    [GeneratedRegex(@"(^|[\s""'=(:])(/(home|root|Users|work|mnt|media)/|[A-Z]:\\\\?\w)", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"^\s*#\s*(if|elif)\b", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Conditional();
}
