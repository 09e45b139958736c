using Billing.Journal;
using Billing.Silo.Hosting;
using Billing.Silo.Security;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Postgres;
using Billing.Tests.Support;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Billing.Tests.Hosting;

/// <summary>Settings that cannot be met stop the start with a sentence.</summary>
public sealed class SettingsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("BILLING_CLOCK=1969-12-31T23:59:59Z", "1970 to 2148")]
    [InlineData("BILLING_CLOCK=2149-01-01T00:00:00Z", "1970 to 2148")]
    [InlineData("BILLING_CLOCK=yesterday", "yesterday")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Port=1;Username=nobody;Password=hidden;Timeout=5", "cannot be used: Failed to connect")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Password=half;hidden", "connection string")]
    [InlineData("BILLING_DATABASE=mysql", "connection string")]
    [InlineData("BILLING_DATABASE=Username=billing;Password=hidden;Database=billing", "It names no Host")]
    [InlineData("BILLING_DATABASE=Host=;Username=billing;Password=hidden", "It names no Host")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Hosting=hidden;Password=hidden", "connection string")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Password=hidden;Minimum Pool Size=9;Maximum Pool Size=3", "\"Minimum Pool Size\" is 9 and \"Maximum Pool Size\" is 3")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Password=hidden;Maximum Pool Size=0", "\"Maximum Pool Size\" is 0")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Password=hidden;Timeout=-1", "connection string")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Password=hidden;SSL Mode=VerifyFull;Root Certificate=/nowhere/hidden.pem;Port=1", "cannot be used: ")]
    [InlineData("BILLING_DATABASE=Host=nowhere.invalid;Password=hidden;Timeout=5", "cannot be used: ")]
    [InlineData("BILLING_DATABASE=Host=/nowhere;Password=hidden", "cannot be used: ")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1,127.0.0.2;Port=1;Password=hidden;Timeout=5", "cannot be used: ")]
    [InlineData("BILLING_DATABASE=Host=127.0.0.1;Port=1;Password=hidden;Target Session Attributes=hidden", "connection string")]
    [InlineData("BILLING_DATABASE=postgres://billing:hidden@127.0.0.1:1/billing?connect_timeout=5", "cannot be used: Failed to connect to 127.0.0.1:1")]
    [InlineData("BILLING_DATABASE=postgresql://billing:hidden@127.0.0.1:1,127.0.0.2:1/billing?connect_timeout=5", "cannot be used: ")]
    [InlineData("BILLING_DATABASE=postgres://billing:hidden@127.0.0.1:hidden/billing", "Its URL has a port that cannot be read")]
    [InlineData("BILLING_DATABASE=postgres://127.0.0.1/billing?hidden=hidden", "Its URL has a parameter that is not read; those that are: host,")]
    [InlineData("BILLING_DATABASE=postgres://billing:hidden@/billing", "It names no Host")]
    [InlineData("BILLING_DATABASE=sqlite3", "BILLING_DATABASE can be \"sqlite\" or")]
    [InlineData("BILLING_DATABASE_SHARED=perhaps", "true or false")]
    [InlineData("BILLING_CLUSTER_DATABASE=Host=elsewhere", "store")]
    [InlineData("STRIPE_SECRET_KEY=pk_test_1", "no secret key")]
    [InlineData("BILLING_ADMIN_KEY=short", "at least 20")]
    public async Task ASettingThatCannotBeMet_IsRefusedByName(string setting, string says)
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Platform.Start(
            [$"--BILLING_DATA={_folder.File("data")}", "--BILLING_URL=http://127.0.0.1:0", "--BILLING_SANDBOX_URL=http://127.0.0.1:0", "--" + setting]));

        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.Contains(setting[..setting.IndexOf('=', StringComparison.Ordinal)], refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", refused.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("inner exception", refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("SQLite")]
    [InlineData("SQLITE")]
    public async Task TheEmbeddedStoreInAnyCase_IsTaken(string database)
    {
        await using var platform = await Platform.Start(
        [
            $"--BILLING_DATA={_folder.File("data")}", $"--BILLING_DATABASE={database}", "--BILLING_URL=http://127.0.0.1:0", "--BILLING_SANDBOX_URL=http://127.0.0.1:0",
            $"--BILLING_ADMIN_KEY={TestPlatform.Key}", "--Logging:LogLevel:Default=None",
        ]);

        Assert.True(File.Exists(_folder.File("data/journal.db")));
    }

    [Theory]
    [InlineData("postgres://billing:p%40ss%3Aw@db.example:5433/bill%20ing?sslmode=verify-full&application_name=x", "Username=billing;Password=p@ss:w;Host=db.example;Port=5433;Database=\"bill ing\";SSL Mode=VerifyFull;Application Name=x")]
    [InlineData("postgresql://db.example", "Host=db.example")]
    [InlineData("POSTGRES://u@[::1]:5433/d", "Username=u;Host=::1;Port=5433;Database=d")]
    [InlineData("postgres://u:p@one:1,two:2/d?target_session_attrs=read-write&connect_timeout=5", "Username=u;Password=p;Host=one:1,two:2;Database=d;Target Session Attributes=read-write;Timeout=5")]
    [InlineData("postgres:///d?host=%2Frun%2Fpostgresql&user=u", "Database=d;Host=/run/postgresql;Username=u")]
    public void AUrlOfPostgres_IsReadAsAConnectionString(string url, string same) =>
        Assert.True(ConnectionText.Read(url, 16).EquivalentTo(ConnectionText.Read(same, 16)), ConnectionText.Read(url, 16).ConnectionString);

    [Fact]
    public async Task AUrlOfPostgres_OpensTheDatabase()
    {
        var server = await PostgresServer.Shared;
        var database = await server.NewDatabase();
        var given = new NpgsqlConnectionStringBuilder(database);
        var url = $"postgres://{given.Username}:{Uri.EscapeDataString(given.Password ?? "")}@{(given.Host!.StartsWith('/') ? "" : given.Host)}:{given.Port}/{given.Database}?host={Uri.EscapeDataString(given.Host)}";

        await using (var store = await Stores.Open(new ConfigurationBuilder().AddInMemoryCollection([new("BILLING_DATABASE", url)]).Build())) Assert.NotEqual(default, store.HashKey);

        await server.Drop(database);
    }

    [Fact]
    public async Task ADataFolderThatIsAFile_IsRefusedByName()
    {
        await File.WriteAllTextAsync(_folder.File("data"), "a note");

        foreach (var data in new[] { _folder.File("data"), _folder.File("data/below") })
        {
            var refused = await Refused(data);

            Assert.Contains($"BILLING_DATA is \"{data}\"", refused.Message, StringComparison.Ordinal);
            Assert.Contains("it needs a folder", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal("a note", await File.ReadAllTextAsync(_folder.File("data")));
    }

    // The system's own folders let nobody write, the administrator included.
    [Theory]
    [InlineData("/proc/self/fdinfo")]
    [InlineData("/proc/self/fdinfo/billing")]
    [InlineData("/sys/billing")]
    public async Task ADataFolderThatMayNotBeWritten_IsRefusedByName(string data)
    {
        var refused = await Refused(data);

        Assert.Contains($"BILLING_DATA is \"{data}\"", refused.Message, StringComparison.Ordinal);
        Assert.Contains("read and write", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("backup", refused.Message, StringComparison.Ordinal);
    }

    private static Task<InvalidOperationException> Refused(string data) =>
        Assert.ThrowsAsync<InvalidOperationException>(() => Platform.Start([$"--BILLING_DATA={data}", "--BILLING_URL=http://127.0.0.1:0"]));

    [Fact]
    public async Task AKeyThatIsMade_IsShownBeforeItIsStored()
    {
        var store = new Keys();
        var storedWhenShown = -1;
        string? shown = null;

        var keys = await ApiKeys.Load(store, new StandingClock(), adminKey: "", made => (shown, storedWhenShown) = (made, store.Stored.Count));

        Assert.Equal(0, storedWhenShown);
        Assert.Equal(Scopes.All, keys.ScopesOf(shown!));
        Assert.Null((await Again()).Made);

        async Task<(ApiKeys Keys, string? Made)> Again()
        {
            string? made = null;
            return (await ApiKeys.Load(store, new StandingClock(), null, m => made = m), made);
        }
    }

    private sealed class Keys : IApiKeyStore
    {
        public List<StoredApiKey> Stored { get; } = [];

        public Task<IReadOnlyList<StoredApiKey>> All() => Task.FromResult<IReadOnlyList<StoredApiKey>>(Stored);

        public Task Add(StoredApiKey key)
        {
            Stored.Add(key);
            return Task.CompletedTask;
        }
    }

    private sealed class StandingClock : IBillingClock
    {
        public DateTimeOffset Now => new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
    }
}
