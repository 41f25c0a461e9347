import { assert, it } from "@effect/vitest"
import { EncodeRuntimeBatch } from "@lectern/adapters/batch"
import { EncodeMissesPostgres, JobStorePostgres, layerTcp, migrate, RunHistoryPostgres, singleFlight } from "@lectern/adapters/postgres"
import { ProgressMirrorRedis, ProgressReaderRedis, RedisConnection } from "@lectern/adapters/redis"
import {
  EncodeRuntime,
  EncodeRuntimeUnavailable,
  type EncodeRunState,
  JobDispatcher,
  JobId,
  JobRecorder,
  JobStore,
  ProgressReader,
  RunHistory,
  Sweeper,
  TenantId,
  VideoDeletion,
  videoSubject
} from "@lectern/domain"
import { BatchServer, describeIf, PostgresServer, RedisServer } from "@lectern/harness"
import { Deferred, Effect, Fiber, Layer, Option, Redacted } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { reconcile } from "../../src/operations/reconcile.ts"
import { redisFlushDrill } from "../../src/operations/redisFlushDrill.ts"
import { refusingObjects, refusingQueue } from "../../src/operations/refusingPorts.ts"

const tenant = TenantId.make(7)

/** A runtime whose answers the test decides on; what it was asked to submit is counted. */
const scriptedRuntime = () => {
  const states = new Map<string, EncodeRunState>()
  let submitted = 0
  let refuses = false
  let before: Effect.Effect<void> = Effect.void
  const unavailable = (operation: string) => new EncodeRuntimeUnavailable({ operation, retryable: false, cause: new Error("denied") })
  return {
    states,
    refuse: (now: boolean) => {
      refuses = now
    },
    beforeDescribe: (wait: Effect.Effect<void>) => {
      before = wait
    },
    submitted: () => submitted,
    layer: Layer.succeed(
      EncodeRuntime,
      EncodeRuntime.of({
        findableAfterMillis: 0,
        submit: () =>
          Effect.sync(() => {
            submitted += 1
            return `run-again-${submitted}`
          }),
        find: () => Effect.succeed([]),
        describe: (ids) =>
          Effect.andThen(before, Effect.suspend(() =>
            refuses
              ? Effect.fail(unavailable("describe"))
              : Effect.succeed(new Map(ids.map((id) => [id, states.get(id) ?? { _tag: "Unknown" as const }]))))),
        atWork: Effect.succeed([]),
        terminate: (id) => Effect.fail(unavailable(`terminate ${id}`))
      })
    )
  }
}

const services = (url: string, redisUrl: string, runtime: Layer.Layer<EncodeRuntime>) =>
  Sweeper.layer({ redispatchAfterMillis: 900_000, limit: 100 }).pipe(
    Layer.provideMerge(VideoDeletion.layer),
    Layer.provideMerge(Layer.merge(JobRecorder.layer, JobDispatcher.layer)),
    Layer.provideMerge(Layer.mergeAll(
      Layer.mergeAll(JobStorePostgres.layer, EncodeMissesPostgres.layer, RunHistoryPostgres.layer).pipe(
        Layer.provideMerge(layerTcp({ url: Redacted.make(url) }))
      ),
      Layer.merge(ProgressMirrorRedis.layerWith(), ProgressReaderRedis.layerWith()).pipe(
        Layer.provideMerge(RedisConnection.layer({ url: Redacted.make(redisUrl) }))
      ),
      refusingQueue,
      refusingObjects,
      runtime
    ))
  )

/** An encode that was handed over as `run`; claimed under `owner` where one is given. */
const encode = Effect.fnUntraced(function*(run: string, owner: string | null) {
  const store = yield* JobStore
  const recorder = yield* JobRecorder
  const created = yield* recorder.commit(
    store.createVideo(tenant, { title: run, filename: "f.mp4", contentType: "video/mp4", session: null, fileKey: `raw/${run}` })
  )
  const jobId = JobId.make(crypto.randomUUID())
  yield* recorder.commit(store.completeUpload(tenant, created.video.id, { jobId, fileSize: 7 }))
  yield* store.markDispatched({ tenantId: tenant, jobId }, 0, run)
  if (owner !== null) {
    const claim = yield* recorder.claim(tenant, jobId, { owner, leaseMillis: 3_600_000 })
    assert.strictEqual(claim._tag, "Claimed")
  }
  return { jobId, videoId: created.video.id }
})

const jobOf = (jobId: JobId) => Effect.flatMap(JobStore, (store) => Effect.map(store.getJob(tenant, jobId), ({ job }) => job))

