using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Billing.Silo.Api;

/// <summary>What the OpenAPI document says beyond what the endpoints say of themselves.</summary>
internal static class ApiDescription
{
    private const string KeyScheme = "api_key";

    public static void Configure(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "Orleans.Billing";
            document.Info.Version = "1";
            document.Info.Description =
                "Usage-based billing. Amounts are integers in minor units, quantities decimal strings, times RFC 3339 in UTC, periods exclude their end.";
            document.Components ??= new();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal);
            document.Components.SecuritySchemes[KeyScheme] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer" };
            document.Security = [new() { [new OpenApiSecuritySchemeReference(KeyScheme, document)] = [] }];
            return Task.CompletedTask;
        });
        options.AddSchemaTransformer((schema, context, _) =>
        {
            if (context.JsonTypeInfo.Type == typeof(Quantity))
            {
                schema.Type = JsonSchemaType.String;
                schema.Description = "A decimal string without trailing zeros.";
                schema.Examples = [JsonValue.Create("12.5")];
                schema.Properties = null;
            }

            // Members that are left out when they are null are not required.
            foreach (var property in context.JsonTypeInfo.Properties)
                if (property.AttributeProvider?.IsDefined(typeof(JsonIgnoreAttribute), inherit: false) == true) schema.Required?.Remove(property.Name);

            return Task.CompletedTask;
        });
    }

    /// <summary>Describes a query parameter that an endpoint reads itself.</summary>
    public static RouteHandlerBuilder WithQuery(this RouteHandlerBuilder builder, string name, string description, bool required = false) =>
        builder.WithMetadata(new QueryParameter(name)).AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.Parameters ??= [];
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = name,
                In = ParameterLocation.Query,
                Required = required,
                Description = description,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
            return Task.CompletedTask;
        });

    /// <summary>Describes the parameters of a list.</summary>
    public static RouteHandlerBuilder WithPaging(this RouteHandlerBuilder builder) => builder
        .WithQuery("limit", "How many items at the most: 1 to 1,000, 50 when left out.")
        .WithQuery("cursor", "The next of the page before.");

    /// <summary>Describes the body of a call without binding it: the endpoints read their bodies themselves.</summary>
    public static RouteHandlerBuilder WithRequestBody<T>(this RouteHandlerBuilder builder, params string[] mediaTypes) =>
        builder.WithBody<T>(required: true, mediaTypes);

    /// <summary>Describes a JSON body that may be left out.</summary>
    public static RouteHandlerBuilder WithOptionalBody<T>(this RouteHandlerBuilder builder) => builder.WithBody<T>(required: false, "application/json");

    private static RouteHandlerBuilder WithBody<T>(this RouteHandlerBuilder builder, bool required, params string[] mediaTypes) =>
        builder.AddOpenApiOperationTransformer(async (operation, context, cancellation) =>
        {
            var schema = await context.GetOrCreateSchemaAsync(typeof(T), null, cancellation);
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = required,
                Content = mediaTypes.ToDictionary(m => m, _ => new OpenApiMediaType { Schema = schema }, StringComparer.Ordinal),
            };
        });
}

/// <summary>A CloudEvent 1.0 as the API description shows it.</summary>
/// <param name="Specversion">Always 1.0.</param>
/// <param name="Id">Unique in its source; with it the idempotency key of the event.</param>
/// <param name="Source">Who sends it.</param>
/// <param name="Type">The event type that meters listen to.</param>
/// <param name="Subject">The account id.</param>
/// <param name="Time">When it happened, RFC 3339.</param>
/// <param name="Data">What meters read.</param>
internal sealed record CloudEventSchema(string Specversion, string Id, string Source, string Type, string Subject, DateTimeOffset Time, JsonObject? Data);
