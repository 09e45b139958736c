using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using Orleans.Runtime;

namespace Orleans.Embedded;

/// <summary>
/// Writes, for a grain interface, a reference class whose methods pack their arguments into a call,
/// and for each method the call class that unpacks them on the grain.
/// </summary>
internal static class ProxyEmitter
{
    private const MethodAttributes Override = MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.HideBySig;

    private static readonly Lock Gate = new();
    private static readonly HashSet<string> Opened = [];
    private static readonly AssemblyBuilder Assembly = AssemblyBuilder.DefineDynamicAssembly(new("Orleans.Embedded.Proxies"), AssemblyBuilderAccess.Run);
    private static readonly ModuleBuilder Module = Assembly.DefineDynamicModule("Proxies");
    private static int _count;

    public static Func<GrainCatalog, GrainId, GrainReference> Emit(Type grainInterface)
    {
        if (!grainInterface.IsInterface || !typeof(IAddressable).IsAssignableFrom(grainInterface))
        {
            throw new ArgumentException($"{grainInterface} is not a grain interface.", nameof(grainInterface));
        }

        var methods = grainInterface.GetInterfaces().Prepend(grainInterface)
            .SelectMany(type => type.GetMethods())
            .Where(method => method.IsAbstract)
            .ToArray();
        foreach (var method in methods) MessageRules.Check(grainInterface, method);

        lock (Gate)
        {
            Open(typeof(ProxyEmitter).Assembly);
            Open(grainInterface.Assembly);
            return EmitReference(grainInterface, methods);
        }
    }

