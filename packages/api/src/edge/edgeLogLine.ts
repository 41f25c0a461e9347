export type EdgeLogLevel = "INFO" | "WARN" | "ERROR"

export interface EdgeLogFields {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly level: EdgeLogLevel
  readonly message: string
  readonly tenant?: number | null
  /** What went wrong; its message, and that of what was behind it, are told. */
  readonly cause?: unknown
  /** Plain values of JSON. */
  readonly detail?: Readonly<Record<string, unknown>>
}

/** Characters of an error, as `LogLine` of `@lectern/observability` bounds them. */
const maxErrorChars = 4_000

const describeCause = (cause: unknown): string => {
  const own = cause instanceof Error ? cause.message : String(cause)
  const whole = cause instanceof Error && cause.cause instanceof Error ? `${own}: ${cause.cause.message}` : own
  return whole.slice(0, maxErrorChars)
}

/**
 * One line of the project's log, with its line feed: `LogLine` of `@lectern/observability`, written by hand because Schema
 * would be most of the bundle. A test decodes what comes out with `LogLineJson`.
 */
export const edgeLogLine = ({ cause, detail, level, message, tenant, time }: EdgeLogFields): string =>
  `${JSON.stringify({
    ts: new Date(time).toISOString(),
    level,
    service: "edge",
    message,
    tenant: tenant ?? undefined,
    error: cause === undefined ? undefined : describeCause(cause),
    detail
  })}\n`
