import { Schema } from "effect"

/** As `Effect` names them, in capitals. */
export const LogLevelName = Schema.Literals(["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"])
export type LogLevelName = typeof LogLevelName.Type

/**
 * One line of every program's log on standard error, as JSON.
 *
 * The ids of the work come from the line itself, from the log annotations around it, or from the spans around it, in this order.
 * A line holds no token, no SQL text and no personal data: see `redact`.
 */
export const LogLine = Schema.Struct({
  /** ISO 8601, UTC, milliseconds. */
  ts: Schema.String,
  level: LogLevelName,
  service: Schema.String,
  message: Schema.String,
  tenant: Schema.optionalKey(Schema.Int),
  job: Schema.optionalKey(Schema.String),
  kind: Schema.optionalKey(Schema.String),
  attempt: Schema.optionalKey(Schema.Int),
  step: Schema.optionalKey(Schema.String),
  trace_id: Schema.optionalKey(Schema.String),
  span_id: Schema.optionalKey(Schema.String),
  /** `Service.method` */
  span: Schema.optionalKey(Schema.String),
  /** What went wrong, with its causes; at most 4,000 characters. */
  error: Schema.optionalKey(Schema.String),
  /** Everything else that was said, by its name. */
  detail: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json))
})
export type LogLine = typeof LogLine.Type

/** The text of a line, without its line break. */
export const LogLineJson = Schema.fromJsonString(LogLine)