    private static Func<GrainCatalog, GrainId, GrainReference> EmitReference(Type grainInterface, MethodInfo[] methods)
    {
        var type = Module.DefineType(
            $"{grainInterface.FullName}.Reference{++_count}", TypeAttributes.Sealed | TypeAttributes.Public, typeof(GrainReference), [grainInterface]);
        var constructor = EmitConstructor(type);
        foreach (var method in methods) EmitMethod(type, method, EmitCall(grainInterface, method));

        var create = type.DefineMethod(
            "Create", MethodAttributes.Public | MethodAttributes.Static, typeof(GrainReference), [typeof(GrainCatalog), typeof(GrainId)]);
        var code = create.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldarg_1);
        code.Emit(OpCodes.Newobj, constructor);
        code.Emit(OpCodes.Ret);
        return type.CreateType().GetMethod("Create")!.CreateDelegate<Func<GrainCatalog, GrainId, GrainReference>>();
    }

    private static ConstructorBuilder EmitConstructor(TypeBuilder type)
    {
        Type[] parameters = [typeof(GrainCatalog), typeof(GrainId)];
        var constructor = type.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, parameters);
        var code = constructor.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldarg_1);
        code.Emit(OpCodes.Ldarg_2);
        code.Emit(OpCodes.Call, typeof(GrainReference).GetConstructor(BindingFlags.Instance | BindingFlags.NonPublic, parameters)!);
        code.Emit(OpCodes.Ret);
        return constructor;
    }

    // return Send(new Call { Argument0 = argument0, ... });
    private static void EmitMethod(TypeBuilder type, MethodInfo method, Type call)
    {
        var parameters = method.GetParameters().Select(parameter => parameter.ParameterType).ToArray();
        var implementation = type.DefineMethod(
            $"{method.DeclaringType!.FullName}.{method.Name}",
            MethodAttributes.Private | MethodAttributes.Virtual | MethodAttributes.Final | MethodAttributes.NewSlot | MethodAttributes.HideBySig,
            method.ReturnType,
            parameters);
        var code = implementation.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Newobj, call.GetConstructor([])!);
        for (var i = 0; i < parameters.Length; i++)
        {
            code.Emit(OpCodes.Dup);
            code.Emit(OpCodes.Ldarg, (short)(i + 1));
            code.Emit(OpCodes.Stfld, call.GetField($"Argument{i}")!);
        }

        code.Emit(OpCodes.Call, SendFor(call.BaseType!));
        if (method.ReturnType.IsValueType)
        {
            var task = method.ReturnType.IsGenericType ? typeof(Task<>).MakeGenericType(method.ReturnType.GetGenericArguments()) : typeof(Task);
            code.Emit(OpCodes.Newobj, method.ReturnType.GetConstructor([task])!);
        }

        code.Emit(OpCodes.Ret);
        type.DefineMethodOverride(implementation, method);
    }

    private static MethodInfo SendFor(Type call)
    {
        var sends = typeof(GrainReference).GetMethods(BindingFlags.Instance | BindingFlags.NonPublic).Where(method => method.Name == "Send");
        return call.IsGenericType
            ? sends.Single(method => method.IsGenericMethod).MakeGenericMethod(call.GetGenericArguments())
            : sends.Single(method => !method.IsGenericMethod);
    }

    private static Type EmitCall(Type grainInterface, MethodInfo method)
    {
        var parent = MessageRules.IsTaskOfValue(method.ReturnType)
            ? typeof(ValueCall<>).MakeGenericType(method.ReturnType.GetGenericArguments())
            : typeof(VoidCall);
        var type = Module.DefineType(
            $"{grainInterface.FullName}.{method.Name}Call{++_count}", TypeAttributes.Sealed | TypeAttributes.Public, parent);
        var described = type.DefineField("Described", typeof(GrainMethod), FieldAttributes.Public | FieldAttributes.Static);
        var arguments = method.GetParameters()
            .Select((parameter, i) => type.DefineField($"Argument{i}", parameter.ParameterType, FieldAttributes.Public))
            .ToArray();

        type.DefineDefaultConstructor(MethodAttributes.Public);
        EmitGetter(type, nameof(GrainCall.Method), typeof(GrainMethod), described);
        if (Array.Find(arguments, argument => argument.FieldType == typeof(CancellationToken)) is { } token)
        {
            EmitGetter(type, nameof(GrainCall.Cancellation), typeof(CancellationToken), token);
        }

        EmitInvoke(type, method, arguments);
        var call = type.CreateType();
        call.GetField("Described")!.SetValue(null, new GrainMethod(grainInterface, method));
        return call;
    }

    private static void EmitGetter(TypeBuilder type, string property, Type propertyType, FieldBuilder field)
    {
        var getter = type.DefineMethod("get_" + property, Override, propertyType, []);
        var code = getter.GetILGenerator();
        if (!field.IsStatic) code.Emit(OpCodes.Ldarg_0);
        code.Emit(field.IsStatic ? OpCodes.Ldsfld : OpCodes.Ldfld, field);
        code.Emit(OpCodes.Ret);
    }

    // return ((IGrain)grain).Method(Argument0, ...);
    private static void EmitInvoke(TypeBuilder type, MethodInfo method, FieldBuilder[] arguments)
    {
        var invoke = type.DefineMethod(nameof(GrainCall.Invoke), Override, typeof(Task), [typeof(object)]);
        var code = invoke.GetILGenerator();
        code.Emit(OpCodes.Ldarg_1);
        code.Emit(OpCodes.Castclass, method.DeclaringType!);
        foreach (var argument in arguments)
        {
            code.Emit(OpCodes.Ldarg_0);
            code.Emit(OpCodes.Ldfld, argument);
        }

        code.Emit(OpCodes.Callvirt, method);
        if (method.ReturnType.IsValueType)
        {
            var result = code.DeclareLocal(method.ReturnType);
            code.Emit(OpCodes.Stloc, result);
            code.Emit(OpCodes.Ldloca, result);
            code.Emit(OpCodes.Call, method.ReturnType.GetMethod(nameof(ValueTask.AsTask))!);
        }

        code.Emit(OpCodes.Ret);
    }

    // Grain interfaces and messages may be internal to their assembly.
    private static void Open(Assembly assembly)
    {
        var name = assembly.GetName().Name!;
        if (!Opened.Add(name)) return;

        var attribute = typeof(IgnoresAccessChecksToAttribute).GetConstructor([typeof(string)])!;
        Assembly.SetCustomAttribute(new(attribute, [name]));
    }
}
