using Billing.Silo.Hosting;
using Microsoft.Data.Sqlite;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>The tables of the journal's file, made and migrated at start, each step in one transaction.</summary>
internal sealed partial class SqliteStore
{
    private const int SchemaVersion = 7;

    // Set when the store was of a release that wrote no due time where nothing was due.
    private bool _withoutDueChecks;

    private void Migrate()
    {
        using (var version = Command("PRAGMA user_version"))
        {
            var found = (long)version.ExecuteScalar()!;
            if (found > SchemaVersion)
                throw new InvalidDataException($"The store {File} has schema {found}; this release knows {SchemaVersion}. Start the newer release again. Nothing was changed.");
            if (found == SchemaVersion) return;
            if (found == 1) MigrateFromOne();
            if (found is 1 or 2) MigrateFromTwo();
            if (found is 1 or 2 or 3) MigrateFromThree();
            if (found is >= 1 and <= 4) MigrateFromFour();
            if (found is >= 1 and <= 5) MigrateFromFive();
            if (found is >= 1 and <= 6)
            {
                MigrateFromSix();
                return;
            }
        }

        Execute(
            $"""
            BEGIN IMMEDIATE;
            CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
            CREATE TABLE commits (id INTEGER PRIMARY KEY, heads BLOB NOT NULL, frames BLOB NOT NULL);
            CREATE TABLE bodies (commit_id INTEGER PRIMARY KEY, at INTEGER NOT NULL, bytes BLOB NOT NULL, crcs BLOB);
            {FeedTable}
            CREATE TABLE due (account TEXT PRIMARY KEY, at INTEGER NOT NULL, crc32c INTEGER);
            CREATE TABLE accounts (account TEXT PRIMARY KEY, status INTEGER NOT NULL, search TEXT NOT NULL, summary TEXT NOT NULL, crc32c INTEGER);
            CREATE TABLE catalogs (position INTEGER PRIMARY KEY, version TEXT NOT NULL UNIQUE, published_at INTEGER NOT NULL, json BLOB NOT NULL);
            CREATE TABLE api_keys (hash TEXT PRIMARY KEY, scopes TEXT NOT NULL, created_at INTEGER NOT NULL);
            CREATE TABLE answers (key TEXT PRIMARY KEY, request_hash TEXT NOT NULL, status INTEGER NOT NULL, content_type TEXT NOT NULL, location TEXT, body BLOB NOT NULL);
            {StripeEventsTable}
            {CatalogDraftsTable}
            PRAGMA user_version = {SchemaVersion};
            COMMIT;
            """);
    }

    // Bodies get a table of their own, from which they can be dropped, and commits their heads. Bodies of that schema have no
    // time: theirs is the one of the migration, so they are kept rather too long.
    private void MigrateFromOne() => InTransaction(() =>
    {
        Execute(
            """
            CREATE TABLE bodies (commit_id INTEGER PRIMARY KEY, at INTEGER NOT NULL, bytes BLOB NOT NULL);
            ALTER TABLE commits RENAME TO old_commits;
            CREATE TABLE commits (id INTEGER PRIMARY KEY, heads BLOB NOT NULL, frames BLOB NOT NULL);
            INSERT INTO commits (id, heads, frames) SELECT id, x'', frames FROM old_commits;
            """);
        using (var bodies = Command("INSERT INTO bodies (commit_id, at, bytes) SELECT id, $at, bodies FROM old_commits WHERE bodies IS NOT NULL", ("$at", TimeProvider.System.GetUtcNow().UtcTicks)))
            bodies.ExecuteNonQuery();
        CrashPoints.Reach(CrashPoints.InMigration);
        using (var ids = Command("SELECT id FROM commits"))
        {
            using var reader = ids.ExecuteReader();
            while (reader.Read())
            {
                using var update = Command("UPDATE commits SET heads = $heads WHERE id = $id", ("$heads", HeadsOf(reader.GetInt64(0))), ("$id", reader.GetInt64(0)));
                update.ExecuteNonQuery();
            }
        }

        Execute("DROP TABLE old_commits; PRAGMA user_version = 2;");
        return true;
    });

    // Bodies get check sums. Those that are there have none, so that what is damaged already does not pass for well.
    private void MigrateFromTwo() => InTransaction(() =>
    {
        Execute("ALTER TABLE bodies ADD COLUMN crcs BLOB; PRAGMA user_version = 3;");
        return true;
    });

    // The events that Stripe tells are noted from now on.
    private void MigrateFromThree() => InTransaction(() =>
    {
        Execute($"{StripeEventsTable} PRAGMA user_version = 4;");
        return true;
    });

    // Due times, rows for lists and events of Stripe get check sums, for what they say now. Accounts without a due time are asked once.
    private void MigrateFromFour() => InTransaction(() =>
    {
        Execute("ALTER TABLE due ADD COLUMN crc32c INTEGER; ALTER TABLE accounts ADD COLUMN crc32c INTEGER;");
        using (var columns = Command("SELECT 1 FROM pragma_table_info('stripe_events') WHERE name = 'crc32c'"))
            if (columns.ExecuteScalar() is null) Execute("ALTER TABLE stripe_events ADD COLUMN crc32c INTEGER");
        Seal("SELECT account, at FROM due", "UPDATE due SET crc32c = $crc WHERE account = $key", static row => DueRow.Crc(row.GetString(0), row.GetInt64(1)));
        Seal(
            "SELECT account, status, search, summary FROM accounts",
            "UPDATE accounts SET crc32c = $crc WHERE account = $key",
            static row => new SummaryRow(row.GetString(0), row.GetInt32(1), row.GetString(2), "", row.GetString(3)).Crc);
        Seal($"SELECT {StripeEventColumns} FROM stripe_events", "UPDATE stripe_events SET crc32c = $crc WHERE id = $key", static row => StripeEventAt(row).Crc);
        CrashPoints.Reach(CrashPoints.InMigration);
        Execute("PRAGMA user_version = 5");
        _withoutDueChecks = true;
        return true;
    });

    // Whether a commit of that schema holds facts other than usage is seen when it is read.
    private void MigrateFromFive() => InTransaction(() =>
    {
        Execute(
            $"""
            {FeedTable}
            WITH RECURSIVE ids (id) AS (SELECT 1 WHERE EXISTS (SELECT 1 FROM commits) UNION ALL SELECT id + 1 FROM ids WHERE id < (SELECT max(id) FROM commits))
            INSERT INTO feed (commit_id, places) SELECT id, x'' FROM ids;
            """);
        CrashPoints.Reach(CrashPoints.InMigration);
        Execute("PRAGMA user_version = 6");
        return true;
    });

    // Catalogue versions can be drafts from now on.
    private void MigrateFromSix() => InTransaction(() =>
    {
        Execute($"{CatalogDraftsTable} PRAGMA user_version = 7;");
        return true;
    });

    private void Seal(string rows, string update, Func<SqliteDataReader, int> crc)
    {
        using var select = Command(rows);
        using var reader = select.ExecuteReader();
        while (reader.Read())
        {
            using var seal = Command(update, ("$crc", crc(reader)), ("$key", reader.GetString(0)));
            seal.ExecuteNonQuery();
        }
    }
}
