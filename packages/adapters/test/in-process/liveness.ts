/** Waiting for what another process does: its end, or a report that it writes. */
import { Effect, Schedule, Schema } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    // A process that ended and was not asked for yet is still listed.
    return !existsSync("/proc") || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch {
    return false
  }
}

/** Real time bounds it by the test's own timeout. */
export const when = (condition: () => boolean) =>
  Effect.repeat(Effect.sync(condition), { until: (met) => met, schedule: Schedule.spaced("10 millis") })

const isWritten = (file: string): boolean => existsSync(file) && readFileSync(file, "utf8") !== ""

export const report = <S extends Schema.Decoder<unknown>>(folder: string, name: string, schema: S) =>
  Effect.andThen(
    when(() => isWritten(join(folder, name))),
    Effect.suspend(() =>
      Effect.orDie(Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(readFileSync(join(folder, name), "utf8")))
    )
  )
