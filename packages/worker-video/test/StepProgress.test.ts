import { assert, describe, it } from "@effect/vitest"
import { type JobRun, JobRecorder, type Sample } from "@lectern/domain"
import { TestDomain } from "@lectern/domain/testing"
import { Effect } from "effect"
import { stepProgress } from "../src/StepProgress.ts"
import { tenant, waitingEncode } from "./EncodedJob.ts"

const at = (fraction: number): Sample => ({ fraction, remainingSeconds: null })

/** The progress of a claimed encode, and everything that is said by it, in order. */
const listened = Effect.gen(function*() {
  const recorder = yield* JobRecorder
  const claimed = yield* recorder.claim(tenant, yield* waitingEncode, { owner: "run-1", leaseMillis: 60_000 })
  if (claimed._tag !== "Claimed") return assert.fail(claimed._tag)
  const said: Array<string> = []
  const run: JobRun = {
    ...claimed.run,
    tick: (sample) =>
      Effect.suspend(() => {
        said.push(`tick ${sample.fraction}`)
        return claimed.run.tick(sample)
      }),
    record: (command) =>
      Effect.suspend(() => {
        said.push("record")
        return Effect.tap(claimed.run.record(command), () => progress.movedAgain)
      })
  }
  const progress = stepProgress(run, Effect.sync(() => void said.push("pulse")))
  return { progress, said }
})

describe("the progress of a run", () => {
  it.effect("is shown again for work that its step does not count", () =>
    Effect.gen(function*() {
      const { progress, said } = yield* listened
      yield* progress.begin("validating")
      said.length = 0
      yield* progress.moved(at(0.25))
      yield* progress.movedAgain
      assert.deepStrictEqual(said, ["pulse", "tick 0.25", "pulse", "tick 0.25"])
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("of one step is never shown as that of the next, not even while that is recorded", () =>
    Effect.gen(function*() {
      const { progress, said } = yield* listened
      yield* progress.begin("transcoding")
      yield* progress.moved(at(1))
      said.length = 0
      yield* progress.begin("validating")
      yield* progress.movedAgain
      yield* progress.moved(at(0))
      assert.deepStrictEqual(said, ["record", "pulse", "pulse", "pulse", "tick 0"])
    }).pipe(Effect.provide(TestDomain.layer)))
})
