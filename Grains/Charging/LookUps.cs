namespace Billing.Charging;

/// <summary>When a step whose outcome is not known is looked up, and what a look-up proves.</summary>
internal static class LookUps
{
    /// <summary>A step that is not done this long after it was sent will not be done any more: what was under way at Stripe has ended.</summary>
    public static readonly TimeSpan ProofAfter = TimeSpan.FromHours(1);

    // The first look-up is 5 s to 5 min after the step was sent, and Stripe's clock has whole seconds.
    private static readonly TimeSpan SeenFor = ProofAfter - TimeSpan.FromMinutes(6);

    /// <summary>Answered look-ups that do not decide for this long leave the charge to a person.</summary>
    public static readonly TimeSpan ParkAfter = TimeSpan.FromHours(24);

    /// <summary>Stripe keeps what a key answered for 24 hours at least: a key that is older than this is not sent again.</summary>
    public static readonly TimeSpan KeyLife = TimeSpan.FromHours(20);

    private static readonly TimeSpan WaitMax = TimeSpan.FromHours(1);

    private static readonly TimeSpan[] Ladder =
        [TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromHours(1)];

    /// <summary>The next look-up: 5 s, 1 min, 5 min and 1 h after the question came up, then daily.</summary>
    public static DateTimeOffset NextAt(DateTimeOffset since, DateTimeOffset now)
    {
        foreach (var after in Ladder)
            if (since + after > now) return since + after;
        return now.AddDays(1);
    }

    /// <summary>Whether a call shows what was done, and changes nothing.</summary>
    public static bool IsOne(StripeCallKind kind) => kind is StripeCallKind.FindCustomer or StripeCallKind.FindInvoices or StripeCallKind.ReadInvoice;

    /// <summary>
    /// Whether a look-up that shows a step as not done proves that it will not be done: the step was sent long enough ago by our clock, and
    /// by Stripe's so much time lies between the first answered look-up and the newest. Our clock alone may have been set ahead.
    /// </summary>
    public static bool IsProof(DateTimeOffset? sentAt, SeenAtStripe? seen, DateTimeOffset now) => now >= sentAt + ProofAfter && !(seen?.For < SeenFor);

    /// <summary>The next look-up of a step that is not proven yet: by the ladder, or as much later as the proof takes where only Stripe's clock is behind.</summary>
    public static DateTimeOffset NextUnproven(DateTimeOffset sentAt, DateTimeOffset since, DateTimeOffset now) =>
        now >= sentAt + ProofAfter ? now + ProofAfter : NextAt(since, now);

    /// <summary>How long to wait before a call that was not done is sent again: what Stripe asks for, else twice as long each time, from 1 s to 1 h.</summary>
    /// <param name="asked">What Stripe asked for; null when it did not say.</param>
    /// <param name="notDone">How often in a row it was not done.</param>
    public static TimeSpan WaitAfterNotDone(TimeSpan? asked, int notDone)
    {
        var doubled = TimeSpan.FromSeconds(1L << int.Clamp(notDone - 1, 0, 12));
        var wait = asked > doubled ? asked.Value : doubled;
        return wait < WaitMax ? wait : asked > WaitMax ? asked.Value : WaitMax;
    }
}
