using System.Diagnostics;
using System.Net;
using Billing.Tests.Support;

namespace Billing.Tests.Mail;

/// <summary>
/// Kills the silo while chosen requests are under way, and starts it again. The caller learns nothing but that the answer is lost,
/// also when it had just come: a sender can never know how far its request got.
/// </summary>
/// <param name="silo">The silo that the requests go to.</param>
/// <param name="kills">
/// The number of each feeding request (from 0; a repeated one keeps its number), and how long after its last byte the kill comes.
/// </param>
internal sealed class KillingHandler(SiloProcess silo, IReadOnlyDictionary<int, TimeSpan> kills)
    : DelegatingHandler(new SocketsHttpHandler())
{
    private readonly Dictionary<int, TimeSpan> left = kills.ToDictionary();
    private int next;

    /// <summary>How often the silo was killed.</summary>
    public int Killed { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.RequestUri!.AbsolutePath is not ("/v1/events" or "/v1/sandbox/clock"))
            return await base.SendAsync(request, cancellationToken);

        if (!left.Remove(next, out var delay))
        {
            next++;
            return await base.SendAsync(request, cancellationToken);
        }

        var sent = new TaskCompletionSource();
        request.Content = new WatchedContent(request.Content!, sent);
        var send = base.SendAsync(request, cancellationToken);
        await Task.WhenAny(send, sent.Task);
        var began = Stopwatch.GetTimestamp();
        while (!send.IsCompleted && Stopwatch.GetElapsedTime(began) < delay)
            await Task.Yield();

        silo.Kill();
        Killed++;
        try
        {
            (await send).Dispose();
        }
        catch (HttpRequestException)
        {
            // The usual end of a request whose silo was killed.
        }

        await silo.StartAgainAsync();
        throw new HttpRequestException("The silo was killed.");
    }

    // Tells when the last byte was handed to the connection.
    private sealed class WatchedContent : HttpContent
    {
        private readonly HttpContent content;
        private readonly TaskCompletionSource sent;

        public WatchedContent(HttpContent content, TaskCompletionSource sent)
        {
            this.content = content;
            this.sent = sent;
            Headers.ContentType = content.Headers.ContentType;
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await content.CopyToAsync(stream, context);
            await stream.FlushAsync();
            sent.TrySetResult();
        }

        protected override bool TryComputeLength(out long length)
        {
            length = content.Headers.ContentLength ?? 0;
            return content.Headers.ContentLength is not null;
        }
    }
}
