namespace Orleans.Runtime;

/// <summary>One activation of a grain: the instance in memory and its turn-taking.</summary>
public interface IGrainContext : IEquatable<IGrainContext>
{
    /// <summary>The grain that is active here.</summary>
    GrainId GrainId { get; }

    /// <summary>The grain object, or null while there is none.</summary>
    object? GrainInstance { get; }

    /// <summary>The services of this activation; scoped ones live as long as it does.</summary>
    IServiceProvider ActivationServices { get; }

    /// <summary>Completes when this activation is gone.</summary>
    Task Deactivated { get; }

    /// <summary>Asks for the end of this activation, once no request runs. The first reason given is kept.</summary>
    void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default);
}
