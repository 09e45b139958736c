using System.CommandLine;
using Billing.Benchmarks.Charge;

namespace Billing.Benchmarks.Runtimes;

/// <summary>What can be measured on the embedded runtime alone: it needs a time that is not real.</summary>
internal static class OfThisRuntime
{
    public static Command[] Benchmarks() => [new ChargeCommand()];
}
