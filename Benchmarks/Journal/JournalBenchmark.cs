using System.Diagnostics;
using System.Globalization;
using Billing.Benchmarks.Ingest;
using Billing.Benchmarks.Measuring;
using Billing.Benchmarks.Postgres;
using Billing.Benchmarks.Workloads;

namespace Billing.Benchmarks.Journal;

/// <summary>Writes the same accepted events in each form to one server, one form after the other, and sets rate and disk side by side.</summary>
internal static class JournalBenchmark
{
    private const int WarmUpPolls = 20;
    private const int ConnectionsMax = 24;

    /// <summary>Runs the forms and prints the table.</summary>
    /// <returns>Whether every form holds as many events as it wrote.</returns>
    public static async Task<bool> Run(int events, int accounts, int seconds, string scratchRoot, CancellationToken cancellation)
    {
        var scratch = Directory.CreateDirectory(Path.Combine(scratchRoot, $"billing-bench-{Environment.ProcessId}")).FullName;
        try
        {
            var catalog = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "catalog.sample.json"), cancellation);
            var made = new JournalEvents(catalog);
            var polls = made.Make(WorkloadGenerator.Generate(new(events, accounts, Seed: 1, IngestOptions.Clock)));
            var entries = polls.Sum(p => (long)p.Entries.Count);
            Print($"journal: {events:N0} events, {polls.Sum(p => (long)p.Rows.Length):N0} accepted, {accounts:N0} accounts (Zipf {WorkloadOptions.ZipfExponent}), {(double)entries / polls.Count:N0} accounts a commit, {polls.Sum(p => p.Entries.Sum(e => (long)e.Facts.Length)) / (double)polls.Sum(p => p.Rows.Length):N1} bytes of facts an event");
            Console.WriteLine(Machine.Look(scratch));
            await using var cluster = await TemporaryCluster.Start(scratch, ConnectionsMax);
            Print($"");
            Print($"{"form",-56} {"events",10} {"seconds",8} {"events/s",10} {"disk/event",11} {"WAL/event",10} {"peak memory",12}  counts right");
            JournalForm[] forms = [new OwnForm(cluster), new BatchedRows(cluster), new CopiedRows(cluster), new SingleRows(cluster)];
            var results = new List<JournalResult>();
            foreach (var form in forms)
            {
                await using (form) results.Add(await Measure(form, made, polls, seconds, cluster, cancellation));
            }

            PrintFigures(results);
            return results.TrueForAll(r => r.CountsRight);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static async Task<JournalResult> Measure(
        JournalForm form, JournalEvents made, List<JournalPoll> polls, int seconds, TemporaryCluster cluster, CancellationToken cancellation)
    {
        await form.Start(made.Openings);
        GC.Collect();
        var (sizeBefore, prepared) = (await Size(), Environment.WorkingSet);
        PeakMemory.Reset();
        var warm = form is SingleRows ? 0 : int.Min(WarmUpPolls, polls.Count / 4);
        var total = 0L;
        foreach (var poll in polls.Take(warm)) total += await form.Write(poll, CancellationToken.None);
        await Execute("CHECKPOINT");

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stop.CancelAfter(TimeSpan.FromSeconds(seconds));
        var (wal, measured) = (await Wal(), 0L);
        var (client, server) = (Environment.CpuUsage.TotalTime, cluster.CpuTime);
        var start = Stopwatch.GetTimestamp();
        foreach (var poll in polls.Skip(warm).TakeWhile(_ => !stop.IsCancellationRequested)) measured += await form.Write(poll, stop.Token);
        var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        (client, server) = (Environment.CpuUsage.TotalTime - client, cluster.CpuTime - server);
        cancellation.ThrowIfCancellationRequested();
        total += measured;
        var memory = long.Max(0, PeakMemory.Read() - prepared) + cluster.MemoryBytes;
        var result = new JournalResult(
            form.Name, measured, elapsed, (await Size() - sizeBefore) / (double)total, (await Wal() - wal) / (double)measured, memory, total, await form.Stored());
        Print($"{form.Name,-56} {measured,10:N0} {elapsed,8:F1} {result.EventsPerSecond,10:N0} {result.DiskBytes,7:N1} B {result.WalBytes,8:N1} B {memory >> 20,8:N0} MiB  {(result.CountsRight ? "yes" : $"NO: {result.Stored:N0} of {result.Written:N0}")}");
        Print($"  processor time: {client.TotalMicroseconds / measured:N1} µs an event here, {server.TotalMicroseconds / measured:N1} in the server");
        foreach (var table in form.Tables)
            Print($"  {table}: table {await Scalar($"SELECT pg_relation_size('{table}')") / (double)total:N1}, index {await Scalar($"SELECT pg_indexes_size('{table}')") / (double)total:N1}, out of line {await Scalar($"SELECT pg_table_size('{table}') - pg_relation_size('{table}')") / (double)total:N1} bytes an event");
        return result;

        async Task<long> Size()
        {
            var sum = 0L;
            foreach (var table in form.Tables) sum += await Scalar($"SELECT pg_total_relation_size('{table}')");
            return sum;
        }

        Task<long> Wal() => Scalar("SELECT (pg_current_wal_lsn() - '0/0')::bigint");

        async Task<long> Scalar(string sql)
        {
            await using var command = cluster.DataSource.CreateCommand(sql);
            return (long)(await command.ExecuteScalarAsync())!;
        }

        async Task Execute(string sql)
        {
            await using var command = cluster.DataSource.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }
    }

    private static void PrintFigures(List<JournalResult> results)
    {
        var own = results[0];
        var single = results[3];
        Print($"");
        foreach (var batched in results[1..3])
            Print($"H6 beside \"{batched.Form}\": {own.EventsPerSecond / batched.EventsPerSecond:F1} x the rate (4 x asked), {batched.DiskBytes / own.DiskBytes:F1} x less disk (3.5 x asked)");
        Print($"H6 beside \"{single.Form}\": {own.EventsPerSecond / single.EventsPerSecond:F0} x the rate (25 x asked)");
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private sealed record JournalResult(
        string Form, long Events, double Seconds, double DiskBytes, double WalBytes, long PeakMemoryBytes, long Written, long Stored)
    {
        public double EventsPerSecond => Events / Seconds;

        public bool CountsRight => Written == Stored;
    }
}
