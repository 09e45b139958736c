namespace Orleans.Serialization.Invocation;

// The abstractions mention these types of the serializer in signatures; no grain uses them.

/// <summary>Where a call is carried out.</summary>
public interface ITargetHolder;

/// <summary>A call with its arguments.</summary>
public interface IInvokable;

/// <summary>The outcome of a call.</summary>
public abstract class Response;
