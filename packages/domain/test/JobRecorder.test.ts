import { assert, describe, it } from "@effect/vitest"
import {
  jobSubject,
  JobRecorder,
  JobStore,
  MirrorUnavailable,
  ProgressMirror,
  ProgressReader,
  Sweeper,
  videoSubject
} from "@lectern/domain"
import { JobStoreMemory, MirrorMemory } from "@lectern/domain/memory"
import { Faults, TestDomain } from "@lectern/domain/testing"
import { Cause, Clock, Effect, Exit, Fiber, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { claimRun, createEncode, createImport, school, worker } from "./lives.ts"

const Shown = Schema.fromJsonString(Schema.Struct({
  step: Schema.String,
  step_percent: Schema.Int,
  tick: Schema.Int,
  revision: Schema.Int,
  attempt: Schema.Int
}))

const shownOf = (jobId: Parameters<typeof jobSubject>[0]) =>
  Effect.gen(function*() {
    const reader = yield* ProgressReader
    const [stored] = yield* reader.read(school, [jobSubject(jobId)])
    return stored?.progress == null ? null : yield* Schema.decodeUnknownEffect(Shown)(stored.progress)
  })

const half = { fraction: 0.5, remainingSeconds: null }

const methods = Effect.gen(function*() {
  const faults = yield* Faults
  return (yield* faults.calls).map(({ method }) => method)
})

const running = Effect.gen(function*() {
  const faults = yield* Faults
  const { jobId, videoId } = yield* createEncode("1강")
  const run = yield* claimRun(jobId)
  yield* run.record({ _tag: "Advance", step: "transcoding" })
  yield* TestClock.adjust("5 seconds")
  yield* faults.forget
  return { run, faults, jobId, videoId }
})

describe("a tick", () => {
  it.effect("reaches the mirror alone: the database is not asked", () =>
    Effect.gen(function*() {
      const { run, jobId } = yield* running
      assert.strictEqual(yield* run.tick(half), "Sent")
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(yield* methods, ["ProgressMirror.tick"])
      assert.deepInclude(yield* shownOf(jobId), { step_percent: 50, tick: 1 })
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("is sent once a second at most", () =>
    Effect.gen(function*() {
      const { run } = yield* running
      const outcomes = []
      for (let tenths = 0; tenths < 30; tenths += 1) {
        outcomes.push(yield* run.tick(half))
        yield* TestClock.adjust("100 millis")
      }
      assert.deepStrictEqual(
        outcomes.flatMap((outcome, tenths) => outcome === "Sent" ? [tenths] : []),
        [0, 10, 20]
      )
      assert.strictEqual(outcomes.filter((outcome) => outcome === "Throttled").length, 27)
      assert.strictEqual((yield* methods).length, 3)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("is dropped while the last one is on its way, and does not wait for it", () =>
    Effect.gen(function*() {
      const { run, faults } = yield* running
      yield* faults.mirror(["hang"])
      const before = yield* Clock.currentTimeMillis
      assert.strictEqual(yield* run.tick(half), "Sent")
      assert.strictEqual(yield* Clock.currentTimeMillis, before)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* run.tick(half), "Dropped")
      yield* TestClock.adjust("1 second")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* run.tick(half), "Sent")
    }).pipe(Effect.provide(TestDomain.layerWith({ recorder: { mirrorBudget: "2 seconds", mirrorRest: 0 } }))))

  it.effect("is dropped while the mirror is left alone after a hang, and sent again after that", () =>
    Effect.gen(function*() {
      const { run, faults } = yield* running
      yield* faults.mirror(["hang"])
      assert.strictEqual(yield* run.tick(half), "Sent")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* run.tick(half), "Dropped")
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual(yield* run.tick(half), "Dropped")
      yield* TestClock.adjust("250 millis")
      assert.strictEqual(yield* run.tick(half), "Sent")
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(yield* faults.calls, [
        { method: "ProgressMirror.tick", outcome: "hang" },
        { method: "ProgressMirror.tick", outcome: "ok" }
      ])
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("counts from one again in each step", () =>
    Effect.gen(function*() {
      const { run, jobId } = yield* running
      for (const tick of [1, 2]) {
        yield* run.tick(half)
        yield* TestClock.adjust("1 second")
        assert.deepInclude(yield* shownOf(jobId), { step: "transcoding", tick })
      }
      yield* run.record({ _tag: "Advance", step: "uploading" })
      assert.deepInclude(yield* shownOf(jobId), { step: "uploading", tick: 0, step_percent: 0 })
      yield* run.tick(half)
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* shownOf(jobId), { step: "uploading", tick: 1 })
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("after the end of the job changes nothing", () =>
    Effect.gen(function*() {
      const { run, jobId, videoId } = yield* running
      const reader = yield* ProgressReader
      yield* run.record({ _tag: "Reject", code: "bad", message: "no video in it" })
      const subjects = [jobSubject(jobId), videoSubject(videoId)]
      const ended = yield* reader.read(school, subjects)
      yield* run.tick(half)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* reader.read(school, subjects), ended)
      assert.isTrue(ended.every(({ progress, status }) => progress === null && status !== null))
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("restores what a flush has taken, the status included", () =>
    Effect.gen(function*() {
      const { run, jobId, videoId } = yield* running
      const reader = yield* ProgressReader
      const memory = yield* MirrorMemory
      const subjects = [jobSubject(jobId), videoSubject(videoId)]
      yield* run.tick(half)
      yield* TestClock.adjust("1 second")
      const before = yield* reader.read(school, subjects)
      yield* memory.flush
      assert.isTrue((yield* reader.read(school, subjects)).every(({ status }) => status === null))
      yield* run.tick(half)
      yield* TestClock.adjust("1 second")
      const after = yield* reader.read(school, subjects)
      assert.deepStrictEqual(after.map(({ status }) => status), before.map(({ status }) => status))
      assert.isTrue(after.every(({ progress }) => progress !== null))
    }).pipe(Effect.provide(TestDomain.layer)))
})

describe("a mirror that was found hanging", () => {
  it.effect("is left alone by the writes of the next ten seconds, and tried by the last one of a job", () =>
    Effect.gen(function*() {
      const { run, faults } = yield* running
      yield* faults.mirror(["hang", "hang"])
      const timed = <A, E>(write: Effect.Effect<A, E>) =>
        Effect.gen(function*() {
          const startedAt = yield* Clock.currentTimeMillis
          const fiber = yield* Effect.forkChild(
            Effect.flatMap(write, (outcome) => Effect.map(Clock.currentTimeMillis, (now) => [outcome, now - startedAt]))
          )
          yield* TestClock.adjust("1 second")
          return yield* Fiber.join(fiber)
        })
      assert.deepStrictEqual(yield* timed(run.record({ _tag: "Advance", step: "validating" })), ["Skipped", 250])
      assert.deepStrictEqual(yield* timed(run.record({ _tag: "Advance", step: "thumbnail" })), ["Skipped", 0])
      assert.deepStrictEqual(yield* timed(run.record({ _tag: "Advance", step: "uploading" })), ["Skipped", 0])
      assert.deepStrictEqual(yield* timed(run.record({ _tag: "Succeed", result: {} })), ["Skipped", 250])
      const outcomes = (yield* faults.calls).filter(({ method }) => method === "ProgressMirror.publish")
      assert.deepStrictEqual(outcomes.map(({ outcome }) => outcome), ["hang", "hang"])
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("is not left alone when it only refused: a refusal costs nothing", () =>
    Effect.gen(function*() {
      const { run, faults } = yield* running
      yield* faults.mirror(["refused", "ok"])
      assert.strictEqual(yield* run.record({ _tag: "Advance", step: "validating" }), "Skipped")
      assert.strictEqual(yield* run.record({ _tag: "Advance", step: "thumbnail" }), "Published")
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("does not hold up its own repair: that leaves it alone, ended jobs included", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const sweeper = yield* Sweeper
      for (let index = 0; index < 20; index += 1) {
        const run = yield* claimRun(yield* createImport(`import-${index}`))
        yield* run.record({ _tag: "Succeed", result: {} })
      }
      yield* faults.mirror(Array(20).fill("hang"))
      const fiber = yield* Effect.forkChild(sweeper.repairMirror)
      yield* TestClock.adjust("250 millis")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { looked: 20, published: 0 })
    }).pipe(Effect.provide(TestDomain.layer)))
})

describe("a mirror that breaks before it has made an effect", () => {
  const throwing = Layer.succeed(ProgressMirror, {
    publish: () => {
      throw new Error("broken")
    },
    tick: () => {
      throw new Error("broken")
    },
    ping: Effect.void
  })

  it.effect("ends no write and no tick", () =>
    Effect.gen(function*() {
      const { jobId } = yield* createEncode("1강")
      const run = yield* claimRun(jobId)
      assert.strictEqual(yield* run.record({ _tag: "Advance", step: "transcoding" }), "Skipped")
      assert.strictEqual(yield* run.tick(half), "Sent")
      assert.strictEqual(yield* run.record({ _tag: "Reject", code: "bad", message: "no" }), "Skipped")
    }).pipe(Effect.provide(JobRecorder.layer.pipe(Layer.provide(throwing), Layer.provideMerge(JobStoreMemory.layer)))))
})

describe("a database that is away", () => {
  it.effect("is asked again until it answers, and what was said is done once", () =>
    Effect.gen(function*() {
      const { run, faults } = yield* running
      yield* faults.store(["refused", "lost", "lost"])
      const fiber = yield* Effect.forkChild(run.record({ _tag: "Fail", code: "io", message: "lost", retryable: true }))
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "Published")
      const { job } = yield* run.current
      assert.deepInclude(job, { status: "RETRYING", failures: 1, revision: 4 })
      assert.deepStrictEqual((yield* faults.calls).map(({ outcome }) => outcome), ["refused", "lost", "lost", "ok", "ok"])
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("is asked until the patience of a worker ends, and its failure is the answer", () =>
    Effect.gen(function*() {
      const { run, faults } = yield* running
      yield* faults.store(Array(1_000).fill("refused"))
      const startedAt = yield* Clock.currentTimeMillis
      const fiber = yield* Effect.forkChild(
        Effect.flatMap(Effect.exit(run.record({ _tag: "Advance", step: "validating" })), (exit) =>
          Effect.map(Clock.currentTimeMillis, (now) => ({ exit, millis: now - startedAt })))
      )
      yield* TestClock.adjust("55 seconds")
      assert.strictEqual(fiber.pollUnsafe(), undefined)
      yield* TestClock.adjust("20 seconds")
      const { exit, millis } = yield* Fiber.join(fiber)
      assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof Error)
      assert.include(Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "", "JobStoreUnavailable")
      assert.isAbove(millis, 55_000)
      assert.isBelow(millis, 70_000)
      const asked = (yield* faults.calls).length
      assert.isTrue(asked > 10 && asked < 40, `asked ${asked} times`)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("is not asked again when that cannot help", () =>
    Effect.gen(function*() {
      const { run, faults } = yield* running
      yield* faults.store(["broken"])
      const exit = yield* Effect.exit(run.record({ _tag: "Advance", step: "validating" }))
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(yield* methods, ["JobStore.transition"])
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("is asked again for a claim too", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const recorder = yield* JobRecorder
      const jobId = yield* createImport("import-1")
      yield* faults.store(["refused", "timeout"])
      const fiber = yield* Effect.forkChild(recorder.claim(school, jobId, worker))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Claimed")
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("is not published: what was not committed does not reach the mirror", () =>
    Effect.gen(function*() {
      const { run, faults } = yield* running
      const recorder = yield* JobRecorder
      const store = yield* JobStore
      yield* faults.store(["broken", "broken"])
      yield* Effect.exit(run.record({ _tag: "Succeed", result: {} }))
      yield* Effect.exit(recorder.commit(store.createVideo(school, {
        title: "2강",
        filename: "2.mp4",
        contentType: "video/mp4",
        session: null,
        fileKey: "k"
      })))
      assert.deepStrictEqual(yield* methods, ["JobStore.transition", "JobStore.createVideo"])
    }).pipe(Effect.provide(TestDomain.layer)))
})

describe("a claim", () => {
  it.effect("of a job whose last holder vanished is published as what it found", () =>
    Effect.gen(function*() {
      const recorder = yield* JobRecorder
      const reader = yield* ProgressReader
      const jobId = yield* createImport("import-1")
      const statuses = []
      const claims = []
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        claims.push((yield* recorder.claim(school, jobId, worker))._tag)
        yield* TestClock.adjust("61 minutes")
        claims.push((yield* recorder.claim(school, jobId, worker))._tag)
        const [stored] = yield* reader.read(school, [jobSubject(jobId)])
        statuses.push(JSON.parse(stored?.status ?? "{}").status)
        yield* TestClock.adjust("5 minutes")
      }
      claims.push((yield* recorder.claim(school, jobId, worker))._tag)
      assert.deepStrictEqual(claims, ["Claimed", "Expired", "Claimed", "Expired", "Claimed", "GaveUp", "Finished"])
      assert.deepStrictEqual(statuses, ["RETRYING", "RETRYING", "FAILED"])
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("is told how long somebody else holds the job, or how long the job has to wait", () =>
    Effect.gen(function*() {
      const recorder = yield* JobRecorder
      const jobId = yield* createImport("import-1")
      const run = yield* claimRun(jobId)
      assert.deepStrictEqual(yield* recorder.claim(school, jobId, worker), { _tag: "Busy", until: 3_600_000 })
      yield* TestClock.adjust("1 minute")
      yield* run.heartbeat
      assert.deepStrictEqual(yield* recorder.claim(school, jobId, worker), { _tag: "Busy", until: 3_660_000 })
      yield* run.record({ _tag: "Fail", code: "io", message: "lost", retryable: true })
      assert.deepStrictEqual(yield* recorder.claim(school, jobId, worker), { _tag: "NotDue", until: 65_000 })
    }).pipe(Effect.provide(TestDomain.layer)))
})

describe("the mirror's own failure", () => {
  it("says what could not be done", () => {
    assert.strictEqual(
      new MirrorUnavailable({ operation: "publish", cause: null }).message,
      "Cannot publish: the progress mirror is unavailable"
    )
  })
})
