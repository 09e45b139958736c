using System.Collections.Immutable;

namespace Billing.Rating;

/// <summary>
/// The units of one meter that are free of charge in a billing period: what each stretch of the period gives, exact and summed.
/// </summary>
internal readonly struct Allowance
{
    private readonly ImmutableArray<Part> _parts;

    private Allowance(ImmutableArray<Part> parts) => _parts = parts;

    /// <summary>Nothing is free.</summary>
    public static Allowance None => default;

    /// <summary>The units, exact: a prorated allowance is seldom a whole number.</summary>
    public Exact Units => Parts.Aggregate(Exact.Zero, (sum, part) => sum + part.Units);

    private ImmutableArray<Part> Parts => _parts.IsDefault ? [] : _parts;

    /// <summary>The whole allowance of a plan; zero or more, in the meter's unit.</summary>
    public static Allowance Of(Quantity included) => Of(included, 1, 1);

    /// <summary>What a plan's allowance comes to for a part of the period.</summary>
    /// <param name="included">The plan's allowance for the whole period; zero or more, in the meter's unit.</param>
    /// <param name="seconds">Seconds of the part, zero or more.</param>
    /// <param name="periodSeconds">Seconds of the period, above zero.</param>
    public static Allowance Of(Quantity included, long seconds, long periodSeconds) =>
        included.IsZero || seconds == 0 ? None : new([new(included, seconds, periodSeconds)]);

    /// <summary>The stretches of a period add up.</summary>
    public static Allowance operator +(Allowance left, Allowance right) => new([.. left.Parts, .. right.Parts]);

    /// <summary>How the units come about, such as <c>: 200 x 864000/2592000 seconds of the period</c>; nothing for a whole allowance.</summary>
    public string Origin() =>
        Parts.All(p => p.IsWhole) ? "" : $": {string.Join(" + ", Parts.Select(p => p.ToString()))} seconds of the period";

    private readonly record struct Part(Quantity Included, long Seconds, long PeriodSeconds)
    {
        public Exact Units => Exact.Of(Included) * Exact.Fraction(Seconds, PeriodSeconds);

        public bool IsWhole => Seconds == PeriodSeconds;

        public override string ToString() => $"{Included} x {Seconds}/{PeriodSeconds}";
    }
}
