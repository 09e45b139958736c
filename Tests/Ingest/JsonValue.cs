using System.Globalization;
using System.Numerics;
using System.Text;

namespace Billing.Tests.Ingest;

/// <summary>A JSON value that can be spelled in many ways.</summary>
internal abstract record JsonValue
{
    private static readonly string[] Characters = ["a", "b", "é", "😀", "\"", "\\", "/", "\n", " ", "\u0001", "\ufeff", "7"];

    public static JsonValue Random(Random random, int depth) => random.Next(depth == 0 ? 3 : 5) switch
    {
        0 => new Literal(random.Next(3) switch { 0 => "null", 1 => "true", _ => "false" }),
        1 => new Number(random.Next(4) == 0 ? 0 : random.NextInt64(-1_000_000, 1_000_000), random.Next(-30, 30)),
        2 => new Text(RandomText(random)),
        3 => new List([.. Enumerable.Range(0, random.Next(5)).Select(_ => Random(random, depth - 1))]),
        _ => new Map([.. Enumerable.Range(0, random.Next(random.Next(8) == 0 ? 40 : 5))
            .Select(_ => RandomText(random)).Distinct(StringComparer.Ordinal)
            .Select(name => KeyValuePair.Create(name, Random(random, depth - 1)))]),
    };

    public abstract string Spell(Random random);

    public abstract JsonValue ChangedOnce(Random random);

    private static string RandomText(Random random) =>
        string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ => Characters[random.Next(Characters.Length)]));

    private static string Space(Random random) => random.Next(6) switch { 0 => " ", 1 => "\t\r\n", _ => "" };

    private sealed record Literal(string Word) : JsonValue
    {
        public override string Spell(Random random) => Word;

        public override JsonValue ChangedOnce(Random random) => Word == "null" ? new Literal("true") : new Literal("null");
    }

    private sealed record Number(BigInteger Mantissa, int Exponent) : JsonValue
    {
        public override string Spell(Random random)
        {
            var digits = (BigInteger.Abs(Mantissa) * BigInteger.Pow(10, random.Next(4))).ToString(CultureInfo.InvariantCulture);
            var exponent = Exponent - (digits.Length - BigInteger.Abs(Mantissa).ToString(CultureInfo.InvariantCulture).Length);
            var sign = Mantissa < 0 || (Mantissa.IsZero && random.Next(2) == 0) ? "-" : "";
            var point = random.Next(digits.Length);
            if (point > 0)
            {
                digits = digits[..^point] + "." + digits[^point..] + new string('0', random.Next(3));
                exponent += point;
            }

            return exponent == 0 && random.Next(2) == 0
                ? sign + digits
                : $"{sign}{digits}{(random.Next(2) == 0 ? "e" : "E")}{(exponent >= 0 && random.Next(2) == 0 ? "+" : "")}{exponent}";
        }

        public override JsonValue ChangedOnce(Random random) => random.Next(2) == 0
            ? this with { Mantissa = Mantissa + 1 }
            : new Text(Mantissa.ToString(CultureInfo.InvariantCulture));
    }

    private sealed record Text(string Value) : JsonValue
    {
        public override string Spell(Random random) => Quote(Value, random);

        public override JsonValue ChangedOnce(Random random) => new Text("a" + Value);
    }

    private sealed record List(JsonValue[] Items) : JsonValue
    {
        public override string Spell(Random random) =>
            $"[{Space(random)}{string.Join($"{Space(random)},{Space(random)}", Items.Select(item => item.Spell(random)))}{Space(random)}]";

        public override JsonValue ChangedOnce(Random random)
        {
            if (Items.Length == 0 || random.Next(4) == 0)
                return new List([.. Items, new Literal("null")]);

            var changed = random.Next(Items.Length);
            return new List([.. Items.Select((item, i) => i == changed ? item.ChangedOnce(random) : item)]);
        }
    }

    private sealed record Map(KeyValuePair<string, JsonValue>[] Members) : JsonValue
    {
        public override string Spell(Random random)
        {
            var members = (KeyValuePair<string, JsonValue>[])Members.Clone();
            random.Shuffle(members);
            var spelled = members.Select(member => $"{Quote(member.Key, random)}{Space(random)}:{Space(random)}{member.Value.Spell(random)}");
            return $"{{{Space(random)}{string.Join($"{Space(random)},{Space(random)}", spelled)}{Space(random)}}}";
        }

        public override JsonValue ChangedOnce(Random random)
        {
            if (Members.Length == 0 || random.Next(4) == 0)
                return new Map([.. Members, KeyValuePair.Create<string, JsonValue>("a name of its own", new Literal("null"))]);

            var changed = random.Next(Members.Length);
            return new Map([.. Members.Select((member, i) => i == changed ? KeyValuePair.Create(member.Key, member.Value.ChangedOnce(random)) : member)]);
        }
    }

    private static string Quote(string text, Random random)
    {
        var quoted = new StringBuilder("\"");
        foreach (var character in text)
        {
            // A surrogate pair is escaped in both halves or in none.
            var must = character is '"' or '\\' or < ' ';
            if (must || (!char.IsSurrogate(character) && random.Next(3) == 0))
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            else
                quoted.Append(character);
        }

        var plain = quoted.Append('"').ToString();
        return random.Next(2) == 0 ? plain : plain.Replace("😀", "\\uD83D\\ude00", StringComparison.Ordinal).Replace("\\u000a", "\\n", StringComparison.Ordinal);
    }
}
