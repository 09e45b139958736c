using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>
/// All rows in memory, by kind and id, in the order of creation and by the keys they are looked up with. What is changed can be taken
/// back up to a mark, until it is taken for saving.
/// </summary>
/// <remarks>Rows are bytes of JSON; what is read is a copy, and nothing changes until it is put back.</remarks>
internal sealed class SandboxState
{
    private const string Own = "state";
    private const string CounterRow = "counter";

    /// <summary>Kinds that are many, large and seldom read: kept compressed.</summary>
    private static readonly HashSet<string> Compressed = new(StringComparer.Ordinal) { Kinds.Event, Kinds.Answer };

    private readonly Dictionary<string, Table> _tables = new(StringComparer.Ordinal);
    private readonly List<Action> _undo = [];
    private readonly Dictionary<(string Kind, string Id), SandboxChange> _changed = [];
    private long _savedCounter;

    public SandboxState(IReadOnlyList<SandboxChange> rows, ulong seed)
    {
        foreach (var row in rows.OrderBy(r => r.Sequence))
            Of(row.Kind).Add(row.Id, new(row.Sequence, row.Keys.Length == 0 ? [] : row.Keys.Split('\n'), row.Value!));
        Seed = seed;
        if (Find(Own, CounterRow) is { } counter)
        {
            Counter = _savedCounter = (long)counter["counter"]!;
            Seed = ulong.Parse((string)counter["seed"]!, CultureInfo.InvariantCulture);
        }
    }

    /// <summary>A row is new: its kind and id. It may be taken back yet.</summary>
    public event Action<string, string>? Added;

    /// <summary>How many ids and rows were made.</summary>
    public long Counter { get; private set; }

    /// <summary>Makes the ids of this sandbox other ones than those of another.</summary>
    public ulong Seed { get; }

    /// <summary>A new id: the prefix, an underscore and letters and digits.</summary>
    public string NewId(string prefix, int length = 24)
    {
        const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        Counter++;
        return string.Create(prefix.Length + 1 + length, (prefix, Seed, Counter), static (span, id) =>
        {
            id.prefix.CopyTo(span);
            span[id.prefix.Length] = '_';
            // The first eleven letters tell 64 bits apart, and no two counts mix to the same bits.
            var mixed = Mixing.Mix(unchecked(id.Seed + ((ulong)id.Counter * Mixing.Step)));
            var bits = mixed;
            for (var i = 0; i < span.Length - id.prefix.Length - 1; i++)
            {
                if (i > 0 && i % 11 == 0) bits = mixed = Mixing.Mix(mixed ^ Mixing.Step);
                (bits, var digit) = ulong.DivRem(bits, 62);
                span[id.prefix.Length + 1 + i] = Digits[(int)digit];
            }
        });
    }

    /// <summary>A copy of a row; null when there is none.</summary>
    public JsonObject? Find(string kind, string id) =>
        _tables.TryGetValue(kind, out var table) && table.Rows.TryGetValue(id, out var row) ? (JsonObject)JsonNode.Parse(Unpack(kind, row.Json))! : null;

    /// <summary>The bytes of a row; empty when there is none.</summary>
    public ReadOnlyMemory<byte> Bytes(string kind, string id) =>
        _tables.TryGetValue(kind, out var table) && table.Rows.TryGetValue(id, out var row) ? Unpack(kind, row.Json) : default;

    public bool Has(string kind, string id) => _tables.TryGetValue(kind, out var table) && table.Rows.ContainsKey(id);

    public int Count(string kind) => _tables.TryGetValue(kind, out var table) ? table.Rows.Count : 0;

    /// <summary>The key of a row that has the prefix, without it; null when none has.</summary>
    public string? KeyOf(string kind, string id, string prefix) =>
        _tables.TryGetValue(kind, out var table) && table.Rows.TryGetValue(id, out var row)
            ? row.Keys.FirstOrDefault(k => k.StartsWith(prefix, StringComparison.Ordinal))?[prefix.Length..]
            : null;

    /// <summary>Puts a row. Keys are given when it is new and stay as they are.</summary>
    public void Put(string kind, string id, JsonObject value, params string[] keys)
    {
        var table = Of(kind);
        var json = Pack(kind, JsonSerializer.SerializeToUtf8Bytes(value));
        if (table.Rows.TryGetValue(id, out var before))
        {
            var row = before with { Json = json };
            table.Rows[id] = row;
            _undo.Add(() => table.Rows[id] = before);
            _changed[(kind, id)] = Change(kind, id, row);
            return;
        }

        var made = new Row(++Counter, keys, json);
        table.Add(id, made);
        _undo.Add(() => table.TakeBack(id, made));
        _changed[(kind, id)] = Change(kind, id, made);
        Added?.Invoke(kind, id);
    }

