using System.CommandLine;

namespace Billing.Benchmarks.Runtimes;

/// <summary>Nothing is measured on the cluster runtime alone.</summary>
internal static class OfThisRuntime
{
    public static Command[] Benchmarks() => [];
}
