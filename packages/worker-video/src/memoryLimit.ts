import { Effect, FileSystem } from "effect"

/** What the control group of this process says of its memory. */
export interface MemoryLimit {
  /** Processes that the system has ended so far because the limit was reached. */
  readonly kills: number
  /** In bytes; `null` where there is none. */
  readonly bytes: number | null
}

interface Files {
  readonly events: string
  readonly limit: string
}

/** Control groups of the second and of the first version, as a container sees its own. */
const places: ReadonlyArray<Files> = [
  { events: "/sys/fs/cgroup/memory.events", limit: "/sys/fs/cgroup/memory.max" },
  { events: "/sys/fs/cgroup/memory/memory.oom_control", limit: "/sys/fs/cgroup/memory/memory.limit_in_bytes" }
]

/** The first version knows no "max": it says the largest number of pages. */
const unlimited = 2 ** 60

const limitOf = (text: string): number | null => {
  const bytes = Number.parseInt(text, 10)
  return Number.isFinite(bytes) && bytes < unlimited ? bytes : null
}

/**
 * Reads the limit of this container and who fell victim to it; no kills where there is no control group to ask. Where
 * the system ends ffmpeg alone nothing else says why: the container goes on, and its runtime sees no lack of memory.
 */
export const readMemoryLimit = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const read = ({ events, limit }: Files) =>
    Effect.all([fs.readFileString(events), fs.readFileString(limit)]).pipe(
      Effect.map(([counts, bytes]): MemoryLimit => ({
        kills: Number(/^oom_kill (\d+)$/m.exec(counts)?.[1] ?? 0),
        bytes: limitOf(bytes)
      }))
    )
  return yield* Effect.firstSuccessOf(places.map(read)).pipe(
    Effect.catchTag("PlatformError", () => Effect.succeed<MemoryLimit>({ kills: 0, bytes: null }))
  )
})
