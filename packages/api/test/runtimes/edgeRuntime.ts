/** The edge as `npm run edge:<runtime>` runs it: bundled, in its real runtime, in a process that ends with the scope. */
import { RedisServer, Warden } from "@lectern/harness"
import { Effect, Schedule, type Scope } from "effect"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { connect } from "node:net"
import { fileURLToPath } from "node:url"
import { secret, token } from "../edge/edgeSubject.ts"
import { withRedis } from "../edge/patientRedis.ts"
import { restRedis, restToken } from "./restRedis.ts"

const launcher = fileURLToPath(new URL("../../src/node/runEdge.ts", import.meta.url))

export type RuntimeName = "deno" | "workerd" | "node"

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface EdgeRuntime {
  readonly process: ChildProcess
  readonly port: number
  /** What it has printed so far. */
  readonly output: () => string
  /** Dies if there is no answer within five seconds: nothing here may hang, whatever Redis does. */
  readonly ask: (path: string, headers?: Record<string, string>) => Effect.Effect<Answer>
}

/** A runtime, and how it comes to Redis. */
export interface Contender {
  readonly name: string
  readonly runtime: RuntimeName
  /** Whether it can listen to Redis. */
  readonly hasEvents: boolean
  /**
   * Megabytes by which 2,000 more questions may make it grow. V8 is told to collect before it has 48 on Node and Deno, so that what is
   * resident is what is held; workerd takes no such word from outside, and its isolate first fills the 96 of `workerd.capnp`, by
   * 11 for each 1,000 requests, with a frozen Redis as with a sound one.
   */
  readonly mayGrow: number
  /** The environment that leads it to the Redis at `url`. */
  readonly environment: (url: string) => Effect.Effect<Record<string, string>, never, Scope.Scope>
}

const direct = (url: string) => Effect.succeed({ REDIS_URL: url })

export const contenders: ReadonlyArray<Contender> = [
  { name: "Node", runtime: "node", hasEvents: true, mayGrow: 25, environment: direct },
  { name: "Deno", runtime: "deno", hasEvents: true, mayGrow: 25, environment: direct },
  { name: "workerd", runtime: "workerd", hasEvents: true, mayGrow: 90, environment: direct },
  {
    name: "workerd over REST",
    runtime: "workerd",
    hasEvents: false,
    mayGrow: 90,
    environment: (url) => Effect.map(restRedis(url), (rest) => ({ REDIS_REST_URL: rest, REDIS_REST_TOKEN: restToken }))
  }
]

/** What is always there: the programs, and a folder for Deno's compiled code. */
const base = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "" }

const launch = (runtime: RuntimeName, environment: Record<string, string>) =>
  Warden.held(spawn(process.execPath, ["--disable-warning=ExperimentalWarning", launcher, runtime], {
    env: { ...base, ...environment },
    stdio: ["ignore", "pipe", "pipe"]
  }))

/** Runs the program to its end and returns how that was. */
export const runToEnd = (runtime: RuntimeName, environment: Record<string, string>) =>
  Effect.callback<{ readonly code: number | null; readonly errors: string }>((resume) => {
    const child = launch(runtime, environment)
    let errors = ""
    child.stderr.on("data", (chunk: Buffer) => errors += chunk.toString("utf8"))
    child.once("close", (code) => resume(Effect.succeed({ code, errors })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** Keeps a process for as long as the scope, and returns its port when it tells one. */
export const listening = (child: ChildProcess): Effect.Effect<EdgeRuntime, Error, Scope.Scope> =>
  Effect.gen(function*() {
    let output = ""
    yield* Effect.addFinalizer(() => Effect.sync(() => child.kill("SIGKILL")))
    const port = yield* Effect.callback<number, Error>((resume) => {
      const collect = (chunk: Buffer): void => {
        output += chunk.toString("utf8")
        const found = /"(?:message":"listening|event":"listen)".*"port":(\d+)/.exec(output)?.[1]
        if (found !== undefined) resume(Effect.succeed(Number(found)))
      }
      child.stdout?.on("data", collect)
      child.stderr?.on("data", collect)
      child.once("close", () => resume(Effect.fail(new Error(`The edge ended: ${output}`))))
    })
    const ask: EdgeRuntime["ask"] = (path, headers) =>
      Effect.promise(async (signal) => {
        const response = await fetch(`http://127.0.0.1:${port}${path}`, {
          headers: { authorization: `Bearer ${token}`, ...headers },
          signal
        })
        return { status: response.status, body: (await response.json()) as Answer["body"] }
      }).pipe(
        Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => Effect.die(new Error(`${path} got no answer: ${output}`)) })
      )
    return { process: child, port, output: () => output, ask }
  })

export const startRuntime = (contender: Contender, redisUrl: string, more: Record<string, string> = {}) =>
  Effect.gen(function*() {
    const environment = yield* contender.environment(redisUrl)
    return yield* Effect.suspend(() =>
      listening(launch(contender.runtime, { PORT: "0", AUTH_JWT_SECRET: secret, ...environment, ...more }))
    )
  })

/** Tells the process to end, and returns how it did. */
export const end = ({ process }: EdgeRuntime, signal: NodeJS.Signals) =>
  Effect.promise(() => {
    const closed = once(process, "close")
    process.kill(signal)
    return closed
  })

/** Megabytes that a process and its children have in memory: workerd is a child of what runs it. */
export const residentMegabytes = ({ process }: EdgeRuntime): number =>
  execFileSync("ps", ["-A", "-o", "pid=,ppid=,rss="], { encoding: "utf8" }).trim().split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter((family) => family.slice(0, 2).includes(process.pid ?? 0))
    .reduce((sum, [, , kilobytes = 0]) => sum + kilobytes, 0) / 1024

/** Returns when nobody listens on the port. */
export const unheard = (port: number) =>
  until(
    Effect.callback<string>((resume) => {
      const socket = connect(port, "127.0.0.1")
        .once("error", (fault) => resume(Effect.succeed(fault.message)))
        .once("connect", () => {
          socket.destroy()
          resume(Effect.succeed("somebody still listens"))
        })
    }),
    (outcome) => outcome.includes("ECONNREFUSED")
  )

/** A Redis with these texts. */
export const put = (url: string, values: Record<string, string | Buffer>) =>
  withRedis(url, (client) => client.mset(values))

export const redisHolding = (values: Record<string, string>, options: Record<string, string> = {}) =>
  Effect.tap(RedisServer.make(options), ({ url }) => put(url, values))

/** Asks again and again until the answer is the wanted one. */
export const until = <A, E, R>(call: Effect.Effect<A, E, R>, done: (value: A) => boolean) =>
  call.pipe(
    Effect.repeat({ until: done, schedule: Schedule.spaced("10 millis") }),
    Effect.timeoutOrElse({ duration: "20 seconds", orElse: () => Effect.die(new Error("it did not come to that")) })
  )
