import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import {
  exportsPrefix,
  type JobId,
  JobDispatcher,
  JobMessage,
  JobQueue,
  JobRecorder,
  type JobStatus,
  JobStore,
  jobSubject,
  newJobId,
  newUuid,
  ObjectStore,
  ProgressReader,
  readinessJobId,
  Sweeper,
  TenantId,
  undispatched
} from "@lectern/domain"
import { type Fault, Faults, QueueContents, TestDomain } from "@lectern/domain/testing"
import { Deferred, Effect, Fiber, FileSystem, Layer, References, Schedule, Schema, Stream } from "effect"
import { fileURLToPath } from "node:url"
import { consume, defaultConsumerOptions, type Handlers, type HandlerEnd } from "../src/index.ts"
import { studentImportJob } from "../src/StudentImportJob.ts"

const tenant = TenantId.make(3)
const rosterPath = fileURLToPath(new URL("../../../media/roster.xlsx", import.meta.url))

const world = Layer.mergeAll(
  TestDomain.layerWith({
    policy: { maxFailures: 3, maxAttempts: 12, maxUnclaimedRuns: 5, retryDelay: () => 0 },
    recorder: { mirrorBudget: "5 millis", mirrorRest: 0, databasePatience: "1 second" }
  }),
  Layer.succeed(References.MinimumLogLevel, "None")
).pipe(Layer.provideMerge(NodeServices.layer))

const options = { ...defaultConsumerOptions, waitSeconds: 1, concurrency: 2 }

const accepted = Effect.fnUntraced(function*(payload: Schema.Json) {
  const recorder = yield* JobRecorder
  const store = yield* JobStore
  const id = yield* newJobId
  const { job } = yield* recorder.commit(store.createJob(tenant, { id, kind: "student_import", payload }))
  return job
})

const send = Effect.fnUntraced(function*(payload: Schema.Json) {
  const job = yield* accepted(payload)
  const dispatcher = yield* JobDispatcher
  yield* dispatcher.dispatch(undispatched(job))
  return job.id
})

/** Runs the consumer until `reached` says so. */
const consuming = <R, A, E, R2>(handlers: Handlers<R>, reached: Effect.Effect<A, E, R2>) =>
  Effect.raceFirst(reached, consume(handlers, options))

const jobIs = (id: JobId, ...statuses: ReadonlyArray<JobStatus>) =>
  Effect.gen(function*() {
    const store = yield* JobStore
    const faults = yield* Faults
    return yield* faults.aside(store.getJob(tenant, id)).pipe(
      Effect.repeat({ until: ({ job }) => statuses.includes(job.status), schedule: Schedule.spaced("5 millis") }),
      Effect.map(({ job }) => job)
    )
  })

const ending = (command: HandlerEnd<never>["command"]): Handlers<never> => ({
  student_import: { memoryMiB: 1, handle: () => Effect.succeed({ command, afterwards: Effect.void }) }
})

const succeed = ending({ _tag: "Succeed", result: { ok: true } })

const roster = Effect.fnUntraced(function*(dryRun: boolean, name = "roster.xlsx", path = rosterPath) {
  const objects = yield* ObjectStore
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* fs.readFile(path)
  const key = `tenants/${tenant}/excel/${yield* newJobId}.xlsx`
  yield* objects.put(key, Stream.make(bytes), { contentType: "x", cacheControl: "", size: bytes.length })
  return { key, payload: { file_key: key, filename: name, dry_run: dryRun } }
})

const importing = Effect.fnUntraced(function*(payload: Schema.Json) {
  const fs = yield* FileSystem.FileSystem
  const workRoot = yield* fs.makeTempDirectoryScoped()
  const id = yield* send(payload)
  const job = yield* consuming(
    { student_import: studentImportJob({ workRoot }) },
    jobIs(id, "DONE", "FAILED", "REJECTED_BAD_INPUT")
  )
  return job
}, Effect.scoped)

const Counts = Schema.Struct({ created: Schema.Int, duplicates: Schema.Int, total: Schema.Int, failed: Schema.Array(Schema.Json) })
const counts = (result: Schema.Json | null) =>
  Effect.map(Schema.decodeUnknownEffect(Counts)(result), ({ created, duplicates, failed, total }) => ({
    created,
    duplicates,
    total,
    failed: failed.length
  }))

const exists = (key: string) =>
  Effect.gen(function*() {
    const objects = yield* ObjectStore
    return (yield* Effect.result(objects.head(key)))._tag === "Success"
  })

