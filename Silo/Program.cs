using Billing.Silo.Hosting;
using Billing.Silo.Storage;

try
{
    await using var platform = await Platform.Start(args);
    platform.PrintAddresses();
    await platform.Run();
    return platform.StoppedBy is null ? 0 : 1;
}
catch (Exception refused) when (refused is StoreInUseException or InvalidDataException or InvalidOperationException or IOException or FormatException or UnauthorizedAccessException)
{
    await Console.Error.WriteLineAsync($"The platform cannot start: {refused.Message}");
    return 1;
}
