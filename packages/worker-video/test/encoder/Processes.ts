/** What runs on this machine, as Linux tells it: to see that no child is left behind. */
import { Effect, FileSystem, Schedule, Schema } from "effect"

class StillRunning extends Schema.TaggedError<StillRunning>()("StillRunning", { pids: Schema.Array(Schema.Int) }) {}

const mediaProcessesWith = Effect.fnUntraced(function* (isMeant: (word: string) => boolean) {
  const fileSystem = yield* FileSystem.FileSystem
  const pids = (yield* fileSystem.readDirectory("/proc")).filter((name) => /^\d+$/.test(name))
  const named = yield* Effect.forEach(pids, (pid) =>
    fileSystem.readFileString(`/proc/${pid}/cmdline`).pipe(
      Effect.map((line) => line.split("\0")),
      Effect.map(([program = "", ...words]) => /(?:^|\/)ff(?:mpeg|probe)$/.test(program) && words.some(isMeant)),
      // A process may end while it is looked at.
      Effect.catchTag("PlatformError", () => Effect.succeed(false)),
      Effect.map((found) => (found ? [Number(pid)] : []))
    )
  )
  return named.flat()
})

/** Process ids of the ffmpeg and ffprobe processes whose command line names `path`. */
export const mediaProcesses = (path: string) => mediaProcessesWith((word) => word === path)

/** Process ids of those that work on a file below `directory`. */
export const mediaProcessesBelow = (directory: string) => mediaProcessesWith((word) => word.startsWith(`${directory}/`))

/** Waits until no ffmpeg names `path` any more; a test's own time limit ends it otherwise. */
export const gone = (path: string) =>
  mediaProcesses(path).pipe(
    Effect.flatMap((pids) => (pids.length === 0 ? Effect.void : Effect.fail(new StillRunning({ pids })))),
    Effect.retry(Schedule.spaced("20 millis"))
  )