describe("Consumer", () => {
  it.live("acknowledges a message once its job's end is recorded", () =>
    Effect.gen(function*() {
      const id = yield* send({})
      const contents = yield* QueueContents
      const job = yield* consuming(succeed, Effect.andThen(jobIs(id, "DONE"), drained))
      assert.strictEqual(job.length, 0)
      assert.deepStrictEqual(yield* contents.buried, [])
    }).pipe(Effect.provide(world)))

  it.live("does the job of a message that comes twice once", () =>
    Effect.gen(function*() {
      const job = yield* accepted({})
      const dispatcher = yield* JobDispatcher
      yield* dispatcher.dispatch(undispatched(job))
      yield* dispatcher.dispatch(undispatched(job))
      let handled = 0
      yield* consuming({
        student_import: {
          memoryMiB: 1,
          handle: () =>
            Effect.sync(() => {
              handled += 1
              return { command: { _tag: "Succeed", result: {} }, afterwards: Effect.void }
            })
        }
      }, Effect.andThen(jobIs(job.id, "DONE"), drained))
      assert.strictEqual(handled, 1)
    }).pipe(Effect.provide(world)))

  it.live("puts a message of an unknown job aside, and lets the others pass", () =>
    Effect.gen(function*() {
      const queue = yield* JobQueue
      const contents = yield* QueueContents
      yield* queue.send(
        new JobMessage({
          job_id: yield* newJobId,
          job_type: "student_import",
          tier: "basic",
          tenant_id: tenant,
          payload: {},
          created_at: "2026-01-01T00:00:00.000Z",
          attempt: 1
        })
      )
      const id = yield* send({})
      yield* consuming(succeed, Effect.andThen(jobIs(id, "DONE"), drained))
      assert.lengthOf(yield* contents.buried, 1)
    }).pipe(Effect.provide(world)))

  it.live("acknowledges a readiness check's message and puts nothing aside", () =>
    Effect.gen(function*() {
      const queue = yield* JobQueue
      const contents = yield* QueueContents
      yield* queue.send(
        new JobMessage({
          job_id: readinessJobId(yield* newUuid),
          job_type: "student_import",
          tier: "basic",
          tenant_id: tenant,
          payload: {},
          created_at: "2026-01-01T00:00:00.000Z",
          attempt: 1
        })
      )
      const id = yield* send({})
      yield* consuming(succeed, Effect.andThen(jobIs(id, "DONE"), drained))
      assert.deepStrictEqual(yield* contents.buried, [])
    }).pipe(Effect.provide(world)))

  it.live("gives job and message back when it is told to stop", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      const id = yield* send({})
      const fiber = yield* Effect.forkChild(consume({
        student_import: { memoryMiB: 1, handle: () => Effect.andThen(Deferred.succeed(started, undefined), Effect.never) }
      }, options))
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
      const store = yield* JobStore
      const { job } = yield* store.getJob(tenant, id)
      assert.strictEqual(job.status, "RETRYING")
      assert.strictEqual(job.failures, 0)
      // The next consumer gets the message at once.
      const again = yield* consuming(succeed, jobIs(id, "DONE"))
      assert.strictEqual(again.attempt, 2)
    }).pipe(Effect.provide(world)))

  it.live("counts a handler that breaks as a failed attempt", () =>
    Effect.gen(function*() {
      const id = yield* send({})
      const job = yield* consuming({
        student_import: { memoryMiB: 1, handle: () => Effect.die(new Error("a fault of ours")) }
      }, jobIs(id, "RETRYING"))
      assert.strictEqual(job.failures, 1)
      assert.strictEqual(job.errorCode, "bug")
      assert.notInclude(job.errorMessage ?? "", "a fault of ours")
    }).pipe(Effect.provide(world)))

  it.live("records a failure in place of an end that the database cannot keep", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const contents = yield* QueueContents
      for (const fault of ["unstorable", "broken"] as const) {
        const id = yield* send({})
        const job = yield* consuming({
          student_import: {
            memoryMiB: 1,
            handle: () =>
              Effect.as(faults.store([fault]), {
                command: { _tag: "Succeed", result: { name: "a value" } },
                afterwards: Effect.void
              })
          }
        }, Effect.tap(jobIs(id, "FAILED"), drained))
        assert.deepStrictEqual([job.errorCode, job.attempt, job.result], ["bug", 1, null])
      }
      assert.deepStrictEqual(yield* contents.buried, [])
    }).pipe(Effect.provide(world)))

  it.live("leaves the message when no end of its job can be recorded", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const contents = yield* QueueContents
      const id = yield* send({})
      yield* consuming({
        student_import: {
          memoryMiB: 1,
          handle: () =>
            Effect.gen(function*() {
              yield* faults.store(["broken", "broken"])
              return { command: { _tag: "Succeed", result: {} }, afterwards: Effect.void }
            })
        }
      }, untilCalled("JobStore.transition", "broken", 2))
      const store = yield* JobStore
      assert.strictEqual((yield* store.getJob(tenant, id)).job.status, "RUNNING")
      assert.lengthOf(yield* contents.waiting, 1)
    }).pipe(Effect.provide(world)))
})

