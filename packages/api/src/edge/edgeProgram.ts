import type { EdgeMirror } from "./EdgeMirror.ts"
import type { EdgeSettings } from "./EdgeSettings.ts"
import { edgeVerifier } from "./edgeVerifier.ts"
import { type AccessLog, type Edge, type EdgeHandlerOptions, makeAccessLog, makeEdge, makeRateLimit } from "./index.ts"

export interface EdgeProgramOptions {
  readonly settings: EdgeSettings
  readonly mirror: EdgeMirror
  /** Takes whole lines of the log. */
  readonly log: (lines: string) => void
  /** Asks the address of the keys; the runtime's `fetch` by default. */
  readonly fetchKeys?: typeof fetch | undefined
}

export interface EdgeProgram {
  readonly edge: Edge
  readonly accessLog: AccessLog
}

const rateLimitOf = ({ mirror, settings: { rateLimit } }: EdgeProgramOptions): Pick<EdgeHandlerOptions, "rateLimit"> =>
  Number.isFinite(rateLimit.perToken) || Number.isFinite(rateLimit.perTenant)
    ? { rateLimit: makeRateLimit({ count: mirror.count, ...rateLimit }) }
    : {}

const eventsOf = ({ mirror: { changes }, settings }: EdgeProgramOptions): Pick<EdgeHandlerOptions, "events"> =>
  changes === undefined ? {} : { events: { changes, limits: settings.eventStreams } }

/** The edge that an environment asks for, the same on every runtime. */
export const makeEdgeProgram = (options: EdgeProgramOptions): EdgeProgram => {
  const { fetchKeys, log, mirror, settings } = options
  const accessLog = makeAccessLog({ mode: settings.accessLog, write: log })
  const edge = makeEdge({
    read: mirror.read,
    verify: edgeVerifier(settings, log, fetchKeys),
    allowedOrigins: settings.allowedOrigins,
    accessLog,
    defer: setImmediate,
    ...rateLimitOf(options),
    ...eventsOf(options)
  })
  return { edge, accessLog }
}
