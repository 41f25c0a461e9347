/**
 * The progress API on workerd, which is Cloudflare's runtime: `npm run edge:workerd`, or `wrangler deploy` with `wrangler.jsonc`.
 *
 * The environment is that of the entry for Node, as bindings. `REDIS_REST_URL` and `REDIS_REST_TOKEN` in place of `REDIS_URL` read
 * a Redis over HTTP; otherwise a Durable Object holds a connection. A configuration that cannot work is refused when the module
 * is loaded, with every fault named: no request is ever taken.
 */
import { env } from "cloudflare:workers"
import * as Result from "effect/Result"
import type { Environment } from "./EdgeSettings.ts"
import { edgeVariables, restVariables } from "./edgeVariables.ts"
import { edgeVerifier } from "./edgeVerifier.ts"
import { makeAccessLog, makeEdge, type ReadProgress } from "./index.ts"
import type { RedisHolderCalls } from "./RedisHolder.ts"
import { makeRestRedisReader } from "./restRedisReader.ts"
import { type WebHandler, withHealth } from "./webEntry.ts"
import { readWorkerdSettings, type WorkerdSettings } from "./WorkerdSettings.ts"

export { RedisHolder } from "./RedisHolder.ts"

/** The part of a namespace of Durable Objects that is used here: all calls go to the one object of this name. */
interface HolderNamespace {
  readonly getByName: (name: string) => RedisHolderCalls
}

/** A binding is what the configuration says it is: `wrangler.jsonc` and `workerd.capnp` bind the class of this module. */
const isHolderNamespace = (binding: unknown): binding is HolderNamespace =>
  typeof binding === "object" && binding !== null && "getByName" in binding

const refuse = (faults: ReadonlyArray<string>): never => {
  throw new Error(`Cannot start the edge:\n${faults.map((fault) => `  ${fault}\n`).join("")}`)
}

const readFromHolder = (): ReadProgress => {
  const holders = env["REDIS_HOLDER"]
  if (!isHolderNamespace(holders)) return refuse(["REDIS_HOLDER is not bound to the class RedisHolder"])
  return async (tenantId, subjects) => {
    // A stub belongs to the request that made it.
    const held = await holders.getByName("redis").read(tenantId, subjects)
    if (held._tag === "Unreadable") throw new Error(held.message)
    return held.stored
  }
}

const environment: Environment = Object.fromEntries(
  [...edgeVariables, ...restVariables].map((name) => {
    const text = env[name]
    return [name, typeof text === "string" ? text : undefined]
  })
)

const makeHandler = ({ edge: settings, mirror }: WorkerdSettings): WebHandler => {
  const read = mirror._tag === "Rest" ? makeRestRedisReader(mirror) : readFromHolder()
  // oxlint-disable-next-line no-console -- the only output that workerd has
  const log = (lines: string): void => console.log(lines.trimEnd())
  const verify = edgeVerifier(settings, log)
  const accessLog = makeAccessLog({ mode: settings.accessLog, write: log })
  // An edge for each request: within one, reads are shared, and here a request that waits for another's read is cut off
  // when that other one ends.
  return withHealth((request) => makeEdge({ read, verify, allowedOrigins: settings.allowedOrigins, accessLog }).handler(request))
}

const handler = Result.match(readWorkerdSettings(environment), { onSuccess: makeHandler, onFailure: refuse })

export default { fetch: (request: Request): Promise<Response> => handler(request) }
