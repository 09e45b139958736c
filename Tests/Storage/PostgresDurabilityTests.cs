using Billing.Accounts;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Postgres;
using Billing.Tests.Support;

namespace Billing.Tests.Storage;

/// <summary>A server that by itself acknowledges commits before they are synced: the store asks for more, on every connection.</summary>
public sealed class PostgresDurabilityTests : IAsyncLifetime
{
    // Each table that the store writes notes under which promise a row came, changed or went.
    private const string Note =
        """
        CREATE TABLE public.noted (tab text, promise text);
        CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO public.noted VALUES (TG_TABLE_NAME, current_setting('synchronous_commit'));
            RETURN coalesce(NEW, OLD);
        END $$;
        DO $$
        DECLARE t text;
        BEGIN
            FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'billing' LOOP
                EXECUTE format('CREATE TRIGGER noted BEFORE INSERT OR UPDATE OR DELETE ON billing.%I FOR EACH ROW EXECUTE FUNCTION public.note()', t);
            END LOOP;
        END $$;
        """;

    private static readonly DateTimeOffset Noon = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);
    private PostgresServer _server = null!;

    public async Task InitializeAsync() => _server = await PostgresServer.Start();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData(true, "", "on")]
    [InlineData(false, "", "on")]
    [InlineData(true, ";Options=-c synchronous_commit=off", "on")]
    [InlineData(true, ";Options=-c synchronous_commit=remote_apply;No Reset On Close=false", "remote_apply")]
    public async Task ServerThatAcknowledgesBeforeItHasSynced_IsAskedForMoreOnEveryConnection(bool before, string options, string promise)
    {
        var database = await _server.NewDatabase();
        if (before) await _server.Execute($"ALTER DATABASE {new Npgsql.NpgsqlConnectionStringBuilder(database).Database} SET synchronous_commit = off");
        await using (await PostgresStore.Open(database)) await PostgresServer.Execute(database, Note);
        await using IStore store = await PostgresStore.Open(database + options);
        await WriteAll(store, 1);
        if (!before)
        {
            await _server.Execute("ALTER SYSTEM SET synchronous_commit = off");
            await _server.Execute("SELECT pg_reload_conf()");
            await Eventually.True(async () => await PostgresServer.Execute(database, "SHOW synchronous_commit") is "off", "the server has read its settings again");
        }

        // Once again over the connections that went back to the pool.
        await WriteAll(store, 2);

        Assert.Equal(promise, await PostgresServer.Execute(database, "SELECT string_agg(DISTINCT promise, ' ') FROM noted"));
        Assert.Equal(
            await PostgresServer.Execute(database, "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'billing'"),
            await PostgresServer.Execute(database, "SELECT string_agg(DISTINCT tab, ' ' ORDER BY tab) FROM noted"));
    }

    private static async Task WriteAll(IStore store, int number)
    {
        var summary = new AccountSummary("a", "A", "a@example.test", AccountStatus.Active, "USD", Noon, [], []);
        await store.Append(new("a", number, Noon, "fact"u8.ToArray(), "body"u8.ToArray(), Noon, summary));
        await store.SaveSnapshot(new("a", number, "state"u8.ToArray(), [new(number, "ids"u8.ToArray())]));
        await store.Set("a setting", $"{number}");
        Assert.True(await store.Replace("a setting", $"{number}", "replaced"));
        Assert.True(await ((ICatalogStore)store).Add(new($"version {number}", Noon, "{}"u8.ToArray())));
        Assert.True(await ((ICatalogStore)store).SaveDraft(CatalogDraft.Of($"draft {number}", Noon, "{}"u8.ToArray())));
        await ((IApiKeyStore)store).Add(new($"hash {number}", "read", Noon));
        await ((IIdempotencyStore)store).Add($"key {number}", new("hash", 200, "text/plain", null, [1]));
        await ((IWaitingEvents)store).Add(new("a", Noon, "account_held", new(new byte[] { 1 }, 1, KeepBodies: false, WantReceipts: false)));
        await ((IStripeEvents)store).Add(new($"evt_{number}", "invoice.paid", number, Noon, "in_1", "in_1", "a", null));
        Assert.Equal(1, (await store.Drop(number, Noon.AddDays(1), default)).Bodies);
    }
}
