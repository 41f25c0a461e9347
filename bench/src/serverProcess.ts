/** What the servers of the benchmark have in common: each is a program that is told its databases by the environment. */
import type { AddressInfo } from "node:net"

export const redisUrl = process.env["REDIS_URL"] ?? ""
export const databaseUrl = process.env["DATABASE_URL"] ?? ""
export const secret = process.env["AUTH_JWT_SECRET"] ?? ""
/** Without tokens and logs, as frameworks are usually compared. */
export const plain = process.env["BENCH_PLAIN"] === "on"

/** Tells the benchmark which port the server has: the first line of its standard error. */
export const announce = (address: AddressInfo | string | null): void => {
  if (address === null || typeof address === "string") throw new Error("The server has no port")
  process.stderr.write(`port ${address.port}\n`)
}

const prefix = "/api/v1/media/videos/".length

export const videoIdOf = (url: string): string => url.slice(prefix, url.indexOf("/", prefix))

interface Row {
  readonly status: string
  readonly hls_path?: string | null
  readonly duration?: number | null
  readonly error_reason?: string | null
}
interface Step {
  readonly percent: number
  readonly remaining_seconds: number | null
  readonly step_index: number
  readonly step_total: number
  readonly step_name_display: string
  readonly step_percent: number
}

const parse = <A>(text: string | null | undefined, isA: (value: unknown) => value is A): A | null => {
  if (text === null || text === undefined) return null
  // oxlint-disable-next-line no-restricted-properties -- the peers parse as their users do
  const value: unknown = JSON.parse(text)
  return isA(value) ? value : null
}
const hasField = (name: string) => (value: unknown): boolean => typeof value === "object" && value !== null && name in value
const isRow = (value: unknown): value is Row => hasField("status")(value)
const isStep = (value: unknown): value is Step => hasField("percent")(value)

/** The contract's body, as somebody would write it in a peer's handler. */
export const videoView = (id: string, statusText: string | null | undefined, progressText: string | null | undefined) => {
  const row = parse(statusText, isRow)
  const step = parse(progressText, isStep)
  const status = row?.status ?? "UNKNOWN"
  return {
    id: Number(id),
    status,
    state: status,
    progress: step?.percent ?? 0,
    encoding_progress: step?.percent ?? null,
    encoding_remaining_seconds: step?.remaining_seconds ?? null,
    encoding_step_index: step?.step_index ?? null,
    encoding_step_total: step?.step_total ?? null,
    encoding_step_name: step?.step_name_display ?? null,
    encoding_step_percent: step?.step_percent ?? null,
    hls_path: row?.hls_path ?? null,
    duration: row?.duration ?? null,
    error_reason: row?.error_reason ?? null
  }
}