    /// <summary>Lets a row no longer be found by a key.</summary>
    public void TakeKey(string kind, string id, string key)
    {
        var table = Of(kind);
        var before = table.Rows[id];
        if (!before.Keys.Contains(key, StringComparer.Ordinal)) return;
        table.Rows[id] = before with { Keys = [.. before.Keys.Where(k => k != key)] };
        var place = table.Unlist(key, id);
        _undo.Add(() =>
        {
            table.Rows[id] = before;
            table.List(key, id, place);
        });
        _changed[(kind, id)] = Change(kind, id, table.Rows[id]);
    }

    /// <summary>Lets a row be found by one more key, as the newest under it.</summary>
    public void AddKey(string kind, string id, string key)
    {
        var table = Of(kind);
        var before = table.Rows[id];
        if (before.Keys.Contains(key, StringComparer.Ordinal)) return;
        table.Rows[id] = before with { Keys = [.. before.Keys, key] };
        table.List(key, id, -1);
        _undo.Add(() =>
        {
            table.Rows[id] = before;
            table.Unlist(key, id);
        });
        _changed[(kind, id)] = Change(kind, id, table.Rows[id]);
    }

    public void Remove(string kind, string id)
    {
        var table = Of(kind);
        if (!table.Rows.Remove(id, out var before)) return;
        table.Removed.Add((id, before));
        _undo.Add(() =>
        {
            table.Rows[id] = before;
            table.Removed.RemoveAt(table.Removed.Count - 1);
        });
        _changed[(kind, id)] = Change(kind, id, before) with { Value = null };
    }

    /// <summary>The ids of a kind, or of those with a key, from the newest to the oldest.</summary>
    public IEnumerable<string> NewestFirst(string kind, string? key = null) =>
        !_tables.TryGetValue(kind, out var table) ? [] : table.NewestFirst(key);

    /// <summary>The ids of a kind, or of those with a key, from the oldest to the newest.</summary>
    public IEnumerable<string> OldestFirst(string kind, string? key = null) =>
        !_tables.TryGetValue(kind, out var table) ? [] : table.OldestFirst(key);

    /// <summary>Where <see cref="TakeBack"/> can go back to, until changes are taken for saving.</summary>
    public (int Undo, long Counter) Mark() => (_undo.Count, Counter);

    /// <summary>Takes back everything since the mark.</summary>
    public void TakeBack((int Undo, long Counter) mark)
    {
        for (var i = _undo.Count - 1; i >= mark.Undo; i--) _undo[i]();
        _undo.RemoveRange(mark.Undo, _undo.Count - mark.Undo);
        Counter = mark.Counter;
        // What is changed is read off the rows as they now are, so that a row changed before the mark is saved as it was then.
        foreach (var (place, change) in _changed.ToList())
        {
            if (Of(place.Kind).Rows.TryGetValue(place.Id, out var row)) _changed[place] = Change(place.Kind, place.Id, row);
            else _changed[place] = change with { Value = null };
        }
    }

    /// <summary>What is to be saved; from here on it stays.</summary>
    public IReadOnlyList<SandboxChange> TakeChanges()
    {
        if (Counter != _savedCounter)
        {
            // Put counts on by itself when the row is new, so the value is set after it exists.
            if (!Has(Own, CounterRow)) Put(Own, CounterRow, []);
            Put(Own, CounterRow, new() { ["counter"] = Counter, ["seed"] = Seed.ToString(CultureInfo.InvariantCulture) });
            _savedCounter = Counter;
        }

        var changes = _changed.Values.ToList();
        foreach (var kind in _changed.Keys.Select(place => place.Kind).Distinct(StringComparer.Ordinal)) Of(kind).Compact();
        _changed.Clear();
        _undo.Clear();
        return changes;
    }

    private static SandboxChange Change(string kind, string id, Row row) => new(kind, id, row.Sequence, string.Join('\n', row.Keys), row.Json);

    private static byte[] Pack(string kind, byte[] json)
    {
        if (!Compressed.Contains(kind)) return json;
        var packed = new byte[BrotliEncoder.GetMaxCompressedLength(json.Length) + 4];
        BitConverter.TryWriteBytes(packed, json.Length);
        if (!BrotliEncoder.TryCompress(json, packed.AsSpan(4), out var written, quality: 1, window: 16))
            throw new InvalidOperationException("A compressed row was longer than its bound. Nothing was stored.");
        return packed[..(written + 4)];
    }

    private static byte[] Unpack(string kind, byte[] packed)
    {
        if (!Compressed.Contains(kind)) return packed;
        var json = new byte[BitConverter.ToInt32(packed)];
        if (!BrotliDecoder.TryDecompress(packed.AsSpan(4), json, out var written) || written != json.Length)
            throw new InvalidDataException($"A row of the kind {kind} in the sandbox's store is damaged. Delete the sandbox's file, or put it back from a backup.");
        return json;
    }

