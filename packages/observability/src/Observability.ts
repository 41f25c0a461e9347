import { Config, Effect, Layer, Logger, LogLevel, Option, References, Schema, SchemaTransformation } from "effect"
import process from "node:process"
import { layerOtlp } from "./otlp.ts"
import { lineLogger, type LogSink } from "./stderrLogger.ts"

export interface ObservabilityOptions {
  /** The program's name in every line and in every exported signal. */
  readonly service: string
  /** Standard error where none is given: standard output is for a program's results. */
  readonly sink?: LogSink
}

const isLevel = (text: string): text is LogLevel.LogLevel => LogLevel.values.some((level) => level === text)

const LogLevelInAnyCase = Schema.String.pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform({
      decode: (text: string) => LogLevel.values.find((level) => level.toLowerCase() === text.trim().toLowerCase()) ?? text,
      encode: (level: string) => level
    })
  ),
  Schema.refine(isLevel, { message: `Expected one of ${LogLevel.values.join(", ")}` })
)

/** `LOG_LEVEL` in any letter case, `Info` where there is none. */
const logLevel = Config.schema(LogLevelInAnyCase, "LOG_LEVEL").pipe(Config.withDefault("Info" as const))

const endpoint = Config.option(Config.URL("OTEL_EXPORTER_OTLP_ENDPOINT"))

const layer = (options: ObservabilityOptions): Layer.Layer<never, Config.ConfigError> =>
  Layer.unwrap(Effect.gen(function*() {
    const level = yield* logLevel
    const collector = yield* endpoint
    const logger = lineLogger(options.service, options.sink ?? process.stderr)
    const logs = Option.match(collector, {
      onNone: () => Logger.layer([logger]),
      onSome: (url) => layerOtlp({ endpoint: url.toString(), service: options.service, logger })
    })
    return Layer.merge(logs, Layer.succeed(References.MinimumLogLevel, level))
  }))

/**
 * Logs, traces and metrics of a program.
 *
 * Lines go to standard error: JSON of the schema `LogLine`, or text for people on a terminal.
 */
export const Observability: {
  /**
   * From two variables: `LOG_LEVEL` (`Info` by default) and `OTEL_EXPORTER_OTLP_ENDPOINT` (no export without it). It
   * fails only when one of them makes no sense.
   */
  readonly layer: (options: ObservabilityOptions) => Layer.Layer<never, Config.ConfigError>
  /** Whatever the environment says: for a start that is refused, maybe because of these very variables. */
  readonly layerOfRefusal: (options: ObservabilityOptions) => Layer.Layer<never>
} = {
  layer,
  layerOfRefusal: ({ service, sink }) => Logger.layer([lineLogger(service, sink ?? process.stderr)])
}
