using System.Globalization;
using Billing.Silo.Hosting;
using Npgsql;

namespace Billing.Silo.Storage.Postgres;

/// <summary>The tables of the store, in a schema of their own: made and migrated at start, in one transaction, by one silo at a time.</summary>
internal static class PostgresSchema
{
    public const int Version = 6;

    /// <summary>Names the advisory lock of all silos that start on a database.</summary>
    private const long StartLock = 0x42_69_6C_6C_69_6E_67;

    // Account ids are ordered and compared by their bytes. What is written once and hardly compresses is not tried to be compressed.
    private const string Tables =
        """
        CREATE TABLE billing.settings (name text COLLATE "C" PRIMARY KEY, value text NOT NULL);
        CREATE TABLE billing.writers (writer uuid PRIMARY KEY, commits bigint NOT NULL, seen timestamptz NOT NULL DEFAULT now()) WITH (fillfactor = 10);
        CREATE TABLE billing.heads (
            first_sequence bigint NOT NULL, last_sequence bigint NOT NULL, due_at bigint, due_crc32c integer, account text COLLATE "C" PRIMARY KEY) WITH (fillfactor = 60);
        CREATE INDEX heads_by_due ON billing.heads (due_at, account) WHERE due_at IS NOT NULL;
        CREATE TABLE billing.entries (
            sequence bigint NOT NULL, at bigint NOT NULL, crc32c integer NOT NULL, account text COLLATE "C" NOT NULL, facts bytea NOT NULL, commit_number bigint,
            PRIMARY KEY (account, sequence));
        CREATE TABLE billing.bodies (
            sequence bigint NOT NULL, at bigint NOT NULL, length integer NOT NULL, crc32c integer NOT NULL, account text COLLATE "C" NOT NULL, bytes bytea NOT NULL,
            PRIMARY KEY (account, sequence));
        CREATE INDEX bodies_by_time ON billing.bodies (at);
        CREATE TABLE billing.snapshots (
            sequence bigint NOT NULL, crc32c integer NOT NULL, account text COLLATE "C" PRIMARY KEY, state bytea NOT NULL);
        CREATE TABLE billing.segments (
            forget_day integer NOT NULL, crc32c integer NOT NULL, account text COLLATE "C" NOT NULL, ids bytea NOT NULL,
            PRIMARY KEY (account, forget_day));
        CREATE INDEX segments_by_day ON billing.segments (forget_day);
        CREATE TABLE billing.accounts (
            account text COLLATE "C" PRIMARY KEY, status integer NOT NULL, search text COLLATE "C" NOT NULL, plans text[] COLLATE "C" NOT NULL, crc32c integer, summary text NOT NULL);
        CREATE TABLE billing.catalogs (
            position bigint PRIMARY KEY, version text COLLATE "C" NOT NULL UNIQUE, published_at bigint NOT NULL, json bytea NOT NULL);
        CREATE TABLE billing.api_keys (hash text COLLATE "C" PRIMARY KEY, scopes text NOT NULL, created_at bigint NOT NULL);
        CREATE TABLE billing.answers (
            key text COLLATE "C" PRIMARY KEY, request_hash text NOT NULL, status integer NOT NULL, content_type text NOT NULL, location text, body bytea NOT NULL);
        ALTER TABLE billing.entries ALTER facts SET STORAGE EXTERNAL;
        ALTER TABLE billing.bodies ALTER bytes SET STORAGE EXTERNAL;
        ALTER TABLE billing.snapshots ALTER state SET STORAGE EXTERNAL;
        ALTER TABLE billing.segments ALTER ids SET STORAGE EXTERNAL;
        """;

    private const string FromOneToTwo = "ALTER TABLE billing.writers ADD COLUMN seen timestamptz NOT NULL DEFAULT now()";

    // What is there has no check sums until it is written again, or the check of everything comes to it.
    private const string FromThreeToFour =
        """
        ALTER TABLE billing.heads ADD COLUMN due_crc32c integer;
        ALTER TABLE billing.accounts ADD COLUMN crc32c integer;
        ALTER TABLE billing.stripe_events ADD COLUMN IF NOT EXISTS crc32c integer;
        """;

    // In the order in which transactions began to write, which is not the one in which they are seen: the feed waits for the oldest that is open.
    // The offset is raised when the database comes to a server whose transactions count from lower. Writers of a release that does not know the
    // column get the default.
    private const string Feed =
        """
        CREATE OR REPLACE FUNCTION billing.commit_offset() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 0::bigint';
        ALTER TABLE billing.entries ALTER commit_number SET DEFAULT pg_current_xact_id()::text::bigint + billing.commit_offset();
        CREATE INDEX entries_in_feed ON billing.entries (commit_number, account, sequence) WHERE commit_number IS NOT NULL;
        """;