    private Table Of(string kind)
    {
        ref var table = ref CollectionsMarshal.GetValueRefOrAddDefault(_tables, kind, out _);
        return table ??= new();
    }

    private sealed record Row(long Sequence, string[] Keys, byte[] Json);

    /// <summary>The rows of one kind. Rows that were removed stay in the lists until half of a list is of them.</summary>
    private sealed class Table
    {
        private readonly List<string> _all = [];
        private readonly Dictionary<string, List<string>> _byKey = new(StringComparer.Ordinal);
        private int _first;

        public Dictionary<string, Row> Rows { get; } = new(StringComparer.Ordinal);

        /// <summary>What was removed since the last <see cref="Compact"/>.</summary>
        public List<(string Id, Row Row)> Removed { get; } = [];

        /// <summary>Takes what was removed out of the lists; once that cannot be taken back.</summary>
        public void Compact()
        {
            foreach (var (id, row) in Removed)
            {
                foreach (var key in row.Keys)
                    if (_byKey.TryGetValue(key, out var list) && list.Remove(id) && list.Count == 0) _byKey.Remove(key);
            }

            Removed.Clear();
            if (_all.Count <= 64 || _all.Count <= 2 * Rows.Count) return;
            _all.RemoveAll(i => !Rows.ContainsKey(i));
            _first = 0;
        }

        public void Add(string id, Row row)
        {
            Rows.Add(id, row);
            _all.Add(id);
            foreach (var key in row.Keys) List(key, id, -1);
        }

        /// <summary>Puts an id under a key, at its end for a place below zero.</summary>
        public void List(string key, string id, int place)
        {
            ref var list = ref CollectionsMarshal.GetValueRefOrAddDefault(_byKey, key, out _);
            list ??= [];
            if (place < 0) list.Add(id);
            else list.Insert(place, id);
        }

        /// <summary>Takes an id from under a key and tells where it stood.</summary>
        public int Unlist(string key, string id)
        {
            var list = _byKey[key];
            var place = list.LastIndexOf(id);
            list.RemoveAt(place);
            return place;
        }

        public void TakeBack(string id, Row row)
        {
            Rows.Remove(id);
            _all.RemoveAt(_all.Count - 1);
            foreach (var key in row.Keys) _byKey[key].RemoveAt(_byKey[key].Count - 1);
        }

        public IEnumerable<string> NewestFirst(string? key)
        {
            var list = ListOf(key);
            for (var i = list.Count - 1; i >= 0; i--)
                if (Rows.ContainsKey(list[i])) yield return list[i];
        }

        public IEnumerable<string> OldestFirst(string? key)
        {
            var list = ListOf(key);
            var from = 0;
            if (key is null)
            {
                while (_first < list.Count && !Rows.ContainsKey(list[_first])) _first++;
                from = _first;
            }

            for (var i = from; i < list.Count; i++)
                if (Rows.ContainsKey(list[i])) yield return list[i];
        }

        private List<string> ListOf(string? key) => key is null ? _all : _byKey.GetValueOrDefault(key) ?? [];
    }
}

/// <summary>The kinds of rows. Those of Stripe's objects are named as Stripe names them.</summary>
internal static class Kinds
{
    public const string Customer = "customer";
    public const string PaymentMethod = "payment_method";
    public const string Invoice = "invoice";
    public const string LineItem = "line_item";
    public const string InvoiceItem = "invoiceitem";
    public const string InvoicePayment = "invoice_payment";
    public const string PaymentIntent = "payment_intent";
    public const string Charge = "charge";
    public const string Refund = "refund";
    public const string CreditNote = "credit_note";
    public const string Dispute = "dispute";
    public const string BalanceTransaction = "balance_transaction";
    public const string CustomerBalanceTransaction = "customer_balance_transaction";
    public const string Event = "event";
    public const string WebhookEndpoint = "webhook_endpoint";

    /// <summary>A saved answer by idempotency key.</summary>
    public const string Answer = "answer";

    /// <summary>A webhook that waits to be sent.</summary>
    public const string Delivery = "delivery";

    /// <summary>Work that Stripe does by itself at a later time.</summary>
    public const string Job = "job";

    /// <summary>A request that was answered.</summary>
    public const string Request = "request";

    /// <summary>What faults are put in.</summary>
    public const string Faults = "faults";
}

/// <summary>Numbers that look random and are the same each time (the finaliser of SplitMix64: one to one on 64 bits).</summary>
internal static class Mixing
{
    public const ulong Step = 0x9E3779B97F4A7C15;

    public static ulong Mix(ulong bits)
    {
        unchecked
        {
            bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
            bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
            return bits ^ (bits >> 31);
        }
    }
}