/** The runtime over Batch's own protocol. */
const batchAt = (endpoint: string) =>
  EncodeRuntimeBatch.layer({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") },
    jobQueue: "queue",
    jobDefinition: "definition",
    maxAttempts: 1
  })

describeIf(
  PostgresServer.availability.available ? RedisServer.availability : PostgresServer.availability,
  "Operations on a real database and a real Redis",
  () => {
    const scene = Effect.gen(function*() {
      const server = yield* PostgresServer.make()
      const redis = yield* RedisServer.make()
      const url = yield* server.createDatabase("operations")
      yield* Effect.provide(migrate, layerTcp({ url: Redacted.make(url) }))
      const runtime = scriptedRuntime()
      return { url, redis, runtime, layer: services(url, redis.url, runtime.layer) }
    })

    it.live("A describe that is refused changes nothing, and is told as what it is", () =>
      Effect.gen(function*() {
        const { layer, runtime } = yield* scene
        yield* Effect.gen(function*() {
          const { jobId } = yield* encode("run-1", "run-1")
          const before = yield* jobOf(jobId)
          runtime.refuse(true)
          for (let n = 0; n < 4; n++) assert.strictEqual((yield* Effect.flip(reconcile))._tag, "EncodeRuntimeUnavailable")
          assert.deepStrictEqual(yield* jobOf(jobId), before)
          runtime.refuse(false)
          assert.strictEqual((yield* reconcile).missing, 1)
        }).pipe(Effect.provide(layer))
      }))

    it.live("A run that is not found is lost at the third miss in a row, and a find in between begins anew", () =>
      Effect.gen(function*() {
        const { layer, runtime } = yield* scene
        yield* Effect.gen(function*() {
          const { jobId } = yield* encode("run-1", "run-1")
          assert.strictEqual((yield* reconcile).missing, 1)
          assert.strictEqual((yield* reconcile).missing, 1)
          runtime.states.set("run-1", { _tag: "Running" })
          assert.strictEqual((yield* reconcile).running, 1)
          runtime.states.delete("run-1")
          assert.strictEqual((yield* reconcile).missing, 1)
          assert.strictEqual((yield* reconcile).missing, 1)
          assert.strictEqual((yield* jobOf(jobId)).status, "RUNNING")
          assert.strictEqual((yield* reconcile).ended, 1)
          const job = yield* jobOf(jobId)
          assert.deepStrictEqual([job.status, job.failures], ["RETRYING", 1])
          assert.strictEqual((yield* reconcile).ended, 0)
          assert.strictEqual((yield* jobOf(jobId)).failures, 1)
        }).pipe(Effect.provide(layer))
      }))

    it.live("Misses over 30 minutes are enough by themselves", () =>
      Effect.gen(function*() {
        const { layer } = yield* scene
        yield* Effect.gen(function*() {
          const sql = yield* SqlClient
          const { jobId } = yield* encode("run-1", "run-1")
          assert.strictEqual((yield* reconcile).missing, 1)
          yield* sql`UPDATE encode_misses SET first_missed_at = first_missed_at - 1800000`
          assert.strictEqual((yield* reconcile).ended, 1)
          assert.strictEqual((yield* jobOf(jobId)).failures, 1)
        }).pipe(Effect.provide(layer))
      }))

    it.live("A run that vanished before it was claimed is submitted again once by the sweep, and no failure is counted", () =>
      Effect.gen(function*() {
        const { layer, runtime } = yield* scene
        yield* Effect.gen(function*() {
          const { jobId } = yield* encode("run-1", null)
          yield* reconcile
          yield* reconcile
          assert.strictEqual((yield* reconcile).ended, 1)
          assert.strictEqual((yield* reconcile).asked, 0)
          const sql = yield* SqlClient
          yield* sql`UPDATE jobs SET run_after = 0`
          const sweeper = yield* Sweeper
          assert.strictEqual((yield* sweeper.sweep).dispatched, 1)
          assert.strictEqual((yield* sweeper.sweep).dispatched, 0)
          runtime.states.set("run-again-1", { _tag: "Waiting" })
          assert.strictEqual((yield* reconcile).waiting, 1)
          const job = yield* jobOf(jobId)
          assert.deepStrictEqual(
            [job.externalId, job.failures, job.unclaimedRuns, runtime.submitted()],
            ["run-again-1", 0, 1, 1]
          )
        }).pipe(Effect.provide(layer))
      }))

    it.live("A run that waits is left alone however long; after 15 minutes it is named", () =>
      Effect.gen(function*() {
        const { layer, runtime } = yield* scene
        yield* Effect.gen(function*() {
          const sql = yield* SqlClient
          const { jobId } = yield* encode("run-1", null)
          runtime.states.set("run-1", { _tag: "Waiting" })
          assert.deepStrictEqual((yield* reconcile).notes, [])
          yield* sql`UPDATE jobs SET dispatched_at = dispatched_at - 960000`
          const report = yield* reconcile
          assert.match(report.notes[0] ?? "", /has waited 16 min/)
          assert.strictEqual((yield* jobOf(jobId)).status, "PENDING")
          assert.strictEqual(runtime.submitted(), 0)
        }).pipe(Effect.provide(layer))
      }))

    it.live("An end is counted once by two reconciliations and a sweep at the same time, and not where another run holds the job", () =>
      Effect.gen(function*() {
        const { layer, runtime } = yield* scene
        yield* Effect.gen(function*() {
          const sweeper = yield* Sweeper
          const held = yield* encode("run-1", "run-1")
          const elsewhere = yield* encode("run-2", "another-run")
          const ended: EncodeRunState = { _tag: "Ended", exitCode: 137, reason: "Host EC2 terminated" }
          runtime.states.set("run-1", ended).set("run-2", ended)
          const [first, second, swept] = yield* Effect.all([reconcile, reconcile, sweeper.sweep], { concurrency: "unbounded" })
          assert.strictEqual(first.ended + second.ended + swept.reaped, 1)
          assert.strictEqual((yield* jobOf(held.jobId)).failures, 1)
          const other = yield* jobOf(elsewhere.jobId)
          assert.deepStrictEqual([other.status, other.failures], ["RUNNING", 0])
        }).pipe(Effect.provide(layer))
      }))

    it.live("Batch over its own protocol: pages of a hundred, one end told, and nothing changed where a page is throttled or refused", () =>
      Effect.gen(function*() {
        const batch = yield* BatchServer.make()
        const { redis, url } = yield* scene
        const runtime = batchAt(batch.url)
        yield* Effect.gen(function*() {
          const history = yield* RunHistory
          const runs = Array.from({ length: 120 }, (_, n) => `batch-${n}`)
          const encodes = yield* Effect.forEach(runs, (run) => encode(run, run))
          for (const jobId of runs) batch.put({ jobId, jobName: "video", status: "RUNNING" })
          batch.put({
            jobId: "batch-7",
            jobName: "video",
            status: "FAILED",
            statusReason: "Host EC2 (instance i-1) terminated.",
            container: { exitCode: 137 }
          })
          for (const refusal of [{ status: 429, code: "TooManyRequestsException" }, { status: 403, code: "AccessDeniedException" }]) {
            batch.script("/v1/describejobs", ["ok", refusal])
            assert.strictEqual((yield* Effect.flip(reconcile))._tag, "EncodeRuntimeUnavailable")
          }
          assert.strictEqual((yield* jobOf(encodes[7]?.jobId ?? JobId.make("none"))).status, "RUNNING")
          const report = yield* reconcile
          assert.deepInclude(report, { asked: 120, ended: 1, running: 119, terminated: 0, failures: [] })
          const job = yield* jobOf(encodes[7]?.jobId ?? JobId.make("none"))
          assert.deepInclude(job, { status: "RETRYING", failures: 1, errorCode: "run_ended" })
          const [seen] = yield* history.of("batch-7")
          assert.deepInclude(seen, { status: "FAILED", statusReason: "Host EC2 (instance i-1) terminated.", exitCode: 137 })
        }).pipe(Effect.provide(services(url, redis.url, runtime)))
      }), 60_000)

    it.live("Batch's arrays: one waits for its last container, one failed as its child says, one hangs and is ended", () =>
      Effect.gen(function*() {
        const batch = yield* BatchServer.make()
        const { redis, url } = yield* scene
        const runtime = batchAt(batch.url)
        yield* Effect.gen(function*() {
          const sql = yield* SqlClient
          const { submit } = yield* EncodeRuntime
          const submitted = Effect.fnUntraced(function*(jobId: JobId, submission: number, statuses: ReadonlyArray<string>) {
            const array = yield* submit({ tenantId: tenant, jobId, submission, arraySize: statuses.length })
            statuses.forEach((status, index) =>
              batch.put({ jobId: `${array}:${index}`, jobName: "video", status, statusReason: `${status} ${index}` }))
            return array
          })
          const waiting = yield* encode("batch-1", null)
          yield* submitted(waiting.jobId, 1, ["SUCCEEDED", "RUNNABLE"])
          const failed = yield* encode("batch-2", null)
          yield* submitted(failed.jobId, 1, ["SUCCEEDED", "FAILED"])
          const hanging = yield* encode("batch-4", "batch-4")
          const hung = yield* submitted(hanging.jobId, 1, ["RUNNING", "RUNNING"])
          yield* submitted(hanging.jobId, 2, ["RUNNING", "RUNNABLE"])
          yield* sql`UPDATE jobs SET submissions = CASE WHEN id = ${hanging.jobId} THEN 2 ELSE 1 END`

          assert.deepInclude(yield* reconcile, { asked: 3, waiting: 1, ended: 1, running: 1, terminated: 1, failures: [] })
          assert.deepInclude(yield* jobOf(waiting.jobId), { status: "PENDING", unclaimedRuns: 0 })
          assert.deepInclude(yield* jobOf(failed.jobId), { status: "PENDING", unclaimedRuns: 1, externalId: null })
          const history = yield* RunHistory
          assert.strictEqual((yield* history.of("batch-2"))[0]?.statusReason, "FAILED 1")
          assert.deepStrictEqual(
            batch.jobs.filter((job) => job["isTerminated"] === true).map((job) => job.jobId),
            [hung, `${hung}:0`, `${hung}:1`]
          )
          assert.deepInclude(yield* reconcile, { asked: 2, ended: 0, terminated: 0 })
        }).pipe(Effect.provide(services(url, redis.url, runtime)))
      }), 60_000)

    it.live("Of two processes that reconcile at once, the second does nothing; afterwards the way is free", () =>
      Effect.gen(function*() {
        const { layer, redis, runtime, url } = yield* scene
        const entered = yield* Deferred.make<void>()
        const go = yield* Deferred.make<void>()
        runtime.beforeDescribe(Effect.andThen(Deferred.succeed(entered, undefined), Deferred.await(go)))
        yield* Effect.provide(encode("run-1", "run-1"), layer)
        const flight = singleFlight("reconcile", reconcile)
        const first = yield* Effect.forkChild(Effect.provide(flight, layer))
        yield* Deferred.await(entered)
        // Connections of its own, as another process has.
        const other = services(url, redis.url, runtime.layer)
        assert.isTrue(Option.isNone(yield* Effect.provide(flight, Layer.fresh(other))))
        yield* Deferred.succeed(go, undefined)
        assert.strictEqual(Option.getOrThrow(yield* Fiber.join(first)).missing, 1)
        assert.strictEqual(Option.getOrThrow(yield* Effect.provide(flight, Layer.fresh(other))).missing, 1)
      }))

    it.live("The drill removes nothing while the database is away", () =>
      Effect.gen(function*() {
        const postgres = yield* PostgresServer.make()
        const redis = yield* RedisServer.make()
        const url = yield* postgres.createDatabase("away")
        yield* postgres.kill
        yield* Effect.gen(function*() {
          const connection = yield* RedisConnection
          yield* connection.use("write", (client) => client.set("tenant:1:video:1:status", "{}"))
          assert.strictEqual((yield* Effect.flip(redisFlushDrill))._tag, "JobStoreUnavailable")
          assert.strictEqual(yield* connection.use("read", (client) => client.get("tenant:1:video:1:status")), "{}")
        }).pipe(Effect.provide(services(url, redis.url, scriptedRuntime().layer)))
      }))

    it.live("The drill removes our keys and nobody else's, and brings back what a poller may be watching", () =>
      Effect.gen(function*() {
        const { layer } = yield* scene
        yield* Effect.gen(function*() {
          const connection = yield* RedisConnection
          const reader = yield* ProgressReader
          const { videoId } = yield* encode("run-1", "run-1")
          const theirs = ["session:1", "tenant:acme:video:1:status", "tenant:1:video:1:statuses"]
          yield* connection.use("write", async (redis) => {
            for (const key of theirs) await redis.set(key, "theirs")
            await redis.set("tenant:9:job:long-ago:status", "{}")
          })
          const [before] = yield* reader.read(tenant, [videoSubject(videoId)])
          assert.include(before?.status, `"PROCESSING"`)
          const report = yield* redisFlushDrill
          assert.isAbove(report.removed, 1)
          assert.strictEqual(report.published, report.looked)
          assert.strictEqual(report.back, report.removed - 1)
          const [after] = yield* reader.read(tenant, [videoSubject(videoId)])
          assert.strictEqual(after?.status, before?.status)
          assert.deepStrictEqual(yield* connection.use("read", (redis) => redis.mget(...theirs)), ["theirs", "theirs", "theirs"])
          assert.isNull(yield* connection.use("read", (redis) => redis.get("tenant:9:job:long-ago:status")))
        }).pipe(Effect.provide(layer))
      }))
  }
)