const untilCalled = (method: string, outcome: Fault, times: number) =>
  Effect.gen(function*() {
    const faults = yield* Faults
    return yield* faults.calls.pipe(
      Effect.repeat({
        until: (calls) => calls.filter((call) => call.method === method && call.outcome === outcome).length >= times,
        schedule: Schedule.spaced("5 millis")
      })
    )
  })

/** Everything that is in the queue, once the consumer has had the time to answer what it holds. */
const drained = Effect.gen(function*() {
  const contents = yield* QueueContents
  return yield* contents.waiting.pipe(
    Effect.repeat({ until: (waiting) => waiting.length === 0, schedule: Schedule.spaced("5 millis") })
  )
})

describe("StudentImportJob", () => {
  it.live("imports the school's list, names the refused cells, and hands the rows back", () =>
    Effect.gen(function*() {
      const { key, payload } = yield* roster(false, "2학년 명단.xlsx")
      const job = yield* importing(payload)
      assert.strictEqual(job.status, "DONE")
      assert.deepStrictEqual(yield* counts(job.result), { created: 235, duplicates: 1, total: 240, failed: 4 })
      assert.isTrue(yield* exists(`${exportsPrefix(tenant, job.id)}result.xlsx`))
      assert.isFalse(yield* exists(key))
      const reader = yield* ProgressReader
      const [seen] = yield* reader.read(tenant, [jobSubject(job.id)])
      assert.match(seen?.status ?? "", /"status":"DONE".*"created":235/)
    }).pipe(Effect.provide(world)))

  it.live("creates nothing the second time, and nothing in a dry run, which says what the run would do", () =>
    Effect.gen(function*() {
      const dry = yield* importing((yield* roster(true)).payload)
      const first = yield* importing((yield* roster(false)).payload)
      const second = yield* importing((yield* roster(false)).payload)
      const dryAgain = yield* importing((yield* roster(true)).payload)
      assert.deepStrictEqual(yield* counts(dry.result), yield* counts(first.result))
      assert.deepStrictEqual(yield* counts(second.result), { created: 0, duplicates: 236, total: 240, failed: 4 })
      assert.deepStrictEqual(yield* counts(dryAgain.result), yield* counts(second.result))
    }).pipe(Effect.provide(world)))

  it.live("rejects a file that is no class list and then removes it", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(`${directory}/x.xlsx`, "<html><body>명단</body></html>")
      const { key, payload } = yield* roster(false, "x.xlsx", `${directory}/x.xlsx`)
      const job = yield* importing(payload)
      assert.strictEqual(job.status, "REJECTED_BAD_INPUT")
      assert.match(job.errorMessage ?? "", /[가-힣]/)
      assert.isFalse(yield* exists(key))
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.live("keeps the file for the next attempt, which creates nothing twice", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const { key, payload } = yield* roster(false)
      const id = yield* send(payload)
      yield* faults.script("students", ["lost"])
      const fs = yield* FileSystem.FileSystem
      const workRoot = yield* fs.makeTempDirectoryScoped()
      const handlers = { student_import: studentImportJob({ workRoot }) }
      yield* consuming(handlers, jobIs(id, "RETRYING"))
      assert.isTrue(yield* exists(key))

      const sweeper = yield* Sweeper
      assert.strictEqual((yield* sweeper.sweep).dispatched, 1)
      const job = yield* consuming(handlers, jobIs(id, "DONE"))
      assert.strictEqual(job.attempt, 2)
      assert.deepStrictEqual(yield* counts(job.result), { created: 235, duplicates: 1, total: 240, failed: 4 })
      assert.isFalse(yield* exists(key))
    }).pipe(Effect.scoped, Effect.provide(world)))
})
