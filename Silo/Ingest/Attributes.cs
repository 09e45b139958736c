namespace Billing.Silo.Ingest;

/// <summary>The attributes of a CloudEvent that the platform reads.</summary>
[Flags]
internal enum Attributes
{
    None = 0,
    SpecVersion = 1,
    Id = 2,
    Source = 4,
    Type = 8,
    Subject = 16,
    Time = 32,
    Data = 64,
    DataBase64 = 128,
}

/// <summary>Their names, and the bounds of their texts.</summary>
internal static class AttributeRules
{
    public const int TextBytesMax = 1_024;
    public const int SubjectBytesMax = 256;
    public const int TimeBytesMax = 64;

    /// <summary>The longest spelling of a character is an escape of six bytes.</summary>
    public const int EscapedBytesMax = 6;

    /// <summary>Without these an event is refused.</summary>
    public const Attributes Required =
        Attributes.SpecVersion | Attributes.Id | Attributes.Source | Attributes.Type | Attributes.Subject | Attributes.Time;

    /// <summary>The attribute of a name; <see cref="Attributes.None"/> for one the platform ignores.</summary>
    public static Attributes Of(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 when name.SequenceEqual("id"u8) => Attributes.Id,
        4 when name.SequenceEqual("type"u8) => Attributes.Type,
        4 when name.SequenceEqual("time"u8) => Attributes.Time,
        4 when name.SequenceEqual("data"u8) => Attributes.Data,
        6 when name.SequenceEqual("source"u8) => Attributes.Source,
        7 when name.SequenceEqual("subject"u8) => Attributes.Subject,
        11 when name.SequenceEqual("specversion"u8) => Attributes.SpecVersion,
        11 when name.SequenceEqual("data_base64"u8) => Attributes.DataBase64,
        _ => Attributes.None,
    };

    /// <summary>The one of several attributes that is asked for first.</summary>
    public static Attributes First(Attributes several) => (Attributes)((int)several & -(int)several);

    public static string NameOf(Attributes attribute) => attribute switch
    {
        Attributes.SpecVersion => "specversion",
        Attributes.Id => "id",
        Attributes.Source => "source",
        Attributes.Type => "type",
        Attributes.Subject => "subject",
        Attributes.Time => "time",
        Attributes.Data => "data",
        Attributes.DataBase64 => "data_base64",
        _ => throw new ArgumentOutOfRangeException(nameof(attribute), attribute, "Has no name."),
    };

    public static int BytesMax(Attributes attribute) => attribute switch
    {
        Attributes.Subject => SubjectBytesMax,
        Attributes.Time => TimeBytesMax,
        _ => TextBytesMax,
    };

    /// <summary>Whether a text has a control character that its attribute may not have: NUL, or any for the subject.</summary>
    /// <param name="attribute">The attribute.</param>
    /// <param name="text">Valid UTF-8.</param>
    public static bool HasForbiddenControl(Attributes attribute, ReadOnlySpan<byte> text)
    {
        if (attribute != Attributes.Subject)
            return text.Contains((byte)0);

        for (var i = 0; i < text.Length; i++)
        {
            // U+0080 to U+009F are C2 80 to C2 9F in UTF-8.
            if (text[i] is < 0x20 or 0x7f || (text[i] == 0xc2 && text[i + 1] <= 0x9f))
                return true;
        }

        return false;
    }
}
