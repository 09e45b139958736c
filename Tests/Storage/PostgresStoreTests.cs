using Billing.Silo.Storage;
using Billing.Silo.Storage.Postgres;
using Billing.Tests.Support;

namespace Billing.Tests.Storage;

/// <summary>The store on PostgreSQL: the journal's suite.</summary>
public sealed class PostgresStoreTests : JournalConformance
{
    private PostgresServer? _server;
    private string? _database;

    private protected override async Task<IStore> Open()
    {
        _server ??= await PostgresServer.Shared;
        _database ??= await _server.NewDatabase();
        return await PostgresStore.Open(_database);
    }

    private protected override Task Delete() => _server!.Drop(_database!);
}
