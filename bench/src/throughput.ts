/**
 * Questions a second, how long the answers take, and processor time a question, of each server under 64 connections.
 *
 * The rounds go round the servers in turn, so that a busy moment of the machine meets all of them; what is printed is the
 * median. CPU a request is the server's own (user and system) and depends least on what else the machine does.
 */
import { Effect, Result, Schema } from "effect"
import { fileURLToPath } from "node:url"
import { awaitReady, canPin, cpuMicros, startOn, startServer } from "./BenchServer.ts"
import { videos } from "./videos.ts"
import { type Contender, type Env, yardstick } from "./contenders.ts"
import { median } from "./median.ts"

export interface ThroughputOptions {
  readonly contenders: ReadonlyArray<Contender>
  readonly env: Env
  readonly token: string
  readonly rounds: number
  /** Of each round. */
  readonly seconds: number
}

const decodeLoad = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Struct({
  requests: Schema.Int,
  perSecond: Schema.Finite,
  p50: Schema.Finite,
  p99: Schema.Finite
})))

const runLoad = (port: number, forSeconds: number, token: string) =>
  Effect.callback<string, Error>((resume) => {
    const program = fileURLToPath(new URL("load.ts", import.meta.url))
    const load = startOn(1, [process.execPath, program, String(port), String(forSeconds), token], {})
    let output = ""
    let faults = ""
    load.stdout?.on("data", (chunk: Buffer) => output += chunk.toString("utf8"))
    load.stderr?.on("data", (chunk: Buffer) => faults += chunk.toString("utf8"))
    load.once("close", (code) =>
      resume(code === 0 ? Effect.succeed(output) : Effect.fail(new Error(`The load failed: ${faults}`))))
    return Effect.sync(() => load.kill("SIGKILL"))
  }).pipe(Effect.flatMap(decodeLoad))

interface Round {
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Microseconds a request. */
  readonly cpu: number
}

const medianOf = (measured: ReadonlyArray<Round>): Round => ({
  perSecond: median(measured.map(({ perSecond }) => perSecond)),
  p50: median(measured.map(({ p50 }) => p50)),
  p99: median(measured.map(({ p99 }) => p99)),
  cpu: median(measured.map(({ cpu }) => cpu))
})

const row = ([name = "", ...cells]: ReadonlyArray<string>, does: string): string =>
  `${name.padEnd(26)}${cells.map((cell) => cell.padStart(9)).join("")}  ${does}`

const compared = (own: Round, other: Round): string =>
  `req/s ${(own.perSecond / other.perSecond).toFixed(2)}, p50 ${(own.p50 / other.p50).toFixed(2)}, ` +
  `p99 ${(own.p99 / other.p99).toFixed(2)}, CPU ${(own.cpu / other.cpu).toFixed(2)}`

export const printThroughput = ({ contenders, env, rounds, seconds, token }: ThroughputOptions) =>
  Effect.gen(function*() {
    const servers = yield* Effect.forEach(contenders, (contender) => startServer(contender, env))
    for (const { port } of servers) {
      yield* awaitReady(port, token)
      // What goes wrong while a server warms up goes wrong in a round as well, or does not matter.
      yield* Effect.result(runLoad(port, seconds / 2, token))
    }
    const results = new Map<string, Array<Round>>(contenders.map(({ name }) => [name, []]))
    const lost: Array<string> = []
    for (let round = 0; round < rounds; round++) {
      for (const { contender, pid, port } of servers) {
        const before = cpuMicros(pid)
        const loaded = yield* Effect.result(runLoad(port, seconds, token))
        const used = cpuMicros(pid) - before
        if (Result.isFailure(loaded)) {
          lost.push(`LOST: round ${round + 1} of ${contender.name}: ${String(loaded.failure).slice(0, 300)}`)
          continue
        }
        const { p50, p99, perSecond, requests } = loaded.success
        results.get(contender.name)?.push({ perSecond, p50, p99, cpu: used / requests })
      }
    }

    const of = (name: string): Round => medianOf(results.get(name) ?? [])
    const bare = of(yardstick.name)
    console.log(
      `\n64 connections, ${videos} videos asked for unevenly, medians of ${rounds} rounds of ${seconds} s, ` +
        `node ${process.versions.node}, ` +
        `${canPin ? "server on core 0, load and databases on core 1" : "not pinned: there is no taskset"}\n`
    )
    console.log(row(["", "req/s", "ratio", "p50 ms", "ratio", "p99 ms", "ratio", "CPU us", "ratio"], "does"))
    for (const { does, name } of contenders) {
      const { cpu, p50, p99, perSecond } = of(name)
      console.log(row([
        name,
        perSecond.toFixed(0),
        (perSecond / bare.perSecond).toFixed(2),
        p50.toFixed(1),
        (p50 / bare.p50).toFixed(2),
        p99.toFixed(1),
        (p99 / bare.p99).toFixed(2),
        cpu.toFixed(1),
        (cpu / bare.cpu).toFixed(2)
      ], does))
    }
    for (const line of lost) console.log(line)
    console.log("\nRatios are to the first line: above 1 is better for req/s, worse for the others.")
    for (const { bare: others = [], name } of contenders) {
      for (const other of others) console.log(`${name} against ${other}: ${compared(of(name), of(other))}`)
    }
  }).pipe(Effect.scoped)
