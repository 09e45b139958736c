using System.Globalization;
using System.Text.Json;
using Billing.Accounts;
using Billing.Http;
using Billing.Journal;
using Billing.Silo.Ingest;
using Billing.Silo.Scheduling;
using Billing.Silo.Storage;
using Orleans;

namespace Billing.Silo.Checking;

/// <summary>The check of everything: once a day of the machine, and when somebody asks for it. One at a time.</summary>
internal sealed partial class StoreCheck(
    IIntegrity integrity, ISettings settings, AccountListing listing, Holds holds, WaitingRoom waiting, DueWork due, IGrainFactory grains, TimeProvider time, ILogger<StoreCheck> log)
    : BackgroundService
{
    private const string CheckedAt = "integrity_checked_at";
    private const string LastCheck = "integrity_check";
    private const int ShownMax = 1_000;

    private readonly SemaphoreSlim _asked = new(0, 1);
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly Lock _gate = new();
    private CheckView? _running;
    private CheckView? _last;
    private CheckFindings _findings = new();

    /// <summary>Asks for a check; while one is under way, for none beside it.</summary>
    public CheckView Begin()
    {
        lock (_gate)
        {
            if (_running is null)
            {
                _running = Started();
                if (_asked.CurrentCount == 0) _asked.Release();
            }

            return Shown(_running, _findings);
        }
    }

    /// <summary>How far the check under way is, or what the last one found, on whichever silo of the store it ran.</summary>
    public async Task<CheckView> Show()
    {
        lock (_gate)
        {
            if (_running is { } running) return Shown(running, _findings);
            if (_last is { Status: CheckStatus.Stopped } stopped) return stopped with { Held = [.. holds.Accounts] };
        }

        return (await Stored() ?? new(CheckStatus.Never, null, null, 0, 0, [], [], [])) with { Held = [.. holds.Accounts] };
    }

    /// <summary>Runs the check when it is a day since the last one.</summary>
    public async Task RunWhenDue(CancellationToken cancellation)
    {
        // A note that is damaged, or of the future, is none.
        if (!long.TryParse(await settings.Get(CheckedAt), NumberStyles.None, CultureInfo.InvariantCulture, out var at) || time.GetUtcNow().UtcTicks - at is < 0 or >= TimeSpan.TicksPerDay)
            await Run(cancellation);
    }

    /// <summary>Runs the check, after one that is under way.</summary>
    public async Task Run(CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        var findings = new CheckFindings();
        lock (_gate) (_running, _findings) = (_running ?? Started(), findings);
        CheckView? done = null;
        try
        {
            await integrity.Check(findings, cancellation);
            if (cancellation.IsCancellationRequested) return;
            foreach (var damage in findings.Damage) LogDamaged(damage);
            foreach (var account in findings.Unlisted) await listing.Mend(account);
            foreach (var (account, why) in findings.Held.Where(h => holds.Of(h.Key) is null)) holds.Begin(account, $"The account {account} is held: {why}");
            var letGo = await LetGo(cancellation);
            done = Shown(_running, findings) with { Status = CheckStatus.Done, FinishedAt = time.GetUtcNow(), LetGo = [.. letGo] };
            await settings.Set(LastCheck, CheckedText.Seal(LastCheck, JsonSerializer.Serialize(done, BillingJson.Web.CheckView)));
            await settings.Set(CheckedAt, time.GetUtcNow().UtcTicks.ToString(CultureInfo.InvariantCulture));
        }
        finally
        {
            lock (_gate)
            {
                _last = done ?? Shown(_running, findings) with { Status = CheckStatus.Stopped, FinishedAt = time.GetUtcNow() };
                _running = null;
            }

            _one.Release();
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _asked.Dispose();
        _one.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await _asked.WaitAsync(stoppingToken);
            try
            {
                await Run(stoppingToken);
            }
            catch (JournalUnavailableException) when (!stoppingToken.IsCancellationRequested)
            {
                // The store has said so; who asked sees that the check was stopped.
            }
            catch (Exception failed) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(failed);
            }
        }
    }

    // What waits for an account is given to it first: it came before what is due now.
    private async Task<List<string>> LetGo(CancellationToken cancellation)
    {
        var letGo = new List<string>();
        foreach (var account in holds.Accounts)
        {
            if (cancellation.IsCancellationRequested) break;
            if (await grains.GetGrain<IMerchantAccountGrain>(account).ReadAgain() is not null) continue;
            await waiting.GiveBackNow(account, cancellation);
            due.TryAgain(account);
            holds.End(account);
            letGo.Add(account);
            LogLetGo(account);
        }

        return letGo;
    }

    private CheckView Started() => new(CheckStatus.Running, time.GetUtcNow(), null, 0, 0, [], [], []);

    private CheckView Shown(CheckView run, CheckFindings findings)
    {
        var damage = findings.Damage;
        return run with { Read = findings.Read, DamageFound = damage.Count, Damage = [.. damage.Take(ShownMax)], Held = [.. holds.Accounts] };
    }

    private async Task<CheckView?> Stored()
    {
        if (await settings.Get(LastCheck) is not { } stored || CheckedText.Open(LastCheck, stored) is not { } text) return null;
        try
        {
            return JsonSerializer.Deserialize(text, BillingJson.Web.CheckView);
        }
        catch (JsonException)
        {
            // Of another release: the next check writes it anew.
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "Damage found: {Damage}")]
    private partial void LogDamaged(string damage);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Account {Account} is held no more: all its entries are well now.")]
    private partial void LogLetGo(string account);

    [LoggerMessage(Level = LogLevel.Error, Message = "The check of everything failed. Nothing is lost; it is run again within a day, and when it is asked for.")]
    private partial void LogFailed(Exception exception);
}
