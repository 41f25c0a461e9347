/** One job has one live run, whatever is lost on the way to it. */
import { assert, describe, it } from "@effect/vitest"
import { JobDispatcher, type JobId, JobStore, JobRecorder, undispatched, VideoDeletion } from "@lectern/domain"
import { EncodeRuns, type Fault, Faults, TestDomain } from "@lectern/domain/testing"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { createEncode, school, worker } from "./lives.ts"

const jobOf = (jobId: JobId) =>
  Effect.gen(function*() {
    const store = yield* JobStore
    const faults = yield* Faults
    return (yield* faults.aside(store.getJob(school, jobId))).job
  })

/** One try to hand a job over: what becomes of its calls, or where its process is killed. */
type Round =
  | { readonly _tag: "Faults"; readonly store: ReadonlyArray<Fault>; readonly runtime: ReadonlyArray<Fault> }
  | { readonly _tag: "Killed"; readonly call: number; readonly moment: "before" | "after" }

const deaths = (calls: number): ReadonlyArray<Round> =>
  Array.from({ length: calls }, (_, call) =>
    (["before", "after"] as const).map((moment): Round => ({ _tag: "Killed", call: call + 1, moment }))).flat()

/**
 * Every placement of outcomes over a first try (begin, submit, record), and over a second one (find, submit, record),
 * whose begin leaves what the first one left, or what a death after it leaves.
 */
const firstRounds: ReadonlyArray<Round> = [
  ...(["ok", "refused", "lost"] as const).flatMap((begin) =>
    (["ok", "refused", "timeout", "lost"] as const).flatMap((submit) =>
      (["ok", "refused", "lost"] as const).map((record): Round =>
        ({ _tag: "Faults", store: [begin, record], runtime: [submit] })))),
  ...deaths(3)
]
const secondRounds: ReadonlyArray<Round> = [
  ...(["ok", "refused", "lost"] as const).flatMap((find) =>
    (["ok", "refused", "lost"] as const).flatMap((submit) =>
      (["ok", "lost"] as const).map((record): Round =>
        ({ _tag: "Faults", store: ["ok", record], runtime: [find, submit] })))),
  ...deaths(4)
]

/** The try as a round has it, with what is known of the job when it begins. */
const dispatch = Effect.fnUntraced(function*(jobId: JobId, round: Round) {
  const dispatcher = yield* JobDispatcher
  const faults = yield* Faults
  const seen = undispatched(yield* jobOf(jobId))
  yield* faults.forget
  const once = Effect.exit(dispatcher.dispatch(seen))
  if (round._tag === "Killed") {
    yield* faults.killedAt(round.call, round.moment, once)
  } else {
    yield* faults.store(round.store)
    yield* faults.script("runtime", round.runtime)
    yield* Effect.all([once, TestClock.adjust("1 second")], { concurrency: "unbounded" })
  }
  yield* faults.forget
})

const live = Effect.flatMap(EncodeRuns, (runs) =>
  Effect.map(runs.all, (all) => all.filter(({ state }) => state._tag !== "Ended").map(({ externalId }) => externalId)))

const clean: Round = { _tag: "Faults", store: [], runtime: [] }

describe("a submission", () => {
  it.effect("leads to exactly one live run, which the row names, after any two tries that went wrong", () =>
    Effect.gen(function*() {
      let lives = 0
      let found = 0
      for (const first of firstRounds) {
        for (const second of secondRounds) {
          yield* Effect.gen(function*() {
            const { jobId } = yield* createEncode("1강")
            for (const round of [first, second, clean]) {
              yield* dispatch(jobId, round)
              assert.isAtMost((yield* live).length, 1)
              yield* TestClock.adjust("1 minute")
            }
            const { externalId, submittingSince } = yield* jobOf(jobId)
            assert.deepStrictEqual([yield* live, submittingSince], [[externalId], null], JSON.stringify([first, second]))
            lives += 1
            const runs = yield* EncodeRuns
            if ((yield* runs.all).length === 1) found += 1
          }).pipe(Effect.provide(TestDomain.layer))
        }
      }
      assert.strictEqual(lives, firstRounds.length * secondRounds.length)
      // No run was ever submitted and thrown away: the second is not begun before the first has been looked for.
      assert.strictEqual(found, lives)
    }), 60_000)

  it.effect("is not made again inside the window in which the runtime may not know it yet", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const { jobId } = yield* createEncode("1강")
      yield* dispatch(jobId, { _tag: "Killed", call: 2, moment: "before" })
      yield* TestClock.adjust("58 seconds")
      yield* dispatch(jobId, clean)
      assert.deepStrictEqual([yield* live, (yield* jobOf(jobId)).submittingSince === null], [[], false])
      yield* TestClock.adjust("1 second")
      yield* dispatch(jobId, clean)
      assert.lengthOf(yield* live, 1)
      assert.lengthOf(yield* faults.calls, 0)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("by a process that was frozen until another had made it is taken back", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const runs = yield* EncodeRuns
      const faults = yield* Faults
      const dispatcher = yield* JobDispatcher
      const { jobId } = yield* createEncode("1강")
      const seen = undispatched(yield* jobOf(jobId))
      // Frozen just before it submits; the other finds nothing, and submits.
      yield* faults.killedAt(2, "before", dispatcher.dispatch(seen))
      yield* TestClock.adjust("1 minute")
      yield* dispatch(jobId, clean)
      // It wakes: its own run comes second, as that of a submission that is closed.
      assert.strictEqual(yield* store.recordSubmission(seen, 1, "run-of-the-frozen-one"), "Superseded")
      assert.deepStrictEqual([yield* live, (yield* runs.all).length], [["run-1"], 1])
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("whose answer was lost is known by the claim of its run, before anybody looks for it", () =>
    Effect.gen(function*() {
      const recorder = yield* JobRecorder
      const { jobId } = yield* createEncode("1강")
      yield* dispatch(jobId, { _tag: "Faults", store: [], runtime: ["lost"] })
      yield* recorder.claim(school, jobId, { ...worker, owner: "run-1" })
      const job = yield* jobOf(jobId)
      assert.deepStrictEqual([job.externalId, job.submittingSince], ["run-1", null])
      yield* TestClock.adjust("1 hour")
      yield* dispatch(jobId, clean)
      assert.deepStrictEqual(yield* live, ["run-1"])
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("whose answer was lost is ended with the video that it was for", () =>
    Effect.gen(function*() {
      const deletion = yield* VideoDeletion
      const { jobId, videoId } = yield* createEncode("1강")
      yield* dispatch(jobId, { _tag: "Faults", store: [], runtime: ["lost"] })
      assert.lengthOf(yield* live, 1)
      yield* deletion.remove(school, videoId)
      assert.deepStrictEqual(yield* live, [])
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("that comes to be recorded after its video was deleted is ended too", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const recorder = yield* JobRecorder
      const dispatcher = yield* JobDispatcher
      const faults = yield* Faults
      const { jobId, videoId } = yield* createEncode("1강")
      const seen = undispatched(yield* jobOf(jobId))
      yield* faults.store(["ok", "slow"])
      const [outcome] = yield* Effect.all([
        dispatcher.dispatch(seen),
        Effect.andThen(faults.aside(recorder.commit(store.beginDelete(school, videoId))), TestClock.adjust("1 second"))
      ], { concurrency: "unbounded" })
      assert.deepStrictEqual([outcome, yield* live], ["Left", []])
    }).pipe(Effect.provide(TestDomain.layer)))
})
