import { assert, describe, it } from "@effect/vitest"
import {
  defaultJobPolicy,
  EncodeRuntime,
  jobSubject,
  JobDispatcher,
  type JobId,
  JobQueue,
  JobRecorder,
  JobStore,
  ObjectStore,
  ProgressReader,
  Sweeper,
  undispatched,
  VideoDeletion,
  videoSubject
} from "@lectern/domain"
import { MirrorMemory } from "@lectern/domain/memory"
import { EncodeRuns, Faults, QueueContents, TestDomain } from "@lectern/domain/testing"
import { Context, Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { claimRun, createEncode, createImport, school, worker } from "./lives.ts"

const nothing = { expired: 0, reaped: 0, dispatched: 0, deleted: 0, failures: [] }

const jobOf = (jobId: JobId) =>
  Effect.gen(function*() {
    const store = yield* JobStore
    const faults = yield* Faults
    return (yield* faults.aside(store.getJob(school, jobId))).job
  })

const sweep = Effect.flatMap(Sweeper, (sweeper) => sweeper.sweep)

/** An encode that the sweep handed over, and its run. */
const handedOver = Effect.gen(function*() {
  const { jobId, videoId } = yield* createEncode("1강")
  yield* sweep
  const runs = yield* EncodeRuns
  const [first] = yield* runs.all
  if (first === undefined) return assert.fail("The encode was not handed over")
  return { jobId, videoId, runs, externalId: first.externalId }
})

const ended = { _tag: "Ended", exitCode: 137, reason: "Host EC2 terminated" } as const

describe("the sweep", () => {
  it.effect("finds nothing to do where nothing stopped", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* sweep, nothing)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("takes a job from an owner that has gone silent, and tells the mirror", () =>
    Effect.gen(function*() {
      const reader = yield* ProgressReader
      const jobId = yield* createImport("import-1")
      yield* sweep
      yield* claimRun(jobId)
      yield* TestClock.adjust("59 minutes")
      assert.deepStrictEqual(yield* sweep, nothing)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* sweep, { ...nothing, expired: 1 })
      assert.deepInclude(yield* jobOf(jobId), { status: "RETRYING", failures: 1, errorCode: "lease_expired" })
      const [stored] = yield* reader.read(school, [jobSubject(jobId)])
      assert.include(stored?.status ?? "", "\"RETRYING\"")
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("takes an encode from a run that has ended, without waiting for its lease", () =>
    Effect.gen(function*() {
      const recorder = yield* JobRecorder
      const { jobId, runs, externalId } = yield* handedOver
      yield* recorder.claim(school, jobId, { ...worker, owner: externalId })
      yield* runs.become(externalId, { _tag: "Running" })
      assert.deepStrictEqual(yield* sweep, nothing)
      yield* runs.become(externalId, ended)
      assert.deepStrictEqual(yield* sweep, { ...nothing, reaped: 1 })
      const job = yield* jobOf(jobId)
      assert.deepInclude(job, { status: "RETRYING", failures: 1 })
      assert.include(job.errorMessage ?? "", ended.reason)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("leaves an encode to the run that holds it when another run of the same job has ended", () =>
    Effect.gen(function*() {
      const recorder = yield* JobRecorder
      const { jobId, runs, externalId } = yield* handedOver
      // The note of an earlier hand-over was lost: that run works, and the one that is noted found the job taken.
      yield* recorder.claim(school, jobId, { ...worker, owner: "run-of-the-lost-note" })
      yield* runs.become(externalId, ended)
      assert.deepStrictEqual(yield* sweep, nothing)
      assert.deepInclude(yield* jobOf(jobId), { status: "RUNNING", attempt: 1, failures: 0 })
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("hands over what was never handed over, once it is due", () =>
    Effect.gen(function*() {
      const queue = yield* QueueContents
      const jobId = yield* createImport("import-1")
      assert.deepStrictEqual(yield* sweep, { ...nothing, dispatched: 1 })
      assert.deepStrictEqual(yield* sweep, nothing)
      const [text] = yield* queue.waiting
      assert.deepStrictEqual(JSON.parse(text ?? ""), {
        job_id: jobId,
        job_type: "student_import",
        tier: "basic",
        tenant_id: school,
        payload: {},
        created_at: "1970-01-01T00:00:00.000Z",
        attempt: 1
      })
      const run = yield* claimRun(jobId)
      yield* run.record({ _tag: "Fail", code: "io", message: "lost", retryable: true })
      assert.deepStrictEqual(yield* sweep, nothing)
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* sweep, { ...nothing, dispatched: 1 })
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("hands a message over again when nobody claimed its job for long", () =>
    Effect.gen(function*() {
      const queue = yield* QueueContents
      yield* createImport("import-1")
      yield* sweep
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(yield* sweep, nothing)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* sweep, { ...nothing, dispatched: 1 })
      assert.lengthOf(yield* queue.waiting, 2)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("does not submit an encode again while its run waits for a machine, however long that takes", () =>
    Effect.gen(function*() {
      const { runs, externalId } = yield* handedOver
      for (const state of [{ _tag: "Waiting" }, { _tag: "Running" }] as const) {
        yield* runs.become(externalId, state)
        yield* TestClock.adjust("6 hours")
        assert.deepStrictEqual(yield* sweep, nothing)
      }
      yield* runs.become(externalId, ended)
      assert.deepStrictEqual(yield* sweep, { ...nothing, reaped: 1 })
      assert.deepStrictEqual(yield* sweep, nothing)
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* sweep, { ...nothing, dispatched: 1 })
      assert.lengthOf(yield* runs.all, 2)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("gives an encode up whose container never comes up, and tells the teacher why", () =>
    Effect.gen(function*() {
      const reader = yield* ProgressReader
      const runs = yield* EncodeRuns
      const { jobId, videoId } = yield* createEncode("1강")
      const reason = "Task failed to start: CannotPullContainerError: manifest unknown"
      for (let run = 1; run <= defaultJobPolicy.maxUnclaimedRuns; run++) {
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(yield* sweep, { ...nothing, dispatched: 1 })
        yield* runs.become(`run-${run}`, { _tag: "Ended", exitCode: null, reason })
        assert.deepStrictEqual(yield* sweep, { ...nothing, reaped: 1 })
      }
      assert.deepStrictEqual(yield* sweep, nothing)
      assert.deepInclude(yield* jobOf(jobId), { status: "FAILED", errorCode: "never_started", failures: 0, attempt: 0 })
      const [stored] = yield* reader.read(school, [videoSubject(videoId)])
      assert.include(stored?.status ?? "", `작업 서버가 5회 모두 시작되지 못했습니다. 관리자에게 알려 주세요 (${reason})`)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("submits an encode again at once whose run went with its machine, and counts nothing", () =>
    Effect.gen(function*() {
      const { jobId, runs, externalId } = yield* handedOver
      yield* runs.become(externalId, { _tag: "Vanished", reason: "the machine was restarted" })
      assert.deepStrictEqual(yield* sweep, { ...nothing, reaped: 1, dispatched: 1 })
      assert.deepInclude(yield* jobOf(jobId), { unclaimedRuns: 0, submissions: 2 })
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("concludes nothing from a run that the runtime does not know, however often it is asked", () =>
    Effect.gen(function*() {
      const { runs, externalId } = yield* handedOver
      yield* runs.become(externalId, { _tag: "Unknown" })
      yield* TestClock.adjust("6 hours")
      for (const _ of [1, 2, 3, 4]) assert.deepStrictEqual(yield* sweep, nothing)
      assert.lengthOf(yield* runs.all, 1)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("concludes nothing about any run from a runtime that cannot be asked", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const recorder = yield* JobRecorder
      const { jobId, runs, externalId } = yield* handedOver
      const waiting = yield* createEncode("2강")
      yield* sweep
      yield* recorder.claim(school, jobId, { ...worker, owner: externalId })
      yield* runs.become(externalId, ended)
      yield* TestClock.adjust("10 minutes")
      const before = [yield* jobOf(jobId), yield* jobOf(waiting.jobId)]
      for (const fault of ["refused", "broken", "timeout"] as const) {
        yield* faults.script("runtime", [fault])
        const fiber = yield* Effect.forkChild(sweep)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(fiber), {
          ...nothing,
          failures: ["Cannot describe: the encode runtime is unavailable"]
        })
      }
      assert.deepStrictEqual([yield* jobOf(jobId), yield* jobOf(waiting.jobId)], before)
      assert.lengthOf(yield* runs.all, 2)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("goes on with a deletion that was interrupted", () =>
    Effect.gen(function*() {
      const recorder = yield* JobRecorder
      const store = yield* JobStore
      const { jobId, videoId, runs } = yield* handedOver
      yield* recorder.commit(store.beginDelete(school, videoId))
      assert.deepStrictEqual(yield* sweep, { ...nothing, deleted: 1 })
      assert.deepStrictEqual(yield* sweep, nothing)
      assert.strictEqual((yield* Effect.flip(store.getJob(school, jobId)))._tag, "JobNotFound")
      assert.deepStrictEqual((yield* runs.all).map(({ state }) => state._tag), ["Ended"])
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("looks at all rows, whatever is wrong with one of them", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      for (const fault of ["refused", "broken", "defect"] as const) {
        for (const name of ["a", "b", "c"]) yield* createImport(`${fault}-${name}`)
        yield* faults.script("queue", ["ok", fault, "ok"])
        const { dispatched, failures } = yield* sweep
        assert.strictEqual(dispatched, 2, fault)
        assert.lengthOf(failures, 1, fault)
        yield* sweep
      }
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("is not stopped by a row in any of its duties", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const recorder = yield* JobRecorder
      const store = yield* JobStore
      const first = yield* createEncode("1강")
      const second = yield* createEncode("2강")
      const imports = [yield* createImport("import-1"), yield* createImport("import-2")]
      yield* sweep
      for (const jobId of imports) yield* claimRun(jobId)
      yield* TestClock.adjust("61 minutes")
      for (const { videoId } of [first, second]) yield* recorder.commit(store.beginDelete(school, videoId))
      yield* faults.forget
      yield* faults.store(["ok", "refused"])
      yield* faults.script("objects", ["refused"])
      const { expired, deleted, failures } = yield* sweep
      assert.deepStrictEqual([expired, deleted], [1, 1])
      assert.deepStrictEqual(failures, [
        "Cannot intervene: the database is unavailable",
        "Cannot remove object \"tenants/3/video/raw/1.mp4\""
      ])
      assert.deepInclude(yield* sweep, { expired: 1, deleted: 1, failures: [] })
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("fails as a whole only when the database cannot say what there is to do", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      yield* faults.store(["refused"])
      assert.strictEqual((yield* Effect.flip(sweep))._tag, "JobStoreUnavailable")
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("does nothing twice when it overlaps itself", () =>
    Effect.gen(function*() {
      const runs = yield* EncodeRuns
      const queue = yield* QueueContents
      const expired = yield* createImport("expired")
      yield* sweep
      yield* claimRun(expired)
      yield* TestClock.adjust("61 minutes")
      yield* createImport("waiting")
      yield* createEncode("1강")
      const faults = yield* Faults
      yield* faults.script("queue", ["slow", "slow", "slow"])
      const sweeps = yield* Effect.forkChild(Effect.all([sweep, sweep, sweep], { concurrency: "unbounded" }))
      yield* TestClock.adjust("1 minute")
      const reports = yield* Fiber.join(sweeps)
      assert.deepStrictEqual(reports, [{ ...nothing, expired: 1, dispatched: 2 }, nothing, nothing])
      assert.deepInclude(yield* jobOf(expired), { failures: 1, revision: 3 })
      assert.lengthOf(yield* runs.all, 1)
      assert.lengthOf(yield* queue.waiting, 2)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("of two processes at once counts one failure, and hands over once", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const other = Context.get(yield* Layer.build(Sweeper.layer({ redispatchAfterMillis: 60_000, limit: 100 })), Sweeper)
      const expired = yield* createImport("expired")
      yield* sweep
      yield* claimRun(expired)
      yield* TestClock.adjust("61 minutes")
      const { jobId } = yield* createEncode("1강")
      const runs = yield* EncodeRuns
      // Each finds the rows before the other has changed them.
      yield* faults.store(Array(6).fill("slow"))
      yield* faults.script("runtime", ["slow", "slow"])
      const fibers = yield* Effect.all([Effect.forkChild(sweep), Effect.forkChild(other.sweep)])
      yield* TestClock.adjust("1 minute")
      const reports = yield* Effect.forEach(fibers, Fiber.join)
      assert.strictEqual(reports.reduce((sum, report) => sum + report.expired, 0), 1)
      assert.deepInclude(yield* jobOf(expired), { failures: 1 })
      assert.strictEqual(reports.reduce((sum, report) => sum + report.dispatched, 0), 1)
      assert.lengthOf(yield* runs.all, 1)
      assert.deepInclude(yield* jobOf(jobId), { externalId: "run-1", submissions: 1 })
    }).pipe(Effect.provide(TestDomain.layer), Effect.scoped))
})

describe("the repair of the mirror", () => {
  it.effect("brings back after a flush what a poller may be watching", () =>
    Effect.gen(function*() {
      const sweeper = yield* Sweeper
      const reader = yield* ProgressReader
      const memory = yield* MirrorMemory
      const store = yield* JobStore
      const recorder = yield* JobRecorder
      const running = yield* createEncode("1강")
      const run = yield* claimRun(running.jobId)
      yield* run.record({ _tag: "Advance", step: "probing" })
      const done = yield* createImport("done")
      yield* (yield* claimRun(done)).record({ _tag: "Succeed", result: { created: 1 } })
      const deleted = yield* createEncode("2강")
      yield* recorder.commit(store.beginDelete(school, deleted.videoId))
      const subjects = [
        ...[running, deleted].flatMap(({ jobId, videoId }) => [jobSubject(jobId), videoSubject(videoId)]),
        jobSubject(done)
      ]
      const before = yield* reader.read(school, subjects)
      assert.isTrue(before.every(({ status }) => status !== null))
      yield* memory.flush
      assert.deepStrictEqual(yield* sweeper.repairMirror, { looked: 3, published: 3 })
      assert.deepStrictEqual(yield* reader.read(school, subjects), before)
      // What is there already is newer than, or the same as, what the repair brings.
      assert.deepStrictEqual(yield* sweeper.repairMirror, { looked: 3, published: 0 })
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("brings a last write that was skipped, and takes back no tick", () =>
    Effect.gen(function*() {
      const sweeper = yield* Sweeper
      const reader = yield* ProgressReader
      const faults = yield* Faults
      const run = yield* claimRun((yield* createEncode("1강")).jobId)
      yield* run.record({ _tag: "Advance", step: "transcoding" })
      yield* run.tick({ fraction: 0.5, remainingSeconds: 3 })
      yield* TestClock.adjust("1 second")
      const subjects = [jobSubject(run.lease.jobId)]
      const before = yield* reader.read(school, subjects)
      yield* sweeper.repairMirror
      assert.deepStrictEqual(yield* reader.read(school, subjects), before)
      yield* faults.mirror(["refused"])
      yield* run.record({ _tag: "Reject", code: "bad", message: "no video in it" })
      assert.include((yield* reader.read(school, subjects))[0]?.status ?? "", "RUNNING")
      yield* sweeper.repairMirror
      assert.include((yield* reader.read(school, subjects))[0]?.status ?? "", "REJECTED_BAD_INPUT")
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("leaves alone what ended longer ago than a copy of it lives", () =>
    Effect.gen(function*() {
      const sweeper = yield* Sweeper
      const run = yield* claimRun(yield* createImport("old"))
      yield* run.record({ _tag: "Succeed", result: {} })
      yield* TestClock.adjust("61 minutes")
      assert.deepStrictEqual(yield* sweeper.repairMirror, { looked: 0, published: 0 })
    }).pipe(Effect.provide(TestDomain.layer)))
})

describe("the order of calls", () => {
  const methods = Effect.gen(function*() {
    const faults = yield* Faults
    return (yield* faults.calls).map(({ method }) => method)
  })

  it.effect("of an accepted upload: the commit, the mirror, the hand-over, the note of it", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const dispatcher = yield* JobDispatcher
      const { jobId } = yield* createEncode("1강")
      const { job } = yield* store.getJob(school, jobId)
      yield* dispatcher.dispatch(undispatched(job))
      assert.deepStrictEqual(yield* methods, [
        "JobStore.createVideo",
        "ProgressMirror.publish",
        "JobStore.completeUpload",
        "ProgressMirror.publish",
        "JobStore.getJob",
        "JobStore.beginSubmission",
        "EncodeRuntime.submit",
        "JobStore.recordSubmission"
      ])
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("of a deletion: the mark, the mirror, the run, the objects, the row", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const deletion = yield* VideoDeletion
      const { videoId } = yield* handedOver
      yield* faults.forget
      yield* deletion.remove(school, videoId)
      assert.deepStrictEqual(yield* methods, [
        "JobStore.beginDelete",
        "ProgressMirror.publish",
        "EncodeRuntime.terminate",
        "ObjectStore.remove",
        "ObjectStore.removePrefix",
        "JobStore.finishDelete"
      ])
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("lets a request end when the hand-over fails, and leaves that to the sweep", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const store = yield* JobStore
      const dispatcher = yield* JobDispatcher
      const { jobId } = yield* createEncode("1강")
      const { job } = yield* store.getJob(school, jobId)
      yield* faults.script("runtime", ["refused"])
      assert.strictEqual(yield* dispatcher.dispatchSoon(undispatched(job)), "LeftToSweep")
      assert.deepStrictEqual(yield* sweep, { ...nothing, dispatched: 1 })
      // What it knows of the job is older than what the sweep has done.
      assert.strictEqual(yield* dispatcher.dispatchSoon(undispatched(job)), "LeftToSweep")
    }).pipe(Effect.provide(TestDomain.layer)))
})

describe("a process that is killed", () => {
  const upload = Effect.gen(function*() {
    const store = yield* JobStore
    const dispatcher = yield* JobDispatcher
    const { jobId } = yield* createEncode("1강")
    const { job } = yield* store.getJob(school, jobId)
    return yield* dispatcher.dispatchSoon(undispatched(job))
  })
  const moments = ["before", "after"] as const

  it.effect.each(
    [1, 2, 3, 4, 5, 6, 7, 8].flatMap((call) => moments.map((moment) => ({ call, moment })))
  )("$moment call $call of an accepted upload leaves nothing behind that the sweep does not move on", ({ call, moment }) =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const store = yield* JobStore
      const runs = yield* EncodeRuns
      assert.strictEqual((yield* faults.killedAt(call, moment, upload))._tag, "None")
      assert.strictEqual((yield* faults.calls).at(-1)?.outcome, "died")
      yield* TestClock.adjust("2 minutes")
      yield* sweep
      const { videos } = yield* store.listVideos(school, { search: null, limit: 10, offset: 0 })
      const video = videos[0]
      const accepted = call > 3 || (call === 3 && moment === "after")
      assert.strictEqual(video?.status, call === 1 && moment === "before" ? undefined : accepted ? "UPLOADED" : "PENDING")
      const submitted = yield* runs.all
      if (!accepted || video?.encodeJobId == null) return assert.lengthOf(submitted, 0)
      assert.deepStrictEqual(submitted.map(({ job }) => job.jobId), [video.encodeJobId])
      assert.strictEqual((yield* jobOf(video.encodeJobId)).externalId, submitted[0]?.externalId)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect.each(
    [1, 2, 3, 4, 5, 6].flatMap((call) => moments.map((moment) => ({ call, moment })))
  )("$moment call $call of a deletion leaves a video that is there, or none at all after the sweep", ({ call, moment }) =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const store = yield* JobStore
      const objects = yield* ObjectStore
      const deletion = yield* VideoDeletion
      const runtime = yield* EncodeRuntime
      const { jobId, videoId, runs, externalId } = yield* handedOver
      for (const key of ["tenants/3/video/raw/1.mp4", `tenants/3/video/hls/${videoId}/master.m3u8`]) {
        yield* objects.put(key, Stream.empty, { size: 0, contentType: "video/mp4", cacheControl: "no-cache" })
      }
      yield* faults.forget
      assert.strictEqual((yield* faults.killedAt(call, moment, deletion.remove(school, videoId)))._tag, "None")
      yield* faults.forget
      const report = yield* sweep
      assert.deepStrictEqual(report.failures, [])
      const begun = call > 1 || moment === "after"
      const left = yield* Stream.runCollect(objects.list("tenants/3/"))
      assert.lengthOf(left, begun ? 0 : 2)
      const found = yield* Effect.exit(store.getJob(school, jobId))
      assert.strictEqual(found._tag, begun ? "Failure" : "Success")
      const state = (yield* runtime.describe([externalId])).get(externalId)
      assert.strictEqual(state?._tag, begun ? "Ended" : "Waiting")
      assert.lengthOf(yield* runs.all, 1)
      assert.deepStrictEqual(yield* sweep, nothing)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("makes no further call, not even while it dies", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const queue = yield* JobQueue
      const store = yield* JobStore
      const program = Effect.ensuring(store.ping, Effect.exit(Effect.timeoutOption(queue.ping, "1 second")))
      const fiber = yield* Effect.forkChild(faults.killedAt(1, "before", program))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "None")
      assert.deepStrictEqual(yield* faults.calls, [{ method: "JobStore.ping", outcome: "died" }])
    }).pipe(Effect.provide(TestDomain.layer)))
})
