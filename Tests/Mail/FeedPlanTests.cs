using System.Globalization;
using System.IO.Compression;
using System.Text;
using Billing.Feeder;

namespace Billing.Tests.Mail;

public class FeedPlanTests
{
    private static readonly TimeSpan HalfDay = TimeSpan.FromHours(12);

    [Theory]
    [InlineData("2001-06-25T00:00:00Z", "PT12H", "2001-06-25T12:00:00Z")]
    [InlineData("2001-06-25T11:59:59Z", "PT12H", "2001-06-25T12:00:00Z")]
    [InlineData("2001-06-25T12:00:00Z", "PT12H", "2001-06-26T00:00:00Z")]
    [InlineData("2001-06-25T23:59:59.999Z", "PT12H", "2001-06-26T00:00:00Z")]
    [InlineData("2001-06-25T01:00:00+02:00", "PT12H", "2001-06-25T00:00:00Z")]
    [InlineData("2001-06-25T07:00:00Z", "PT6H", "2001-06-25T12:00:00Z")]
    [InlineData("1969-12-31T13:00:00Z", "PT12H", "1970-01-01T00:00:00Z")]
    public void Step_HoldsItsStartAndNotItsEnd(string received, string step, string end) =>
        Assert.Equal(At(end), FeedPlan.EndOfStep(At(received), System.Xml.XmlConvert.ToTimeSpan(step)));

    [Fact]
    public void LinesWithoutLaterReceipt_BelongToTheGroupTheyStandIn()
    {
        var groups = FeedPlan.Group(
            Lines(
                """{"receivedat":"2001-06-25T13:00:00Z"}""",
                "{}",
                """{"receivedat":"2001-06-24T13:00:00Z"}""",
                """{"receivedat":"no instant"}""",
                """{"receivedat":"2001-06-25T23:00:00Z"}""",
                "not JSON",
                """{"receivedat":"2001-06-26T00:00:00Z"}""",
                """{"receivedat":7}"""),
            HalfDay);

        Assert.Equal([At("2001-06-26T00:00:00Z"), At("2001-06-26T12:00:00Z")], groups.Select(group => group.Clock!.Value));
        Assert.Equal([[1, 2, 3, 4, 5, 6], [7, 8]], groups.Select(group => group.Lines.Select(line => line.Number)));
    }

    [Fact]
    public void LinesBeforeTheFirstReceipt_AreFedWhereTheClockStands()
    {
        var groups = FeedPlan.Group(Lines("{}", """{"receivedat":"2001-06-25T13:00:00Z"}"""), HalfDay);

        Assert.Equal([null, At("2001-06-26T00:00:00Z")], groups.Select(group => group.Clock));
    }

    [Fact]
    public void ShuffledAndDoubledGroup_HoldsEveryLineTwiceInAnOrderThatItsSeedRepeats()
    {
        var group = new FeedGroup(3, null, Lines(Enumerable.Range(0, 50).Select(n => $"{n}").ToArray()));

        var order = FeedPlan.Arrange(group, new(ShuffleSeed: 7, Twice: true)).Select(line => line.Number).ToList();

        Assert.Equal(Enumerable.Range(1, 50).SelectMany(n => new[] { n, n }), order.Order());
        Assert.Equal(order, FeedPlan.Arrange(group, new(ShuffleSeed: 7, Twice: true)).Select(line => line.Number));
        Assert.NotEqual(order, FeedPlan.Arrange(group, new(ShuffleSeed: 8, Twice: true)).Select(line => line.Number));
        Assert.Equal(group.Lines, FeedPlan.Arrange(group, default));
    }

    [Fact]
    public void Bodies_HoldAllLinesInOrderWithinTheirLimits()
    {
        var lines = Lines("12345678", "1", "2", "3", "4", "a line longer than any body");

        var bodies = FeedPlan.Bodies(lines, linesMax: 3, bytesMax: 10).Select(body => Encoding.UTF8.GetString(body.Bytes));

        Assert.Equal(["12345678\n", "1\n2\n3\n", "4\n", "a line longer than any body\n"], bodies);
    }

    [Fact]
    public void File_PlainOrGzipped_GivesItsLinesByteForByte()
    {
        byte[] content = [.. "{\"a\":1}\r\n\n  \n"u8, 0xff, 0xfe, (byte)'\n', .. "last"u8];
        var plain = Path.GetTempFileName();
        var packed = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(plain, content);
            using (var gzip = new GZipStream(File.Create(packed), CompressionLevel.Optimal))
                gzip.Write(content);

            Assert.All([plain, packed], path =>
            {
                var lines = LineFile.ReadEvents(path);
                Assert.Equal([1, 4, 5], lines.Select(line => line.Number));
                Assert.Equal(["{\"a\":1}\r"u8.ToArray(), [0xff, 0xfe], "last"u8.ToArray()], lines.Select(line => line.Bytes.ToArray()));
            });
        }
        finally
        {
            File.Delete(plain);
            File.Delete(packed);
        }
    }

    [Fact]
    public void MissingFile_IsAnInputFailureThatNamesIt()
    {
        var failed = Assert.Throws<FeederException>(() => LineFile.ReadEvents("no-such-file.ndjson"));

        Assert.Equal(FeederExit.InputFailed, failed.Exit);
        Assert.Contains("no-such-file.ndjson cannot be read", failed.Message);
    }

    private static List<EventLine> Lines(params string[] lines) =>
        lines.Select((line, at) => EventLine.Read(at + 1, Encoding.UTF8.GetBytes(line))).ToList();

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
