using Billing.Usage;
using Orleans;

namespace Billing.Accounts;

/// <summary>
/// Reads from the journal what happened to one account, and changes nothing. The key is the account id. It reads the whole
/// journal of the account, beside the account itself, which goes on meanwhile.
/// </summary>
[Alias("billing.account-history")]
public interface IAccountHistoryGrain : IGrainWithStringKey
{
    /// <summary>A page of the events behind a line of a finalised invoice, and of those that were refused.</summary>
    /// <param name="number">The invoice.</param>
    /// <param name="line">The line on it, from 1.</param>
    /// <param name="skip">How many of the first to leave out; zero or more.</param>
    /// <param name="take">How many at the most; 1 to 1,000.</param>
    [Alias("list-line-events")]
    Task<LineEventPage> ListLineEvents(int number, int line, int skip, int take);

    /// <summary>All that is known of one event.</summary>
    /// <param name="source">The CloudEvents <c>source</c>.</param>
    /// <param name="eventId">The CloudEvents <c>id</c>.</param>
    [Alias("get-event")]
    Task<EventAnswer> GetEvent(string source, string eventId);

    /// <summary>
    /// Runs the history of the account again by other rules or prices, up to now: what it would have paid, and which plans usage would
    /// have moved it to. What cannot be run is answered with its problem.
    /// </summary>
    [Alias("back-test")]
    Task<AccountBackTest> BackTest(BackTestQuestion question);
}
