using Billing.Silo.Storage;

namespace Billing.Tests.Support;

/// <summary>Settings in memory.</summary>
internal sealed class MemorySettings : ISettings
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    public Task<string?> Get(string name) => Task.FromResult(_values.GetValueOrDefault(name));

    public Task Set(string name, string value)
    {
        _values[name] = value;
        return Task.CompletedTask;
    }

    public async Task<bool> Replace(string name, string? before, string value)
    {
        if (_values.GetValueOrDefault(name) != before) return false;
        await Set(name, value);
        return true;
    }
}
