import * as Result from "effect/Result"
import { type EdgeSettings, type Environment, readEdgeSettings } from "./EdgeSettings.ts"

/** Where workerd reads the mirror: over a connection that a Durable Object holds, or over HTTP. */
export type MirrorRoute =
  | { readonly _tag: "Holder" }
  | { readonly _tag: "Rest"; readonly url: string; readonly token: string }

export interface WorkerdSettings {
  readonly edge: EdgeSettings
  readonly mirror: MirrorRoute
}

const isWebAddress = (text: string): boolean =>
  URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol) && new URL(text).username === ""

/**
 * The settings, or every fault at once, none of which shows a secret. `REDIS_REST_URL` with `REDIS_REST_TOKEN` takes the place of
 * `REDIS_URL`; both at once are refused, since nobody could tell which of them is read.
 */
export const readWorkerdSettings = (environment: Environment): Result.Result<WorkerdSettings, ReadonlyArray<string>> => {
  const { AUTH_JWKS_URL = "", RATE_LIMIT_PER_TENANT = "", RATE_LIMIT_PER_TOKEN = "", REDIS_REST_TOKEN: token = "", REDIS_REST_URL: url = "", REDIS_URL = "" } = environment
  const faults: Array<string> = []
  // What one request is fetching, another may not wait for: keys that are shared by all cannot be fetched by any.
  if (AUTH_JWKS_URL !== "") faults.push("AUTH_JWKS_URL cannot be used on workerd; set AUTH_PUBLIC_KEY")
  // Counts are exchanged between requests, and workerd lets none write for another: a limit that is not kept is refused.
  for (const [name, value] of Object.entries({ RATE_LIMIT_PER_TOKEN, RATE_LIMIT_PER_TENANT })) {
    if (value !== "") faults.push(`${name} cannot be used on workerd; limit there with the platform's own rules`)
  }
  if (url === "" && token === "") {
    const edge = readEdgeSettings(environment)
    if (Result.isFailure(edge)) return Result.fail([...faults, ...edge.failure])
    return faults.length > 0 ? Result.fail(faults) : Result.succeed({ edge: edge.success, mirror: { _tag: "Holder" } })
  }
  if (REDIS_URL !== "") faults.push("REDIS_URL and REDIS_REST_URL are both set, and one Redis is read")
  if (url === "") faults.push("REDIS_REST_TOKEN is set without REDIS_REST_URL")
  else if (!isWebAddress(url)) faults.push("REDIS_REST_URL is no address of the form http[s]://host[:port][/path]")
  if (token === "") faults.push("REDIS_REST_URL is set without REDIS_REST_TOKEN")
  // What all runtimes share asks for an address of Redis; over REST there is none, and this one is never dialled.
  const edge = readEdgeSettings({ ...environment, REDIS_URL: "redis://rest.invalid" })
  if (Result.isFailure(edge)) faults.push(...edge.failure)
  return faults.length > 0 || Result.isFailure(edge)
    ? Result.fail(faults)
    : Result.succeed({ edge: edge.success, mirror: { _tag: "Rest", url, token } })
}
