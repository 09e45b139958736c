using System.CommandLine;
using Billing.Benchmarks.Activation;
using Billing.Benchmarks.Ingest;
using Billing.Benchmarks.Journal;
using Billing.Benchmarks.Runtimes;
using Billing.Benchmarks.Window;

// All that can be measured, by name. Without a name everything runs.
Command[] benchmarks = [new IngestCommand(), new WindowCommand(), new ActivationCommand(), new JournalCommand(), .. OfThisRuntime.Benchmarks()];

var root = new RootCommand("Measures each figure beside its peer, in one run.");
foreach (var benchmark in benchmarks)
{
    root.Subcommands.Add(benchmark);
}

root.SetAction(async (_, cancellation) =>
{
    Console.WriteLine("Benchmarks (./bench <name> runs one, ./bench <name> --help tells its options):");
    foreach (var benchmark in benchmarks)
    {
        Console.WriteLine($"  {benchmark.Name,-10} {benchmark.Description}");
    }

    Console.WriteLine();
    var inner = new InvocationConfiguration { ProcessTerminationTimeout = null };
    var worst = 0;
    foreach (var benchmark in benchmarks)
    {
        worst = Math.Max(worst, await benchmark.Parse([]).InvokeAsync(inner, cancellation));
    }

    return worst;
});

// Long enough for a database server to stop and its files to be deleted.
var configuration = new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(40) };
return await root.Parse(args).InvokeAsync(configuration, CancellationToken.None);
