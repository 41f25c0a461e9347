import { env } from "cloudflare:workers"
import * as Result from "effect/Result"
import type { EdgeMirror } from "./EdgeMirror.ts"
import { edgeVariables, restVariables } from "./edgeVariables.ts"
import { redisMirror } from "./redisMirror.ts"
import { restMirror } from "./restMirror.ts"
import { readWorkerdSettings } from "./WorkerdSettings.ts"

/** What can be asked over HTTP: a service, or a Durable Object. */
interface Fetcher {
  readonly fetch: typeof fetch
}

interface ObjectNamespace {
  readonly getByName: (name: string) => Fetcher
}

// A binding is what the configuration says it is: `wrangler.jsonc` and `workerd.capnp` are held against each other by a test.
const isFetcher = (binding: unknown): binding is Fetcher => typeof binding === "object" && binding !== null && "fetch" in binding
const isNamespace = (binding: unknown): binding is ObjectNamespace =>
  typeof binding === "object" && binding !== null && "getByName" in binding

/** Ends the loading of the module: no request is ever taken. */
const refuse = (faults: ReadonlyArray<string>): never => {
  throw new Error(`Cannot start the edge:\n${faults.map((fault) => `  ${fault}\n`).join("")}`)
}

const textOf = (name: string): string | undefined => {
  const text = env[name]
  return typeof text === "string" ? text : undefined
}

const { edge, mirror } = Result.match(
  readWorkerdSettings(Object.fromEntries([...edgeVariables, ...restVariables].map((name) => [name, textOf(name)]))),
  { onSuccess: (read) => read, onFailure: refuse }
)

/** All of it checked. */
export const settings = edge

/** To be made where it is used: a connection belongs to the Durable Object that opens it. */
export const workerdMirror = (): EdgeMirror => mirror._tag === "Rest" ? restMirror(mirror) : redisMirror(edge.redisUrl)

// oxlint-disable-next-line no-console -- the only output that workerd has
export const log = (lines: string): void => console.log(lines.trimEnd())

const keys = env[edge.jwksUrl?.startsWith("https:") === true ? "KEYS_OVER_TLS" : "KEYS"]

/** The way to the keys where the worker has no network; `fetch` itself where it has one, as on Cloudflare. */
export const fetchKeys: typeof fetch | undefined = isFetcher(keys) ? (address, options) => keys.fetch(address, options) : undefined

const objects = env["EDGE_OBJECT"]
const namespace = isNamespace(objects) ? objects : refuse(["EDGE_OBJECT is not bound to the class EdgeObject"])

/** The one Durable Object that answers. What is returned belongs to the request that asks for it. */
export const edgeObject = (): Fetcher => namespace.getByName("edge")
