using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Embedded;

/// <summary>Something that wants a turn of an activation: a call, or the tick of a timer.</summary>
internal abstract class GrainRequest : ITurn
{
    /// <summary>The activation that has taken it on; set before it runs.</summary>
    public Activation? Activation { get; set; }

    /// <summary>Whether it may run between the awaits of any other.</summary>
    public abstract bool Interleaves { get; }

    /// <summary>Whether it may run between the awaits of others that read only.</summary>
    public abstract bool IsReadOnly { get; }

    /// <summary>Whether it counts as use of the activation.</summary>
    public abstract bool IsUse { get; }

    /// <summary>Starts the work. What it throws, at once or later, is its outcome.</summary>
    protected abstract Task Start();

    /// <summary>Hands the outcome on.</summary>
    protected abstract void Answer(Task outcome);

    /// <summary>Whether nobody waits any more, so that it need not start.</summary>
    public virtual bool IsAbandoned => false;

    public void Run()
    {
        if (IsAbandoned)
        {
            Activation!.Completed(this);
            return;
        }

        Task outcome;
        try
        {
            outcome = Start() ?? throw new InvalidOperationException($"{this} returned null instead of a task.");
        }
        catch (Exception exception)
        {
            outcome = Task.FromException(exception);
        }

        if (outcome.IsCompleted)
        {
            Complete(outcome);
        }
        else
        {
            _ = CompleteLater(outcome);
        }
    }

    private async Task CompleteLater(Task outcome)
    {
        await outcome.ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        Complete(outcome);
    }

    private void Complete(Task outcome)
    {
        if (outcome.Exception?.InnerException is InconsistentStateException { MetHere: true } conflict)
        {
            conflict.MetHere = false;
            Activation!.Deactivate(new(DeactivationReasonCode.ApplicationError, conflict, "The stored state is not the one in memory."));
        }

        // In this order, so that whoever has the answer finds the activation free.
        Activation!.Completed(this);
        Answer(outcome);
    }
}

/// <summary>A call to a grain. The emitted subclasses hold the arguments.</summary>
internal abstract class GrainCall : GrainRequest
{
    // As in Orleans: a call that has met so many ending activations is given back, lest it go round for ever.
    private const int ForwardsMax = 2;

    private CancellationTokenRegistration _cancellation;
    private int _forwards;

    /// <summary>The method that is called.</summary>
    public abstract GrainMethod Method { get; }

    /// <summary>The token among the arguments, if any.</summary>
    public virtual CancellationToken Cancellation => default;

    /// <summary>The grain that is called.</summary>
    public GrainId Target { get; private set; }

    /// <summary>The activation whose turn made the call, if any.</summary>
    public Activation? Sender { get; private set; }

    /// <summary>The values that travel with the call.</summary>
    public Dictionary<string, object>? Context { get; private set; }

    /// <summary>When the deadline watch first saw it wait, in the ticks of the clock; 0 before that.</summary>
    public long SeenWaiting { get; set; }

    public sealed override bool Interleaves => Method.Interleaves;

    public sealed override bool IsReadOnly => Method.IsReadOnly;

    public sealed override bool IsUse => true;

    /// <summary>Whether the caller has its answer.</summary>
    public abstract bool IsAnswered { get; }

    public sealed override bool IsAbandoned => IsAnswered && !Method.IsOneWay;

    /// <summary>Notes where the call goes and where it comes from.</summary>
    public void Prepare(GrainId target)
    {
        Target = target;
        Sender = Activation.Current;
        Context = RequestContext.Export();
        if (Method.IsOneWay) AnswerWithDefault();
        else if (Method.IsCancellable) ForwardCancellation();
    }

    /// <summary>Whether the call may go to one more activation after the one it waited for has ended.</summary>
    public bool MayForward() => ++_forwards <= ForwardsMax;

    /// <summary>Ends the call with an exception, unless it has ended already.</summary>
    public void Fail(Exception exception)
    {
        _cancellation.Dispose();
        AnswerWith(exception);
    }

    /// <summary>Calls the method on the grain; gives the task it returns.</summary>
    public abstract Task Invoke(object grain);

    /// <summary>The result in a task that <see cref="Invoke"/> has returned and that has succeeded.</summary>
    public abstract object? ResultOf(Task outcome);

    protected abstract void AnswerWithDefault();

    protected abstract void AnswerWith(Exception exception);

    protected abstract void Cancel(CancellationToken cancellation);

    protected abstract void Copy(Task outcome);

    protected sealed override Task Start()
    {
        RequestContext.Import(Context);
        var activation = Activation!;
        return activation.Catalog.Filters.Length > 0 || activation.GrainInstance is IIncomingGrainCallFilter
            ? new IncomingCall(this, activation).Run()
            : Invoke(activation.GrainInstance!);
    }

    protected sealed override void Answer(Task outcome)
    {
        _cancellation.Dispose();
        if (Method.IsOneWay)
        {
            if (!outcome.IsCompletedSuccessfully) Activation!.Catalog.Log.OneWayFailed(outcome.Exception, this);
            return;
        }

        Copy(outcome);
    }

    private void ForwardCancellation()
    {
        if (Cancellation.CanBeCanceled)
        {
            _cancellation = Cancellation.UnsafeRegister(static (call, token) => ((GrainCall)call!).Cancel(token), this);
        }
    }

    public override string ToString() => Method.ToString();
}

/// <summary>A call that answers nothing but its end.</summary>
internal abstract class VoidCall : GrainCall
{
    private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Task => _answer.Task;

    public sealed override bool IsAnswered => Task.IsCompleted;

    public sealed override object? ResultOf(Task outcome) => null;

    protected sealed override void AnswerWithDefault() => _answer.TrySetResult();

    protected sealed override void AnswerWith(Exception exception) => _answer.TrySetException(exception);

    protected sealed override void Cancel(CancellationToken cancellation) => _answer.TrySetCanceled(cancellation);

    protected sealed override void Copy(Task outcome) => _answer.TrySetFromTask(outcome);
}

/// <summary>A call that answers a value.</summary>
internal abstract class ValueCall<T> : GrainCall
{
    private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Task => _answer.Task;

    public sealed override bool IsAnswered => Task.IsCompleted;

    public sealed override object? ResultOf(Task outcome) => ((Task<T>)outcome).Result;

    protected sealed override void AnswerWithDefault() => _answer.TrySetResult(default!);

    protected sealed override void AnswerWith(Exception exception) => _answer.TrySetException(exception);

    protected sealed override void Cancel(CancellationToken cancellation) => _answer.TrySetCanceled(cancellation);

    protected sealed override void Copy(Task outcome)
    {
        if (outcome is Task<T> typed) _answer.TrySetFromTask(typed);
        else if (outcome.IsCanceled) _answer.TrySetCanceled();
        else if (outcome.Exception is { } failure) _answer.TrySetException(failure.InnerExceptions);
        else CopyFiltered(((Task<object?>)outcome).Result);
    }

    private void CopyFiltered(object? result)
    {
        if (result is T value) _answer.TrySetResult(value);
        else if (result is null && default(T) is null) _answer.TrySetResult(default!);
        else _answer.TrySetException(new InvalidCastException($"A filter answered {Method} with {result?.GetType().ToString() ?? "null"}."));
    }
}
