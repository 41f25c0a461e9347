/** From the start of a process to its first right answer: what a new instance makes its first page wait. */
import { Effect } from "effect"
import { awaitReady, startServer } from "./BenchServer.ts"
import { type Contender, type Env, yardstick } from "./contenders.ts"
import { median } from "./median.ts"

export interface StartupOptions {
  readonly contenders: ReadonlyArray<Contender>
  readonly env: Env
  readonly token: string
  readonly rounds: number
}

export const printStartup = ({ contenders, env, rounds, token }: StartupOptions) =>
  Effect.gen(function*() {
    const times = new Map<string, Array<number>>(contenders.map(({ name }) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      for (const contender of contenders) {
        const startedAt = performance.now()
        const first = Effect.flatMap(startServer(contender, env), ({ port }) => awaitReady(port, token, "1 millis"))
        yield* Effect.scoped(first)
        times.get(contender.name)?.push(performance.now() - startedAt)
      }
    }
    const of = (name: string): number => median(times.get(name) ?? [])
    console.log(`\nFrom a process's start to its first right answer, medians of ${rounds}, ratio to the first line\n`)
    for (const { name } of contenders) {
      const ratio = (of(name) / of(yardstick.name)).toFixed(2)
      console.log(`${name.padEnd(26)}${of(name).toFixed(0).padStart(6)} ms${ratio.padStart(8)}`)
    }
  })
