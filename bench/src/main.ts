/**
 * `npm run bench`: the progress endpoint against its peers, in one run, as ratios to bare `node:http` + ioredis.
 *
 *     node src/main.ts            5 rounds of 3 s for each server
 *     node src/main.ts --quick    3 rounds of 1 s
 *     node src/main.ts --variants the edge against itself without one of its parts, in place of the peers
 *
 * 64 connections poll 200 videos that are being encoded. Every server is a process of its own on one core, load and Redis share the
 * other. The rounds go round the servers in turn, so that a busy moment of the machine meets all of them; what is printed
 * is the median. CPU a request is the server's own (user and system) and depends least on what else the machine does.
 */
import { signToken } from "@lectern/api/tokens"
import { PostgresServer, RedisServer } from "@lectern/harness"
import { Effect, Result, Schedule, Schema } from "effect"
import { Redis } from "ioredis"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import pg from "pg"

const quick = process.argv.includes("--quick")
const rounds = quick ? 3 : 5
const seconds = quick ? 1 : 3
const videos = 200
const secret = "the benchmark's secret, of more than 32 bytes"

interface Contender {
  readonly name: string
  readonly program: string
  readonly args?: ReadonlyArray<string>
  /** What runs the program, Node by default. */
  readonly interpreter?: ReadonlyArray<string>
  /** The bare server on the same runtime, to which it is compared besides. */
  readonly peer?: string
  readonly env?: Readonly<Record<string, string>>
  readonly does: string
  readonly needsDatabase?: boolean
}

const edge = "../../packages/api/src/edge/node.ts"

/** Bundles, then becomes the runtime, under the process id and on the core that it was started with. */
const runEdge = "../../packages/api/src/node/runEdge.ts"

const deno = [fileURLToPath(new URL("../../node_modules/.bin/deno", import.meta.url)), "run", "--no-prompt", "--allow-all"]

const bareDeno = "bare Deno.serve + ioredis"

const yardstick: Contender = {
  name: "bare node:http + ioredis",
  program: "servers/bare.ts",
  does: "no token, no log, stored text passed through"
}

const variant = (name: string, does: string): Contender => ({
  name,
  program: "servers/edgeVariant.ts",
  env: { BENCH_VARIANT: name },
  does
})

const variants: ReadonlyArray<Contender> = [
  yardstick,
  { name: "as it is", program: edge, does: "the program that is deployed" },
  variant("no batching", "each question is a round trip of its own"),
  variant("auto-pipelining", "no batching by us, that of ioredis instead"),
  variant("Request and Response", "the web-standard handler on @hono/node-server"),
  variant("token verified each time", "no token is remembered")
]

const peers: ReadonlyArray<Contender> = [
  yardstick,
  { name: "Lectern edge", program: edge, does: "token, summary log (its default)" },
  { name: "Lectern edge, log each", program: edge, env: { ACCESS_LOG: "each" }, does: "token, a line per request" },
  {
    name: bareDeno,
    program: "servers/denoBare.ts",
    interpreter: deno,
    does: "no token, no log, stored text passed through"
  },
  {
    name: "Lectern edge on Deno",
    program: runEdge,
    args: ["deno"],
    peer: bareDeno,
    does: "token, summary log; two permissions"
  },
  {
    name: "Lectern edge on workerd",
    program: runEdge,
    args: ["workerd"],
    peer: bareDeno,
    does: "token, summary log; ioredis in a Durable Object"
  },
  { name: "Hono + ioredis", program: "servers/hono.ts", does: "token (hono/jwt), two lines per request (hono/logger)" },
  { name: "Fastify + ioredis", program: "servers/fastify.ts", does: "token (jose), two lines per request (pino)" },
  { name: "Hono, plain", program: "servers/hono.ts", env: { BENCH_PLAIN: "on" }, does: "no token, no log" },
  { name: "Fastify, plain", program: "servers/fastify.ts", env: { BENCH_PLAIN: "on" }, does: "no token, no log" },
  {
    name: "Fastify + pg",
    program: "servers/fastifyPg.ts",
    does: "token, pino; each poll reads the database",
    needsDatabase: true
  }
]

const Load = Schema.fromJsonString(Schema.Struct({
  requests: Schema.Int,
  perSecond: Schema.Finite,
  p50: Schema.Finite,
  p99: Schema.Finite
}))
const decodeLoad = Schema.decodeUnknownEffect(Load)

