/** The servers that are compared: ours on each runtime, the least that one can do, and what people build instead. */
import { edgeLaunches, type EdgeRuntime } from "@lectern/api/node"
import { Result } from "effect"
import { fileURLToPath } from "node:url"

export type Env = Readonly<Record<string, string>>

export interface Contender {
  readonly name: string
  /** What starts it, as it is deployed. */
  readonly command: (env: Env) => ReadonlyArray<string>
  readonly env?: Env
  /** The bare servers on the same runtime, to which it is compared besides. */
  readonly bare?: ReadonlyArray<string>
  readonly does: string
  readonly needsDatabase?: boolean
}

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const server = (name: string) => (): ReadonlyArray<string> => [process.execPath, at(`servers/${name}.ts`)]

const edgeOn = (runtime: EdgeRuntime) => (env: Env): ReadonlyArray<string> => {
  const launch = Result.getOrThrow(edgeLaunches[runtime](env))
  return [launch.command, ...launch.arguments]
}

const deno = [at("../../node_modules/.bin/deno"), "run", "--no-prompt", "--allow-all"]

export const yardstick: Contender = {
  name: "bare node:http + ioredis",
  command: server("bare"),
  does: "no token, no log, stored text passed through"
}

const variant = (name: string, does: string): Contender => ({
  name,
  command: server("edgeVariant"),
  env: { BENCH_VARIANT: name },
  does
})

export const onNode: Contender = {
  name: "Lectern edge",
  command: edgeOn("node"),
  does: "token, summary log (its default)"
}

/** The edge against itself without one of its parts. */
export const variants: ReadonlyArray<Contender> = [
  yardstick,
  onNode,
  variant("no batching", "each question is a round trip of its own"),
  variant("auto-pipelining", "no batching by us, that of ioredis instead"),
  variant("Request and Response", "the web-standard handler on @hono/node-server"),
  variant("token verified each time", "no token is remembered")
]

const bareDeno: Contender = {
  name: "bare Deno.serve + ioredis",
  command: () => [...deno, at("servers/denoBare.ts")],
  does: "no token, no log, stored text passed through"
}

const bareDenoWithHeaders: Contender = {
  ...bareDeno,
  name: "the same, our headers",
  env: { BENCH_HEADERS: "on" },
  does: "reads and sends the headers that the API has"
}

export const peers: ReadonlyArray<Contender> = [
  yardstick,
  onNode,
  { ...onNode, name: "Lectern edge, log each", env: { ACCESS_LOG: "each" }, does: "token, a line per request" },
  bareDeno,
  bareDenoWithHeaders,
  {
    name: "Lectern edge on Deno",
    command: edgeOn("deno"),
    bare: [bareDeno.name, bareDenoWithHeaders.name],
    does: "token, summary log; two permissions"
  },
  {
    name: "Lectern edge on workerd",
    command: edgeOn("workerd"),
    bare: [bareDeno.name],
    does: "token, summary log; ioredis in a Durable Object"
  },
  { name: "Hono + ioredis", command: server("hono"), does: "token (hono/jwt), two lines per request (hono/logger)" },
  { name: "Fastify + ioredis", command: server("fastify"), does: "token (jose), two lines per request (pino)" },
  { name: "Hono, plain", command: server("hono"), env: { BENCH_PLAIN: "on" }, does: "no token, no log" },
  { name: "Fastify, plain", command: server("fastify"), env: { BENCH_PLAIN: "on" }, does: "no token, no log" },
  { name: "Fastify + BullMQ", command: server("fastifyBullMq"), does: "token, pino; a job, its state and progress" },
  {
    name: "Fastify + pg",
    command: server("fastifyPg"),
    does: "token, pino; each poll reads the database",
    needsDatabase: true
  }
]
