import { Cause, Context, Formatter, type Logger, Option, Predicate, References, Schema, Tracer } from "effect"
import { type LogLine, LogLevelName } from "./LogSchema.ts"
import { isConfidentialName, redact, redacted, redactText } from "./redact.ts"

const isLevel = Schema.is(LogLevelName)
const isInt = Schema.is(Schema.Int)

/** The attributes of the spans around a line, the nearest first; as far as this process knows them. */
const spansAround = (nearest: Tracer.AnySpan | undefined): ReadonlyArray<Tracer.Span> => {
  const spans: Array<Tracer.Span> = []
  let span = nearest
  while (span !== undefined && span._tag === "Span") {
    spans.push(span)
    span = Option.getOrUndefined(span.parent)
  }
  return spans
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  Predicate.isObject(value) && !Array.isArray(value) && !(value instanceof Error) &&
  (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)

/** One log entry as a line of our schema, with nothing in it that must not be shown. */
export const toLogLine = (service: string, options: Logger.Options<unknown>): LogLine => {
  const { cause, date, fiber, logLevel, message } = options
  const parts = Array.isArray(message) ? message : [message]
  const texts: Array<string> = []
  const said: Record<string, unknown> = {}
  const errors: Array<string> = []
  for (const part of parts) {
    if (typeof part === "string") texts.push(redactText(part))
    else if (part instanceof Error) errors.push(redactText(`${part.name}: ${part.message}`))
    else if (Cause.isCause(part)) errors.push(redactText(Cause.pretty(part)))
    else if (isPlain(part)) Object.assign(said, part)
    else texts.push(Formatter.formatJson(redact(part)))
  }
  if (cause.reasons.length > 0) errors.push(redactText(Cause.pretty(cause)))

  const span = Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
  const ofSpans: Record<string, unknown> = {}
  for (const { attributes } of spansAround(span)) {
    for (const [name, value] of attributes) if (!(name in ofSpans)) ofSpans[name] = value
  }
  const annotations = fiber.getRef(References.CurrentLogAnnotations)
  const named: Readonly<Record<string, unknown>> = { ...annotations, ...said }
  const rest = new Map(Object.entries(named))
  /** A field of the line, if any of its sources has a value of its type; a value of another type stays among the rest. */
  const take = <A>(name: string, is: (value: unknown) => value is A): A | undefined => {
    const value = named[name]
    if (!is(value)) return [ofSpans[name]].find(is)
    rest.delete(name)
    return value
  }
  const tenant = take("tenant", isInt)
  const job = take("job", Predicate.isString)
  const kind = take("kind", Predicate.isString)
  const attempt = take("attempt", isInt)
  const step = take("step", Predicate.isString)
  const error = named["error"]
  if (Predicate.isString(error)) {
    rest.delete("error")
    errors.unshift(redactText(error))
  }
  const level = logLevel.toUpperCase()
  return {
    ts: date.toISOString(),
    level: isLevel(level) ? level : "INFO",
    service,
    message: texts.join(" "),
    ...(tenant === undefined ? {} : { tenant }),
    ...(job === undefined ? {} : { job }),
    ...(kind === undefined ? {} : { kind }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(step === undefined ? {} : { step }),
    ...(span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId }),
    ...(span === undefined || span._tag !== "Span" ? {} : { span: span.name }),
    ...(errors.length === 0 ? {} : { error: redactText(errors.join("\n")) }),
    ...(rest.size === 0 ? {} : {
      detail: Object.fromEntries(
        Array.from(rest, ([name, value]) => [name, isConfidentialName(name) ? redacted : redact(value)])
      )
    })
  }
}
