import { assert, describe, it } from "@effect/vitest"
import { EncodeRuntime, type EncodeRunState, type EncodeSubmission, JobId, TenantId } from "@lectern/domain"
import { Effect, type Layer, Schedule } from "effect"
import { randomUUID } from "node:crypto"

/** A job whose program ends with this exit code at once, or waits until it is terminated. */
export const jobThat = (does: "exits-0" | "exits-3" | "waits"): EncodeSubmission => ({
  tenantId: TenantId.make(7),
  jobId: JobId.make(`${does}-${randomUUID()}`),
  submission: 1
})

/** Asks for a run until it is in a state; real time bounds it by the test's own timeout. */
export const stateWhen = Effect.fnUntraced(function*(id: string, wanted: EncodeRunState["_tag"]) {
  const runtime = yield* EncodeRuntime
  return yield* Effect.map(runtime.describe([id]), (states) => states.get(id)).pipe(
    Effect.repeat({ until: (state) => state?._tag === wanted, schedule: Schedule.spaced("10 millis") })
  )
})

/** What every encode runtime promises (`EncodeRuntime` in the domain). */
export const encodeRuntimeSuite = <E>(name: string, layer: Layer.Layer<EncodeRuntime, E>): void => {
  describe(`${name} as an encode runtime`, () => {
    it.live("runs what is submitted and tells how it ended", () =>
      Effect.gen(function*() {
        const runtime = yield* EncodeRuntime
        const good = yield* runtime.submit(jobThat("exits-0"))
        const bad = yield* runtime.submit(jobThat("exits-3"))
        assert.notStrictEqual(good, bad)
        const goodEnd = yield* stateWhen(good, "Ended")
        const badEnd = yield* stateWhen(bad, "Ended")
        assert.strictEqual(goodEnd?._tag === "Ended" ? goodEnd.exitCode : undefined, 0)
        assert.strictEqual(badEnd?._tag === "Ended" ? badEnd.exitCode : undefined, 3)
      }).pipe(Effect.provide(layer)))

    it.live("concludes nothing about an id that it does not know", () =>
      Effect.gen(function*() {
        const runtime = yield* EncodeRuntime
        const known = yield* runtime.submit(jobThat("waits"))
        const states = yield* runtime.describe([known, "somebody-elses"])
        assert.strictEqual(states.size, 2)
        assert.notStrictEqual(states.get(known)?._tag, "Unknown")
        assert.deepStrictEqual(states.get("somebody-elses"), { _tag: "Unknown" })
        assert.strictEqual((yield* runtime.describe([])).size, 0)
      }).pipe(Effect.provide(layer)))

    it.live("finds the runs of exactly one submission, those that have not ended first", () =>
      Effect.gen(function*() {
        const runtime = yield* EncodeRuntime
        const submission = jobThat("waits")
        assert.deepStrictEqual(yield* runtime.find(submission), [])
        const first = yield* runtime.submit(submission)
        assert.deepStrictEqual(yield* runtime.find(submission), [first])
        // Asked for twice where an answer was lost for longer than anybody thought possible.
        const second = yield* runtime.submit(submission)
        yield* runtime.terminate(first, "Submitted a second time")
        yield* stateWhen(first, "Ended")
        assert.deepStrictEqual(yield* runtime.find(submission), [second, first])
        assert.deepStrictEqual(yield* runtime.find({ ...submission, submission: 2 }), [])
        assert.deepStrictEqual(yield* runtime.find({ ...submission, tenantId: TenantId.make(8) }), [])
        yield* runtime.terminate(second, "The test is over")
      }).pipe(Effect.provide(layer)))

    it.live("knows which runs are at work, and what each was submitted for", () =>
      Effect.gen(function*() {
        const runtime = yield* EncodeRuntime
        const submission = { ...jobThat("waits"), submission: 3 }
        const id = yield* runtime.submit(submission)
        yield* stateWhen(id, "Running")
        const isOurs = ({ runId }: { readonly runId: string }) => runId === id
        assert.deepStrictEqual((yield* runtime.atWork).filter(isOurs), [{ ...submission, runId: id }])
        yield* runtime.terminate(id, "The test is over")
        assert.deepStrictEqual((yield* runtime.atWork).filter(isOurs), [])
      }).pipe(Effect.provide(layer)))

    it.live("stops a run that is terminated, keeps the reason, and finds a second time harmless", () =>
      Effect.gen(function*() {
        const runtime = yield* EncodeRuntime
        const id = yield* runtime.submit(jobThat("waits"))
        yield* stateWhen(id, "Running")
        yield* runtime.terminate(id, "The video was deleted")
        const end = yield* stateWhen(id, "Ended")
        assert.strictEqual(end?._tag === "Ended" ? end.reason : undefined, "The video was deleted")
        yield* runtime.terminate(id, "again")
        assert.deepStrictEqual(yield* stateWhen(id, "Ended"), end)
      }).pipe(Effect.provide(layer)))
  })
}
