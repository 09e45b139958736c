using System.Text;
using Billing.Silo.Ingest;

namespace Billing.Tests.Ingest;

public sealed class EventBodiesTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("\n\r\n  \n\t\r\n", "")]
    [InlineData("{1}", "{1}")]
    [InlineData("{1}\n", "{1}")]
    [InlineData("{1}\n{2}", "{1}|{2}")]
    [InlineData("{1}\r\n\r\n{2}\r\n", "{1}|{2}")]
    [InlineData("\n\n{1}\n \n{2}\n\n", "{1}|{2}")]
    public void ABodyOfLines_IsItsLinesThatAreNotBlank(string body, string expected) => Assert.Equal(expected, string.Join('|', Lines(body)));

    [Fact]
    public void ALineThatIsTooLarge_SpoilsNoOther()
    {
        var lines = Lines("{1}\n" + new string('x', 10_000_000) + "\n{2}");

        Assert.Equal(["{1}", "{2}"], [lines[0], lines[2]]);
        Assert.Equal(10_000_000, lines[1].Length);
    }

    [Theory]
    [InlineData("[]", "")]
    [InlineData(" [ ] \r\n", "")]
    [InlineData("[{}]", "{}")]
    [InlineData("[{\"a\":[1,{\"b\":\"]\\\"}\"}]} ,\n {\"c\":2}]", "{\"a\":[1,{\"b\":\"]\\\"}\"}]}|{\"c\":2}")]
    [InlineData("[1,\"a,b]\",null,NaN,[[]]]", "1|\"a,b]\"|null|NaN|[[]]")]
    [InlineData("[{\"a\":1],{\"b\":2}]", "{\"a\":1]|{\"b\":2}")]
    public void AnArray_IsItsElements(string body, string expected)
    {
        var (elements, problem, at) = Batch(body);

        Assert.Equal(expected, string.Join('|', elements));
        Assert.Null(problem);
        Assert.Equal(-1, at);
    }

    [Theory]
    [InlineData("", 0, "")]
    [InlineData("{}", 0, "")]
    [InlineData("\ufeff[{}]", 0, "")]
    [InlineData("[", 1, "")]
    [InlineData("[,{}]", 1, "")]
    [InlineData("[{},]", 4, "{}")]
    [InlineData("[{}", 3, "{}")]
    [InlineData("[{} {}]", 4, "{}")]
    [InlineData("[{},{\"a\":[1}", 4, "{}")]
    [InlineData("[{},{\"a\":\"b}]", 4, "{}")]
    [InlineData("[{}:{}]", 3, "{}")]
    [InlineData("[{}]]", 4, "{}")]
    [InlineData("[{}] x", 5, "{}")]
    public void ABrokenArray_GivesTheElementsBeforeTheBreakAndItsByte(string body, int expectedAt, string expected)
    {
        var (elements, problem, at) = Batch(body);

        Assert.Equal(expected, string.Join('|', elements));
        Assert.Equal(expectedAt, at);
        Assert.Contains($"at byte {expectedAt}", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void AnElementThatIsNestedTooDeep_SpoilsNoOther()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":[", 10_000)) + string.Concat(Enumerable.Repeat("]}", 10_000));

        var (elements, problem, _) = Batch($"[{{\"a\":1}},{deep},{{\"b\":2}}]");

        Assert.Equal(["{\"a\":1}", deep, "{\"b\":2}"], elements);
        Assert.Null(problem);
    }

    private static List<string> Lines(string body)
    {
        ReadOnlySpan<byte> rest = Encoding.UTF8.GetBytes(body);
        var lines = new List<string>();
        while (EventBodies.TryNextLine(ref rest, out var line))
            lines.Add(Encoding.UTF8.GetString(line));

        return lines;
    }

    private static (List<string> Elements, string? Problem, int At) Batch(string body)
    {
        var splitter = new BatchSplitter(Encoding.UTF8.GetBytes(body));
        var elements = new List<string>();
        while (splitter.TryNext(out var element))
            elements.Add(Encoding.UTF8.GetString(element));

        Assert.False(splitter.TryNext(out _));
        return (elements, splitter.Problem, splitter.ProblemAt);
    }
}
