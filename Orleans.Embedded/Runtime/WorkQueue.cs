namespace Orleans.Embedded;

/// <summary>Where activations get threads from. The one place to replace to run all grains on a thread of one's own.</summary>
internal abstract class WorkQueue
{
    /// <summary>Runs the work soon, on any thread, once. With <paramref name="yielding"/>, others that wait come first.</summary>
    public abstract void Enqueue(IThreadPoolWorkItem work, bool yielding);
}

/// <summary>Threads of the process's pool.</summary>
internal sealed class ThreadPoolWorkQueue : WorkQueue
{
    public override void Enqueue(IThreadPoolWorkItem work, bool yielding) =>
        ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: !yielding);
}
