namespace Billing.Feeder;

/// <summary>A failure that ends the feeding, told in one sentence that the person at the keyboard can act on.</summary>
internal sealed class FeederException(FeederExit exit, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The exit code of the program.</summary>
    public FeederExit Exit { get; } = exit;
}

/// <summary>The exit codes of the program.</summary>
internal enum FeederExit
{
    /// <summary>Everything was fed and the clock stands where it should.</summary>
    Done = 0,

    /// <summary>The platform could not be reached, or refused something; part may have been fed.</summary>
    PlatformFailed = 1,

    /// <summary>The command line or a file could not be read; nothing was sent.</summary>
    InputFailed = 2,
}
