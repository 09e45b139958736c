namespace System.Runtime.CompilerServices;

/// <summary>Tells the .NET runtime, which knows this attribute by its name, that one assembly may use what is internal to another.</summary>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class IgnoresAccessChecksToAttribute(string assemblyName) : Attribute
{
    public string AssemblyName { get; } = assemblyName;
}
