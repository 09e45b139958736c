namespace Billing.Journal;

/// <summary>The catalogue versions that other silos publish.</summary>
public interface ICatalogUpdates
{
    /// <summary>Looks in the store for versions that are not known here yet.</summary>
    Task Refresh();
}