    // Entries of before the feed come first in it, by account; a constant default rewrites none of them.
    private const string FromFourToFive = "ALTER TABLE billing.entries ADD COLUMN commit_number bigint DEFAULT 0;" + Feed;

    // How far the numbers in the store are ahead of those that the server would give; below zero unless it has another past than the store.
    private const string Ahead = "SELECT coalesce(max(commit_number), 0) - billing.commit_offset() - pg_snapshot_xmax(pg_current_snapshot())::text::bigint FROM billing.entries";

    /// <summary>Sees that the database can hold the store, and makes or migrates the tables.</summary>
    /// <exception cref="InvalidDataException">The store is of a newer release or not ours, or the server keeps no promise of durability.</exception>
    public static async Task Migrate(NpgsqlConnection connection)
    {
        await RequireServer(connection);
        await using var transaction = await connection.BeginTransactionAsync();
        await Execute($"SELECT pg_advisory_xact_lock({StartLock.ToString(CultureInfo.InvariantCulture)})");
        if (await Scalar("SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('billing')") is > 0L)
        {
            var found = await Found();
            if (found > Version)
                throw new InvalidDataException($"The store in the database {connection.Database} has schema {found}; this release knows {Version}. Start the newer release again. Nothing was changed.");
            if (found < Version)
            {
                if (found < 2) await Execute(FromOneToTwo);
                if (found < 3) await Execute(PostgresStore.StripeEventsTable);
                if (found < 4) await Execute(FromThreeToFour);
                if (found < 5) await Execute(FromFourToFive);
                await Execute(PostgresStore.CatalogDraftsTable);
                CrashPoints.Reach(CrashPoints.InMigration);
                await Execute($"UPDATE billing.settings SET value = '{Version.ToString(CultureInfo.InvariantCulture)}' WHERE name = 'schema'");
            }
        }
        else
        {
            await Execute("CREATE SCHEMA IF NOT EXISTS billing");
            await Execute(Tables);
            await Execute(Feed);
            await Execute(PostgresStore.StripeEventsTable);
            await Execute(PostgresStore.CatalogDraftsTable);
            CrashPoints.Reach(CrashPoints.InMigration);
            await Execute($"INSERT INTO billing.settings (name, value) VALUES ('schema', '{Version.ToString(CultureInfo.InvariantCulture)}')");
        }

        await Execute(PostgresStore.WaitingEventsTable);
        if (await Scalar(Ahead) is long and >= 0 and var ahead)
        {
            var offset = (long)(await Scalar("SELECT billing.commit_offset()"))! + ahead + 1;
            await Execute($"CREATE OR REPLACE FUNCTION billing.commit_offset() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT {offset.ToString(CultureInfo.InvariantCulture)}::bigint'");
        }

        await transaction.CommitAsync();

        async Task<int> Found()
        {
            const string Texts = "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('billing.settings') AND attname IN ('name', 'value') AND atttypid = 'text'::regtype";
            if (await Scalar(Texts) is 2L
                && await Scalar("SELECT value FROM billing.settings WHERE name = 'schema'") is string text
                && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var found))
            {
                return found;
            }

            throw new InvalidDataException(
                $"The schema billing in the database {connection.Database} tells no version of this store: it belongs to another program, or is damaged. "
                + "Let BILLING_DATABASE name a database of the platform's own, or restore this one from a backup. Nothing was changed.");
        }

        async Task Execute(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }

        async Task<object?> Scalar(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            return await command.ExecuteScalarAsync();
        }
    }

    private static async Task RequireServer(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("SELECT current_setting('fsync'), current_setting('server_encoding'), pg_is_in_recovery()", connection);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        if (reader.GetString(0) != "on")
            throw new InvalidDataException("The PostgreSQL server runs with fsync = off: what it calls stored can be lost. Turn it on. Nothing was changed.");
        if (reader.GetString(1) != "UTF8")
            throw new InvalidDataException($"The database {connection.Database} has the encoding {reader.GetString(1)}; the store needs UTF8. Make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0. Nothing was changed.");
        if (reader.GetBoolean(2))
            throw new InvalidDataException("The PostgreSQL server is a standby, which takes no writes. Let BILLING_DATABASE name the primary. Nothing was changed.");
    }
}
