using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Billing.Silo.Ingest;
using Microsoft.Net.Http.Headers;

namespace Billing.Silo.Api;

/// <summary>A request that cannot be read; its problem is the answer.</summary>
internal sealed class BadRequest(IResult problem) : Exception("The request cannot be read.")
{
    public IResult Problem { get; } = problem;
}

/// <summary>Reads the parts of requests that several calls share.</summary>
internal static class RequestReading
{
    /// <summary>The largest body that is read at once.</summary>
    public const int BodyBytesMax = 32 << 20;

    private const int PageSizeDefault = 50;
    private const int PageSizeMax = 1000;

    /// <summary>Reads the body into a rented buffer; the caller returns the buffer.</summary>
    public static async Task<(byte[] Buffer, int Length)> Body(HttpRequest request, CancellationToken cancellation)
    {
        if (request.Headers.ContentEncoding.Count > 0)
            throw new BadRequest(Problems.MediaType("Bodies are read without a content encoding such as gzip. Nothing was stored."));
        if (request.ContentLength > BodyBytesMax) throw TooLarge();
        var buffer = ArrayPool<byte>.Shared.Rent((int)(request.ContentLength ?? 16_384) + 1);
        var length = 0;
        while (true)
        {
            var read = await request.Body.ReadAsync(buffer.AsMemory(length), cancellation);
            if (read == 0) return (buffer, length);
            length += read;
            if (length > BodyBytesMax) throw TooLarge();
            if (length < buffer.Length) continue;
            var bigger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
            buffer.AsSpan(0, length).CopyTo(bigger);
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = bigger;
        }
    }

    /// <summary>The media type of a body in lower case, without its parameters; null when it is none, or not in UTF-8.</summary>
    public static string? MediaType(string? contentType)
    {
        if (!MediaTypeHeaderValue.TryParse(contentType, out var type)) return null;
        var charset = HeaderUtilities.RemoveQuotes(type.Charset);
        return charset.HasValue && !charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) ? null : type.MediaType.Value?.ToLowerInvariant();
    }

    /// <summary>Reads a JSON body; without a media type it is taken for JSON.</summary>
    public static async Task<T> Json<T>(HttpRequest request, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class => await Read(request, type, needed: true, cancellation) ?? throw new BadRequest(Problems.Invalid("The body is null; a JSON object is needed. Nothing was stored.", null));

    /// <summary>Reads a JSON body that may be left out; null when it is.</summary>
    public static Task<T?> JsonIfAny<T>(HttpRequest request, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class => Read(request, type, needed: false, cancellation);

    private static async Task<T?> Read<T>(HttpRequest request, JsonTypeInfo<T> type, bool needed, CancellationToken cancellation)
        where T : class
    {
        if (!string.IsNullOrEmpty(request.ContentType) && MediaType(request.ContentType) != "application/json")
            throw new BadRequest(Problems.MediaType("The body of this call is application/json in UTF-8. Nothing was stored."));

        var (buffer, length) = await Body(request, cancellation);
        try
        {
            return length == 0 && !needed ? null : JsonSerializer.Deserialize(buffer.AsSpan(0, length), type);
        }
        catch (JsonException wrong)
        {
            throw new BadRequest(JsonProblems.Of(wrong, type));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public static int Limit(HttpRequest request)
    {
        var text = request.Query["limit"].ToString();
        if (text.Length == 0) return PageSizeDefault;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= PageSizeMax
            ? limit
            : throw new BadRequest(Problems.Invalid($"limit is a whole number from 1 to {PageSizeMax}.", "limit"));
    }

    /// <summary>What a cursor stands for; null without one.</summary>
    public static string? Cursor(HttpRequest request, string parameter = "cursor")
    {
        var text = request.Query[parameter].ToString();
        if (text.Length == 0) return null;
        if (!Base64Url.IsValid(text)) throw WrongCursor(parameter);
        return Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text));
    }

    /// <summary>How many items a cursor says to skip; 0 without one.</summary>
    public static int Skip(HttpRequest request) =>
        Cursor(request) is not { } text ? 0 : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var skip) ? skip : throw WrongCursor();

    public static string ToCursor(string position) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(position));

    public static DateTimeOffset? Instant(HttpRequest request, string name)
    {
        var text = request.Query[name].ToString();
        if (text.Length == 0) return null;
        return ReadInstant(text) ?? throw new BadRequest(Problems.Invalid($"{name} is an RFC 3339 time such as 2026-11-01T00:00:00Z.", name));
    }

    /// <summary>An RFC 3339 time; null when it is none.</summary>
    public static DateTimeOffset? ReadInstant(string text) =>
        Rfc3339.TryParse(Encoding.UTF8.GetBytes(text), out var time) ? new(time.UtcTicks, TimeSpan.Zero) : null;

    /// <summary>A cursor that cannot be read.</summary>
    public static BadRequest WrongCursor(string parameter = "cursor") =>
        new(Problems.Invalid("The cursor is not one that this list gave out. Begin again without it.", parameter));

    /// <summary>A body beyond <see cref="BodyBytesMax"/>.</summary>
    public static BadRequest TooLarge() => new(Problems.TooLarge(
        $"A body has at most {BodyBytesMax >> 20} MiB. Nothing was stored; send the events in several bodies."));
}
