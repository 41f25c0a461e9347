/**
 * What the edge does while Redis does not do its part, on each of its runtimes:
 * `node src/edge-faults.ts [--load=SECONDS] [RUNTIME...]`.
 *
 * Prints how long answers take while Redis is sound, frozen and dead, with one poller and with 250; how long after a
 * thaw and after a restart the right body is back; how much memory a minute (`--load`) of trouble leaves; what 5,000
 * connections that say nothing cost; and how long the answers for a foreign and for a missing video take beside each
 * other.
 *
 * The 250 ask at the same moment, twelve times. They, Redis and the edge share the machine: the answers to so many
 * stand in one queue, with a sound Redis too.
 */
import { signToken } from "@lectern/api/tokens"
import { RedisServer, Warden } from "@lectern/harness"
import { Effect } from "effect"
import { Redis } from "ioredis"
import { spawn } from "node:child_process"
import { connect, type Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { type AskingConnection, openAskingConnection } from "./AskingConnection.ts"
import { residentMegabytes } from "./BenchServer.ts"

const allRuntimes = ["node", "deno", "workerd"] as const
type Runtime = (typeof allRuntimes)[number]

const words = process.argv.slice(2)
const loadSeconds = Number(words.find((word) => word.startsWith("--load="))?.slice("--load=".length) ?? 60)
const runtimes = allRuntimes.filter((name) => words.includes(name))
const secret = "the benchmark's secret, of more than 32 bytes"
const crowd = 250
const silentConnections = 5_000
/** Times that everybody asks at the same moment, and the pause after each. */
const waves = 12
const pauseMillis = 250
const videos = 200
const tenant = 7

const launcher = fileURLToPath(new URL("../../packages/api/src/node/runEdge.ts", import.meta.url))
const pathOf = (id: number): string => `/api/v1/media/videos/${id}/progress/`
const isReady = (body: string): boolean => body.includes(`"status":"READY"`)

interface Edge {
  readonly port: number
  readonly residentMegabytes: () => number
}

const startEdge = (runtime: Runtime, redisUrl: string) =>
  Effect.gen(function*() {
    const edge = yield* Effect.acquireRelease(
      Effect.sync(() =>
        Warden.held(spawn(process.execPath, ["--disable-warning=ExperimentalWarning", launcher, runtime], {
          env: {
            PATH: process.env["PATH"],
            HOME: process.env["HOME"],
            PORT: "0",
            REDIS_URL: redisUrl,
            AUTH_JWT_SECRET: secret
          },
          stdio: ["ignore", "pipe", "inherit"]
        }))
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const port = yield* Effect.callback<number, Error>((resume) => {
      let output = ""
      edge.stdout.on("data", (chunk: Buffer) => {
        const found = /"port":(\d+)/.exec(output += chunk.toString("utf8"))?.[1]
        if (found !== undefined) resume(Effect.succeed(Number(found)))
      })
      edge.once("exit", () => resume(Effect.fail(new Error(`The edge ended: ${output}`))))
    })
    return { port, residentMegabytes: () => residentMegabytes(edge.pid ?? 0) } satisfies Edge
  })

/** Writes what is to be read; one who asks for it anew, after a restart. */
const fill = (url: string) =>
  Effect.promise(async () => {
    const redis = new Redis(url)
    const status = `{"status":"READY","hls_path":"a.m3u8","duration":61,"revision":5,"attempt":1}`
    const keys = Array.from({ length: videos }, (_, id) => `tenant:${tenant}:video:${id + 1}:status`)
    await redis.mset(new Map(keys.map((key) => [key, status])))
    redis.disconnect()
  })

const quantile = (sorted: ReadonlyArray<number>, part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0

const summary = (millis: ReadonlyArray<number>): string => {
  const sorted = [...millis].sort((a, b) => a - b)
  const [half, most, worst] = [0.5, 0.99, 1].map((part) => quantile(sorted, part).toFixed(1))
  return `p50 ${half}, p99 ${most}, worst ${worst} ms of ${sorted.length}`
}

const askOnce = async (poller: AskingConnection, id: number, token: string): Promise<number> => {
  const { body, millis, status } = await poller.ask(pathOf(id % videos + 1), token)
  if (status !== 200) throw new Error(`The edge answered ${status}: ${body}`)
  return millis
}

/** Everybody asks at the same moment, so many times with a pause in between. Fails for an answer that is not 200. */
const askTogether = async (pollers: ReadonlyArray<AskingConnection>, token: string): Promise<ReadonlyArray<number>> => {
  const millis: Array<number> = []
  for (let wave = 0; wave < waves; wave++) {
    millis.push(...await Promise.all(pollers.map((poller, index) => askOnce(poller, index, token))))
    await new Promise((resolve) => setTimeout(resolve, pauseMillis))
  }
  return millis
}

/** Everybody asks again as soon as there is an answer. */
const askOnAndOn = async (
  pollers: ReadonlyArray<AskingConnection>,
  token: string,
  seconds: number
): Promise<ReadonlyArray<number>> => {
  const until = performance.now() + seconds * 1_000
  const millis: Array<number> = []
  await Promise.all(pollers.map(async (poller, index) => {
    for (let id = index; performance.now() < until; id += 1) millis.push(await askOnce(poller, id, token))
  }))
  return millis
}

/** Milliseconds until the right body is there, looked for without a pause. */
const recovery = async (pollers: ReadonlyArray<AskingConnection>, token: string): Promise<number> => {
  const startedAt = performance.now()
  for (const poller of pollers) {
    while (!isReady((await poller.ask(pathOf(1), token)).body)) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return performance.now() - startedAt
}

const openPollers = async (port: number, count: number): Promise<ReadonlyArray<AskingConnection>> => {
  const pollers: Array<AskingConnection> = []
  while (pollers.length < count) {
    const batch = Array.from({ length: Math.min(50, count - pollers.length) }, () => openAskingConnection(port))
    pollers.push(...await Promise.all(batch))
  }
  return pollers
}

const openSilent = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.on("error", () => undefined)
      resolve(socket)
    })
    socket.once("error", reject)
  })

const measure = (runtime: Runtime) =>
  Effect.scoped(Effect.gen(function*() {
    const redis = yield* RedisServer.make()
    yield* fill(redis.url)
    const edge = yield* startEdge(runtime, redis.url)
    const [token, foreign] = yield* Effect.promise(() =>
      Promise.all([tenant, tenant + 1].map((tenantId) => signToken({ tenantId, secret, expiresInSeconds: 36_000 }))))
    if (token === undefined || foreign === undefined) return
    /** For one measurement: workerd closes a connection that is quiet for some seconds. */
    const withPollers = <A>(count: number, run: (pollers: ReadonlyArray<AskingConnection>) => Promise<A>) =>
      Effect.scoped(Effect.flatMap(
        Effect.acquireRelease(
          Effect.promise(() => openPollers(edge.port, count)),
          (all) => Effect.sync(() => all.forEach((poller) => poller.close()))
        ),
        (all) => Effect.promise(() => run(all))
      ))
    const tell = (what: string, text: string) =>
      Effect.sync(() => console.log(`${runtime.padEnd(8)} ${what.padEnd(34)} ${text}`))
    const together = (what: string, count: number) =>
      Effect.flatMap(withPollers(count, (pollers) => askTogether(pollers, token)), (millis) =>
        tell(`${what}, ${count === 1 ? "1 poller" : `${count} pollers`}`, summary(millis)))
    const tellRecovery = (what: string) =>
      Effect.flatMap(withPollers(1, (pollers) => recovery(pollers, token)), (millis) =>
        tell(`right again after a ${what}`, `${millis.toFixed(0)} ms`))
    // The crowd first: the first that meet a trouble are in it.
    const tellBoth = (what: string) => Effect.andThen(together(what, crowd), together(what, 1))

    yield* withPollers(crowd, (pollers) => askTogether(pollers, token))
    yield* tellBoth("Redis sound")
    yield* redis.freeze
    yield* tellBoth("Redis frozen")
    yield* redis.thaw
    yield* tellRecovery("thaw")
    yield* redis.kill
    yield* tellBoth("Redis dead")
    yield* redis.restart
    yield* fill(redis.url)
    yield* tellRecovery("restart")

    const compared = { foreign: new Array<number>(), missing: new Array<number>() }
    yield* withPollers(1, async (pollers) => {
      for (const poller of pollers) {
        for (let turn = 0; turn < 2_000; turn++) {
          compared.foreign.push(await askOnce(poller, turn % videos, foreign))
          compared.missing.push((await poller.ask(pathOf(turn % videos + 1 + videos), foreign)).millis)
        }
      }
    })
    yield* tell("a foreign video", summary(compared.foreign))
    yield* tell("a video that is not there", summary(compared.missing))

    const quiet = edge.residentMegabytes()
    yield* Effect.scoped(Effect.gen(function*() {
      const sockets: Array<Socket> = []
      yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => socket.destroy())))
      while (sockets.length < silentConnections) {
        const batch = Array.from({ length: 100 }, () => openSilent(edge.port))
        sockets.push(...yield* Effect.promise(() => Promise.all(batch)))
      }
      const millis = yield* withPollers(1, (pollers) => askOnAndOn(pollers, token, 2))
      const grown = edge.residentMegabytes() - quiet
      const what = `beside ${silentConnections} silent connections`
      yield* tell(what, `${summary(millis)}; ${grown.toFixed(0)} MB for them`)
    }))

    const until = performance.now() + loadSeconds * 1_000
    const memory = [edge.residentMegabytes()]
    const took: Array<number> = []
    const trouble = (seconds: number) =>
      Effect.map(withPollers(50, (pollers) => askOnAndOn(pollers, token, seconds)), (millis) => {
        for (const one of millis) took.push(one)
      })
    while (performance.now() < until) {
      yield* redis.freeze
      yield* trouble(2)
      yield* redis.thaw
      yield* trouble(1)
      yield* redis.kill
      yield* trouble(1)
      yield* redis.restart
      yield* fill(redis.url)
      memory.push(edge.residentMegabytes())
    }
    const thirds = [0, 1 / 3, 2 / 3, 1].map((part) => quantile(memory, part).toFixed(0))
    yield* tell(`${loadSeconds} s of trouble, 50 pollers`, `RSS ${thirds.join(", ")} MB; ${summary(took)}`)
  }))

await Effect.runPromise(Effect.forEach(runtimes.length === 0 ? allRuntimes : runtimes, measure, { discard: true }))
