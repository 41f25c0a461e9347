import { type Duration, Effect, Layer, Logger, References, type Scope } from "effect"
import { FetchHttpClient, type HttpClient } from "effect/http"
import { OtlpExporter, OtlpLogger, OtlpMetrics, OtlpSerialization, OtlpTracer } from "effect/observability"
import { toLogLine } from "./logLine.ts"
import { isConfidentialName, redactText } from "./redact.ts"

/** How long one request to the collector may take, in milliseconds: a collector that hangs is treated as one that is away. */
export const collectorTimeoutMillis = 2_000

/** How long the end of a program waits for what is still to be exported, for all signals together: they go at the same time. */
export const shutdownTimeout: Duration.Input = "1 second"

/** Spans and metrics with nothing in them that must not be shown; anything else of the message stays as it is. */
const withoutConfidential = <A>(data: A): A => {
  const clean = (value: unknown): unknown => {
    if (typeof value === "string") return redactText(value)
    if (Array.isArray(value)) {
      return value.filter((item) => !isConfidentialAttribute(item)).map(clean)
    }
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, clean(field)]))
    }
    return value
  }
  // The shape is the one that came in: texts are replaced by texts, and attributes are left out of lists.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return clean(data) as A
}

const isConfidentialAttribute = (item: unknown): boolean =>
  typeof item === "object" && item !== null && "key" in item && typeof item.key === "string" && isConfidentialName(item.key)

const serialization = Layer.effect(
  OtlpSerialization.OtlpSerialization,
  Effect.map(OtlpSerialization.OtlpSerialization, (json) => ({
    traces: (data: Parameters<typeof json.traces>[0]) => json.traces(withoutConfidential(data)),
    metrics: (data: Parameters<typeof json.metrics>[0]) => json.metrics(withoutConfidential(data)),
    logs: (data: Parameters<typeof json.logs>[0]) => json.logs(withoutConfidential(data))
  }))
).pipe(Layer.provide(OtlpSerialization.layerJson))

const client: Layer.Layer<HttpClient.HttpClient> = FetchHttpClient.layer.pipe(
  Layer.provide(Layer.succeed(FetchHttpClient.Fetch, (input, init) => {
    const limit = AbortSignal.timeout(collectorTimeoutMillis)
    return fetch(input, { ...init, signal: init?.signal == null ? limit : AbortSignal.any([init.signal, limit]) })
  }))
)

export interface OtlpOptions {
  readonly endpoint: string
  readonly service: string
  /** Written to beside the collector. */
  readonly logger: Logger.Logger<unknown, unknown>
}

/**
 * Exports spans, metrics and logs to a collector by OTLP over HTTP (JSON).
 *
 * The collector is nobody's business but its own: a program neither waits for it nor fails with it. What it does not take within
 * the times above is dropped, and the exporter leaves it alone for a minute.
 */
export const layerOtlp = (options: OtlpOptions): Layer.Layer<never> => {
  const url = (signal: string): string => `${options.endpoint.replace(/\/+$/, "")}/v1/${signal}`
  const common = { resource: { serviceName: options.service }, shutdownTimeout }
  const loggers: Effect.Effect<
    ReadonlySet<Logger.Logger<unknown, unknown>>,
    never,
    OtlpExporter.Flusher | HttpClient.HttpClient | OtlpSerialization.OtlpSerialization | Scope.Scope
  > = Effect.map(
    OtlpLogger.make({ ...common, url: url("logs") }),
    (exporter) =>
      new Set([
        options.logger,
        Logger.make<unknown, void>((entry) => {
          const line = toLogLine(options.service, entry)
          // The line that stands on standard error, with its fields beside the message.
          exporter.log({ ...entry, message: [line.message, line] })
        })
      ])
  )
  return Layer.mergeAll(
    Layer.effect(Logger.CurrentLoggers, loggers),
    OtlpMetrics.layer({ ...common, url: url("metrics") }),
    OtlpTracer.layer({ ...common, url: url("traces") })
  ).pipe(
    Layer.provide(Layer.mergeAll(OtlpExporter.layerFlusher, serialization, client)),
    // What the exporter says about itself would be exported again.
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))
  )
}
