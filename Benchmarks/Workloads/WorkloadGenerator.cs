namespace Billing.Benchmarks.Workloads;

/// <summary>
/// Generates a support desk's usage for the sample catalogue. In-order events run over the two days before the clock;
/// a late one is up to ten days older, most of them by hours.
/// </summary>
public sealed class WorkloadGenerator
{
    private const int NearbyDuplicate = 8_192;
    private static readonly TimeSpan Span = TimeSpan.FromDays(2);
    private static readonly TimeSpan LatestBy = TimeSpan.FromDays(10);

    private readonly WorkloadOptions _options;
    private readonly SplitMix64 _random;
    private readonly ZipfAccounts _accounts;
    private readonly EventWriter _writer;
    private readonly List<byte[]> _polls = [];
    private readonly List<int[]> _lineEnds = [];

    private WorkloadGenerator(WorkloadOptions options)
    {
        _options = options;
        _random = new SplitMix64(options.Seed);
        _accounts = new ZipfAccounts(options.Accounts, WorkloadOptions.ZipfExponent, _random);
        _writer = new EventWriter(_random, options);
    }

    public static Workload Generate(WorkloadOptions options) => new WorkloadGenerator(options).Generate();

    private Workload Generate()
    {
        var polls = new List<Poll>();
        var buffer = new byte[WorkloadOptions.EventsPerPoll * EventWriter.LongestEvent];
        for (var first = 0; first < _options.Events; first += WorkloadOptions.EventsPerPoll)
        {
            var events = Math.Min(WorkloadOptions.EventsPerPoll, _options.Events - first);
            var lineEnds = new int[events];
            var (length, accepted) = (0, 0);
            for (var line = 0; line < events; line++)
            {
                var ordinal = first + line;
                if (ordinal > 0 && _random.Chance(WorkloadOptions.DuplicateShare))
                {
                    length += CopyEarlier(ordinal, buffer, lineEnds, buffer.AsSpan(length));
                }
                else
                {
                    length += _writer.Write(buffer.AsSpan(length), ordinal, _accounts.Next(), TimeOf(ordinal));
                    accepted++;
                }

                lineEnds[line] = length;
            }

            _polls.Add(buffer[..length]);
            _lineEnds.Add(lineEnds);
            polls.Add(new Poll(_polls[^1], events, accepted));
        }

        return new Workload(_options, polls);
    }

    private DateTimeOffset TimeOf(int ordinal)
    {
        var inOrder = _options.Clock - Span + Span * ((double)ordinal / _options.Events);
        var lateness = _random.Chance(WorkloadOptions.LateShare) ? LatestBy * Math.Pow(_random.NextDouble(), 3) : TimeSpan.Zero;
        return inOrder - lateness;
    }

    /// <summary>Copies the bytes of an earlier event: half of the repeats come soon after, half at any distance.</summary>
    private int CopyEarlier(int ordinal, byte[] current, int[] currentLineEnds, Span<byte> destination)
    {
        var reach = _random.Chance(0.5) ? Math.Min(ordinal, NearbyDuplicate) : ordinal;
        var earlier = ordinal - 1 - _random.Below(reach);
        var (poll, line) = Math.DivRem(earlier, WorkloadOptions.EventsPerPoll);
        var (bytes, lineEnds) = poll == _polls.Count ? (current, currentLineEnds) : (_polls[poll], _lineEnds[poll]);
        var start = line == 0 ? 0 : lineEnds[line - 1];
        var source = bytes.AsSpan(start, lineEnds[line] - start);
        source.CopyTo(destination);
        return source.Length;
    }
}
