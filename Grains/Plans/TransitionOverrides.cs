using System.Text.Json;

namespace Billing.Plans;

/// <summary>Puts other rules in the place of those of a catalogue's ladders, to see what they would do.</summary>
public static class TransitionOverrides
{
    /// <summary>The catalogue with other rules.</summary>
    /// <param name="catalog">The catalogue.</param>
    /// <param name="transitions">By product an object as the catalogue has it under <c>transitions</c>, or null for no rules.</param>
    /// <returns>The catalogue, or the first problem found; its path begins with <c>transitions</c>.</returns>
    public static (Catalog? Catalog, CatalogProblem? Problem) Apply(Catalog catalog, JsonElement transitions)
    {
        if (transitions.ValueKind != JsonValueKind.Object) return (null, new("transitions", "transitions is not an object with the rules of products."));
        try
        {
            return ApplyAll(catalog, transitions);
        }
        catch (InvalidOperationException)
        {
            return (null, new("transitions", "transitions has a name with half of a surrogate pair as an escape."));
        }
    }

    private static (Catalog? Catalog, CatalogProblem? Problem) ApplyAll(Catalog catalog, JsonElement transitions)
    {
        var products = catalog.Products;
        foreach (var member in transitions.EnumerateObject())
        {
            var path = $"transitions.{member.Name}";
            var index = 0;
            while (index < products.Length && products[index].Id != member.Name) index++;
            if (index == products.Length) return (null, new(path, $"{path} is of no product of the catalogue {catalog.Version}."));
            Transitions? rules = null;
            if (member.Value.ValueKind != JsonValueKind.Null)
            {
                (rules, var problem) = CatalogReader.ReadTransitions(member.Value, path);
                if (rules is null) return (null, problem);
            }

            products = products.SetItem(index, products[index] with { Transitions = rules });
        }

        return (new(catalog.Version, catalog.Currency, catalog.Grace, catalog.DedupWindow, catalog.Meters, products), null);
    }
}
