using System.Text;
using System.Text.Json;
using Billing.Plans;

namespace Billing.Tests.Plans;

/// <summary>The rules of a ladder, read from a catalogue: those left out are the usual ones, and what is wrong is named.</summary>
public sealed class CatalogTransitionsTests
{
    private const string Rules = """{ "upgrade": { "when": "cheaper_plan", "effective": "immediately" }, "downgrade": { "when": "cheaper_plan", "periods": 3, "headroom": "0.75", "effective": "period_end" }, "cooldown": "P45D" }""";

    [Fact]
    public void RulesThatAreWritten_AreTheOnesRead() =>
        Assert.Equal(new Transitions(Upgrade: true, new(3, 0.75m), TimeSpan.FromDays(45)), Read(Rules).Catalog!.FindProduct("desk")!.Transitions);

    [Theory]
    [InlineData("{}", false, false)]
    [InlineData("""{ "upgrade": {} }""", true, false)]
    [InlineData("""{ "downgrade": {} }""", false, true)]
    public void RulesLeftOut_AreTheUsualOnes(string rules, bool upgrade, bool downgrade) =>
        Assert.Equal(
            new Transitions(upgrade, downgrade ? new(2, 0.80m) : null, TimeSpan.FromDays(30)),
            Read(rules).Catalog!.FindProduct("desk")!.Transitions);

    [Fact]
    public void AProductWithoutRules_IsNeverMoved() => Assert.Null(Read("{}").Catalog!.FindProduct("voice")!.Transitions);

    [Theory]
    [InlineData("\"0.75\"", "\"0\"", "downgrade.headroom")]
    [InlineData("\"0.75\"", "\"0.00\"", "downgrade.headroom")]
    [InlineData("\"0.75\"", "\"1.01\"", "downgrade.headroom")]
    [InlineData("\"0.75\"", "\"-0.5\"", "downgrade.headroom")]
    [InlineData("\"0.75\"", "0.75", "downgrade.headroom")]
    [InlineData("\"headroom\": \"0.75\"", "\"threshold\": \"0\"", "downgrade.threshold")]
    [InlineData("\"headroom\"", "\"headrom\"", "downgrade.headrom")]
    [InlineData("\"periods\": 3", "\"periods\": 0", "downgrade.periods")]
    [InlineData("\"periods\": 3", "\"periods\": 25", "downgrade.periods")]
    [InlineData("\"periods\": 3", "\"periods\": 1.5", "downgrade.periods")]
    [InlineData("\"period_end\"", "\"immediately\"", "downgrade.effective")]
    [InlineData("\"effective\": \"immediately\"", "\"effective\": \"period_end\"", "upgrade.effective")]
    [InlineData("\"effective\": \"immediately\"", "\"threshold\": 0", "upgrade.threshold")]
    [InlineData("{ \"when\": \"cheaper_plan\", \"effective\": \"immediately\" }", "true", "upgrade")]
    [InlineData("\"P45D\"", "\"-P45D\"", "cooldown")]
    [InlineData("\"P45D\"", "\"P1M\"", "cooldown")]
    [InlineData("\"P45D\"", "45", "cooldown")]
    [InlineData("\"cooldown\"", "\"rest\"", "rest")]
    public void AProblem_NamesItsPath(string part, string instead, string path)
    {
        var broken = Rules.Replace(part, instead, StringComparison.Ordinal);
        Assert.NotEqual(Rules, broken);

        var whole = Read(broken);
        using var alone = JsonDocument.Parse(broken);
        var (transitions, problem) = CatalogReader.ReadTransitions(alone.RootElement, "transitions.desk");

        Assert.Null(whole.Catalog);
        Assert.Null(transitions);
        Assert.Equal($"$.products[0].transitions.{path}", whole.Problem!.Path);
        Assert.Equal($"transitions.desk.{path}", problem!.Path);
        Assert.StartsWith($"transitions.desk.{path} ", problem.Detail, StringComparison.Ordinal);
        Assert.EndsWith(".", problem.Detail, StringComparison.Ordinal);
    }

    private static (Catalog? Catalog, CatalogProblem? Problem) Read(string rules) => CatalogReader.Read(Encoding.UTF8.GetBytes(
        $$"""
        { "version": "v1", "currency": "USD", "meters": [],
          "products": [
            { "id": "desk", "transitions": {{rules}}, "plans": [ { "id": "desk-1", "rank": 1, "base_price": "10" }, { "id": "desk-2", "rank": 2, "base_price": "20" } ] },
            { "id": "voice", "plans": [ { "id": "voice-1", "rank": 1, "base_price": "0" } ] } ] }
        """));
}
