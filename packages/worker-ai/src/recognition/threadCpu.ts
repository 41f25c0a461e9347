import { Effect, Schema } from "effect"

/** A thread that can be asked what it has cost. It answers also while its own code runs. */
export interface CostlyThread {
  readonly cpuUsage: () => Promise<unknown>
}

/** Microseconds of processor time. */
const CpuUsage = Schema.Struct({ user: Schema.Finite, system: Schema.Finite })
const decode = Schema.decodeUnknownEffect(CpuUsage)

/** Milliseconds of processor time that a thread has cost; after its end what was last known. */
export const threadCpu = (thread: CostlyThread): Effect.Effect<number> => {
  let spent = 0
  return Effect.tryPromise(() => thread.cpuUsage()).pipe(
    Effect.flatMap(decode),
    Effect.map(({ system, user }) => {
      spent = (user + system) / 1000
      return spent
    }),
    Effect.catch(() => Effect.succeed(spent))
  )
}
