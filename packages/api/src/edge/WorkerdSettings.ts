import * as Result from "effect/Result"
import { type EdgeSettings, type Environment, readEdgeSettings } from "./EdgeSettings.ts"

/** How workerd comes to Redis: over a connection, or over HTTP. */
export type MirrorRoute =
  | { readonly _tag: "Connection" }
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
  const { REDIS_REST_TOKEN: token = "", REDIS_REST_URL: url = "", REDIS_URL = "" } = environment
  if (url === "" && token === "") {
    return Result.map(readEdgeSettings(environment), (edge) => ({ edge, mirror: { _tag: "Connection" } }))
  }
  const faults: Array<string> = []
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
