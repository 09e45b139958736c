using System.Reflection;
using Orleans.Runtime;

namespace Orleans.Embedded;

/// <summary>Leads a call through the filters of the host, then the grain's own, then to the grain.</summary>
internal sealed class IncomingCall(GrainCall call, Activation target) : IIncomingGrainCallContext
{
    private static readonly GrainId Outside = GrainId.Create("sys.client", "embedded");

    private int _stage;
    private bool _hasResult;
    private object? _result;

    public object Grain => target.GrainInstance!;

    public GrainId? SourceId => call.Sender?.GrainId ?? Outside;

    public GrainId TargetId => target.GrainId;

    public IGrainContext TargetContext => target;

    public string InterfaceName => call.Method.InterfaceType.FullName!;

    public string MethodName => call.Method.Info.Name;

    public MethodInfo InterfaceMethod => call.Method.Info;

    public MethodInfo ImplementationMethod
    {
        get
        {
            var map = Grain.GetType().GetInterfaceMap(call.Method.Info.DeclaringType!);
            return map.TargetMethods[Array.IndexOf(map.InterfaceMethods, call.Method.Info)];
        }
    }

    public object? Result
    {
        get => _result;
        set
        {
            _result = value;
            _hasResult = true;
        }
    }

    public async Task Invoke()
    {
        var filters = target.Catalog.Filters;
        var stage = _stage++;
        try
        {
            if (stage < filters.Length)
            {
                await Pass(filters[stage]);
            }
            else if (stage == filters.Length && Grain is IIncomingGrainCallFilter own)
            {
                await Pass(own);
            }
            else
            {
                var outcome = call.Invoke(Grain);
                await outcome;
                Result = call.ResultOf(outcome);
            }
        }
        finally
        {
            _stage--;
        }
    }

    /// <summary>Runs the whole chain; gives what the last to set a result has set.</summary>
    public async Task<object?> Run()
    {
        await Invoke();
        return _result;
    }

    private async Task Pass(IIncomingGrainCallFilter filter)
    {
        await filter.Invoke(this);
        if (!_hasResult)
        {
            throw new InvalidOperationException($"{filter.GetType()} neither went on with the call nor set a result.");
        }
    }
}