const contenders = process.argv.includes("--variants") ? variants : peers

interface Round {
  readonly perSecond: number
  readonly p99: number
  /** Microseconds. */
  readonly cpu: number
}

const canPin = ((): boolean => {
  try {
    execFileSync("taskset", ["-c", "0,1", "true"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
})()

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }))

const start = (
  core: 0 | 1,
  program: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  interpreter: ReadonlyArray<string> = [process.execPath]
): ChildProcess => {
  const command = [...interpreter, fileURLToPath(new URL(program, import.meta.url)), ...args]
  const [file = "", ...rest] = canPin ? ["taskset", "-c", String(core), ...command] : command
  return spawn(file, rest, { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env } })
}

/** Microseconds of processor time that a process has used; `null` where the system does not say. */
const cpuMicros = (pid: number): number | null => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? []
    return (Number(fields[11]) + Number(fields[12])) * 1_000_000 / ticksPerSecond
  } catch {
    return null
  }
}

const portOf = (server: ChildProcess): Effect.Effect<number, Error> =>
  Effect.callback<number, Error>((resume) => {
    let output = ""
    const look = (chunk: Buffer): void => {
      const port = /(?:^port |"port":)(\d+)/m.exec(output += chunk.toString("utf8"))?.[1]
      if (port === undefined) return
      server.stdout?.off("data", look)
      server.stderr?.off("data", look)
      // What a server logs is read and thrown away, as a collector would take it off its hands.
      server.stdout?.resume()
      server.stderr?.resume()
      resume(Effect.succeed(Number(port)))
    }
    server.stdout?.on("data", look)
    server.stderr?.on("data", look)
    server.once("exit", () => resume(Effect.fail(new Error(`The server ended: ${output}`))))
  })

const startServer = (contender: Contender, env: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => start(0, contender.program, contender.args ?? [], { ...env, ...contender.env }, contender.interpreter)),
      (server) => Effect.sync(() => server.kill("SIGKILL"))
    )
    return { contender, port: yield* portOf(server), pid: server.pid ?? 0 }
  })

