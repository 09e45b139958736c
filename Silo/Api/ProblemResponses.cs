using Billing.Journal;

namespace Billing.Silo.Api;

/// <summary>Answers what no endpoint answered, and what went wrong inside, with a problem.</summary>
internal sealed partial class ProblemResponses(RequestDelegate next, ILogger<ProblemResponses> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (context.Response.HasStarted || context.Response.ContentLength > 0 || context.Response.ContentType is not null) return;
            switch (context.Response.StatusCode)
            {
                case 400:
                    await Problems.Invalid("The request line or a header cannot be read. Nothing was stored.", null).ExecuteAsync(context);
                    break;
                case 404:
                    await Problems.NotFound($"There is no call {context.Request.Method} {context.Request.Path}. GET /openapi/v1.json lists the calls.").ExecuteAsync(context);
                    break;
                case 405:
                    await Problems.Make(405, "method", "The method is not known here", $"{context.Request.Path} is not called with {context.Request.Method}. Nothing was stored.").ExecuteAsync(context);
                    break;
            }
        }
        catch (BadRequest bad) when (!context.Response.HasStarted)
        {
            await bad.Problem.ExecuteAsync(context);
        }
        catch (BadHttpRequestException bad) when (!context.Response.HasStarted && bad.StatusCode == 413)
        {
            await RequestReading.TooLarge().Problem.ExecuteAsync(context);
        }
        catch (BadHttpRequestException bad) when (!context.Response.HasStarted)
        {
            await Problems.Make(bad.StatusCode, "invalid", "The request is not valid", $"{bad.Message} Nothing was stored.").ExecuteAsync(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller has gone; there is nobody to answer.
        }
        catch (JournalUnavailableException) when (!context.Response.HasStarted)
        {
            await Problems.Unavailable("The store cannot be reached at the moment. It is not known whether the request was carried out: send the same again in a moment, which is safe.").ExecuteAsync(context);
        }
        catch (Exception failed) when (!context.Response.HasStarted)
        {
            LogFailed(failed, context.Request.Method, context.Request.Path);
            await Problems.Retry("The platform met a failure of its own and logged it. It is not known whether the request was carried out: send the same again.").ExecuteAsync(context);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed.")]
    private partial void LogFailed(Exception exception, string method, string path);
}
