namespace Orleans.Runtime;

/// <summary>A failure of the runtime, not of the grain that was called.</summary>
public class OrleansException : Exception
{
    /// <summary>A failure without words.</summary>
    public OrleansException()
    {
    }

    /// <summary>A failure.</summary>
    public OrleansException(string message)
        : base(message)
    {
    }

    /// <summary>A failure and what caused it.</summary>
    public OrleansException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>The call was not delivered to a grain. It did not run.</summary>
public class OrleansMessageRejectionException : OrleansException
{
    internal OrleansMessageRejectionException(string message)
        : base(message)
    {
    }
}

/// <summary>The host is stopping and activates no more grains. The call did not run.</summary>
public class SiloUnavailableException : OrleansMessageRejectionException
{
    /// <summary>The host is stopping.</summary>
    public SiloUnavailableException(string msg)
        : base(msg)
    {
    }
}