/** Asks until the server has its connection: the edge opens it with the first question, and does not wait for it. */
const awaitReady = (port: number, token: string) =>
  Effect.tryPromise(async () => {
    const headers = { authorization: `Bearer ${token}` }
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/media/videos/1/progress/`, { headers })
    return (await response.text()).includes(`"PROCESSING"`)
  }).pipe(
    Effect.repeat({ until: (isKnown) => isKnown, schedule: Schedule.spaced("20 millis") }),
    Effect.timeout("20 seconds")
  )

const runLoad = (port: number, forSeconds: number, token: string) =>
  Effect.callback<string, Error>((resume) => {
    const load = start(1, "load.ts", [String(port), String(forSeconds), token], {})
    let output = ""
    let faults = ""
    load.stdout?.on("data", (chunk: Buffer) => output += chunk.toString("utf8"))
    load.stderr?.on("data", (chunk: Buffer) => faults += chunk.toString("utf8"))
    load.once("close", (code) =>
      resume(code === 0 ? Effect.succeed(output) : Effect.fail(new Error(`The load failed: ${faults}`))))
    return Effect.sync(() => load.kill("SIGKILL"))
  }).pipe(Effect.flatMap(decodeLoad))

const statusText = (id: number): string =>
  JSON.stringify({ status: "PROCESSING", job_id: `job-${id}`, updated_at: 1_800_000_000_000, revision: 5, attempt: 1 })

const progressText = (id: number): string =>
  JSON.stringify({
    step: "transcoding",
    percent: 50 + id % 30,
    remaining_seconds: 120,
    step_index: 4,
    step_total: 7,
    step_name: "transcoding",
    step_name_display: "인코딩",
    step_percent: id % 100,
    tick: 12,
    as_of: 1_800_000_000_000,
    revision: 5,
    attempt: 1
  })

const ids = Array.from({ length: videos }, (_, index) => index + 1)

const fillRedis = (url: string) =>
  Effect.promise(async () => {
    const redis = new Redis(url)
    await redis.mset(ids.flatMap((id) => [
      `tenant:7:video:${id}:status`, statusText(id), `tenant:7:video:${id}:progress`, progressText(id)
    ]))
    await redis.quit()
  })

const fillPostgres = (url: string) =>
  Effect.promise(async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(
      "CREATE TABLE bench_video (tenant_id int, id int, status text, progress text, PRIMARY KEY (tenant_id, id))"
    )
    for (const id of ids) {
      await client.query("INSERT INTO bench_video VALUES (7, $1, $2, $3)", [id, statusText(id), progressText(id)])
    }
    await client.query("ANALYZE bench_video")
    await client.end()
  })

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const summary = (measured: ReadonlyArray<Round>): Round => ({
  perSecond: median(measured.map(({ perSecond }) => perSecond)),
  p99: median(measured.map(({ p99 }) => p99)),
  cpu: median(measured.map(({ cpu }) => cpu))
})

const row = (cells: ReadonlyArray<string>): string =>
  cells.map((cell, index) => index === 0 ? cell.padEnd(26) : index === cells.length - 1 ? `  ${cell}` : cell.padStart(10)).join("")

const program = Effect.gen(function*() {
  const redis = yield* RedisServer.make()
  yield* fillRedis(redis.url)
  const postgres = PostgresServer.availability.available ? yield* PostgresServer.make() : null
  if (postgres !== null) yield* fillPostgres(postgres.url)
  const token = yield* Effect.promise(() => signToken({ tenantId: 7, subject: "bench", secret, expiresInSeconds: 3_600 }))
  const env = { REDIS_URL: redis.url, AUTH_JWT_SECRET: secret, DATABASE_URL: postgres?.url ?? "", PORT: "0", NODE_ENV: "production" }

  const runnable = contenders.filter((contender) => contender.needsDatabase !== true || postgres !== null)
  for (const skipped of contenders.filter((contender) => !runnable.includes(contender))) {
    console.log(`NOT MEASURED: ${skipped.name}: there is no Postgres server on this machine`)
  }
  const servers = yield* Effect.forEach(runnable, (contender) => startServer(contender, env))
  for (const { port } of servers) {
    yield* awaitReady(port, token)
    // What goes wrong while a server warms up goes wrong in a round as well, or does not matter.
    yield* Effect.result(runLoad(port, quick ? 0.5 : 1, token))
  }

  const results = new Map<string, Array<Round>>(runnable.map(({ name }) => [name, []]))
  const lost: Array<string> = []
  for (let round = 0; round < rounds; round++) {
    for (const { contender, pid, port } of servers) {
      const before = cpuMicros(pid)
      const loaded = yield* Effect.result(runLoad(port, seconds, token))
      const after = cpuMicros(pid)
      if (Result.isFailure(loaded)) {
        lost.push(`LOST: round ${round + 1} of ${contender.name}: ${String(loaded.failure).slice(0, 300)}`)
        continue
      }
      const load = loaded.success
      const cpu = before === null || after === null ? Number.NaN : (after - before) / load.requests
      results.get(contender.name)?.push({ perSecond: load.perSecond, p99: load.p99, cpu })
    }
  }

  const bare = summary(results.get(yardstick.name) ?? [])
  console.log(
    `\n64 connections, ${videos} videos, medians of ${rounds} rounds of ${seconds} s, node ${process.versions.node}` +
      `, ${canPin ? "server on core 0, load and Redis on the others" : "not pinned: there is no taskset"}\n`
  )
  console.log(row(["", "req/s", "ratio", "p99 ms", "ratio", "CPU us", "ratio", "does"]))
  for (const { does, name } of runnable) {
    const { cpu, p99, perSecond } = summary(results.get(name) ?? [])
    console.log(row([
      name,
      perSecond.toFixed(0),
      (perSecond / bare.perSecond).toFixed(2),
      p99.toFixed(1),
      (p99 / bare.p99).toFixed(2),
      cpu.toFixed(1),
      (cpu / bare.cpu).toFixed(2),
      does
    ]))
  }
  for (const line of lost) console.log(line)
  console.log("\nRatios are to the first line: above 1 is better for req/s, worse for p99 and CPU.")
  for (const { name, peer } of runnable) {
    if (peer === undefined) continue
    const own = summary(results.get(name) ?? [])
    const other = summary(results.get(peer) ?? [])
    console.log(
      `${name} against ${peer}: req/s ${(own.perSecond / other.perSecond).toFixed(2)}, ` +
        `p99 ${(own.p99 / other.p99).toFixed(2)}, CPU ${(own.cpu / other.cpu).toFixed(2)}`
    )
  }
})

await Effect.runPromise(Effect.scoped(program))
