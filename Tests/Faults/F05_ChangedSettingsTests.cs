using Billing.Silo.Storage;
using Billing.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Billing.Tests.Faults;

/// <summary>F5: a value beside the journal is changed by other hands. The platform refuses to start, with a sentence, and starts again when it is put back.</summary>
[Trait("Suite", "Faults")]
public sealed class F05_ChangedSettingsTests
{
    private const string FirstDigitChanged = "UPDATE {0}settings SET value = CASE WHEN substr(value, 1, 1) = '0' THEN '1' ELSE '0' END || substr(value, 2) WHERE name = 'hash_key'";

    // Still a time that a clock can show.
    private const string ClockDigitChanged = "UPDATE {0}settings SET value = replace(value, 'stands at 63', 'stands at 64') WHERE name = 'billing_clock'";

    public static TheoryData<string, string, string> Changes => new()
    {
        { FaultStore.Sqlite, FirstDigitChanged, "\"hash_key\" and \"hash_key_check\"" },
        { FaultStore.Sqlite, "DELETE FROM {0}settings WHERE name = 'hash_key'", "\"hash_key\" is missing" },
        { FaultStore.Sqlite, "UPDATE {0}settings SET value = 'no key' WHERE name = 'hash_key'", "\"hash_key\" in its settings is not 16 bytes" },
        { FaultStore.Sqlite, "UPDATE {0}catalogs SET json = CAST(replace(CAST(json AS TEXT), '5', '6') AS BLOB)", "catalogue test-1 is damaged" },
        { FaultStore.Sqlite, ClockDigitChanged, "\"billing_clock\" is" },
        { FaultStore.Postgres, ClockDigitChanged, "\"billing_clock\" is" },
        { FaultStore.Postgres, FirstDigitChanged, "\"hash_key\" and \"hash_key_check\"" },
        { FaultStore.Postgres, "DELETE FROM {0}settings WHERE name = 'hash_key'", "\"hash_key\" is missing" },
        { FaultStore.Postgres, "UPDATE {0}catalogs SET json = convert_to(replace(convert_from(json, 'UTF8'), '5', '6'), 'UTF8')", "catalogue test-1 is damaged" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task F5_ValueBesideTheJournalChanged_IsRefused(string kind, string change, string says)
    {
        await using var store = await FaultStore.New(kind);
        await using (var platform = await store.Open()) await platform.Api.Open("shop", "desk-basic");

        await Execute(store, change);

        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => store.Open());
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(FaultStore.All), MemberType = typeof(FaultStore))]
    public async Task F5_StoreOfAnOlderReleaseWithoutChecks_GetsThem(string kind)
    {
        const string Without = "DELETE FROM {0}settings WHERE name = 'hash_key_check' OR name LIKE 'catalog_check %'";
        await using var store = await FaultStore.New(kind);
        await using (var platform = await store.Open()) await platform.Api.Open("shop", "desk-basic");
        await Execute(store, Without);

        await using (await store.Open())
        {
        }

        await using var alone = await store.OpenAlone();
        Assert.Equal(64, (await ((ISettings)alone).Get("hash_key_check"))!.Length);
        Assert.Equal(64, (await ((ISettings)alone).Get("catalog_check test-1"))!.Length);
    }

    private static async Task Execute(FaultStore store, string sql)
    {
        if (store.Database is { } database)
        {
            await PostgresServer.Execute(database, string.Format(null, sql, "billing."));
            return;
        }

        await using var connection = new SqliteConnection($"Data Source={Path.Combine(store.DataFolder, "journal.db")};Pooling=False");
        connection.Open();
        await using var command = connection.CreateCommand();
        command.CommandText = string.Format(null, sql, "");
        Assert.NotEqual(0, command.ExecuteNonQuery());
    }
}
