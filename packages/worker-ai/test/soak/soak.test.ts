/**
 * 2,000 jobs through the real protocol of SQS, a real database and a real Redis, done by real processes of which 50
 * are killed at work, with messages that come twice, slow jobs, a queue that is killed, and poison.
 */
import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { JobStorePostgres, layerTcp, migrate, RunHistoryPostgres } from "@lectern/adapters/postgres"
import { ProgressMirrorRedis, ProgressReaderRedis } from "@lectern/adapters/redis"
import { ObjectStoreS3 } from "@lectern/adapters/s3"
import { JobQueueSqs, type SqsQueues } from "@lectern/adapters/sqs"
import {
  EncodeRuntime,
  isTerminal,
  JobId,
  JobMessage,
  JobDispatcher,
  JobQueue,
  JobRecorder,
  JobStatus,
  JobStore,
  jobSubject,
  newJobId,
  ObjectStore,
  ProgressReader,
  type QueuedKind,
  Sweeper,
  TenantId,
  undispatched,
  VideoDeletion
} from "@lectern/domain"
import { describeIf, FauxqsServer, PostgresServer, RedisServer } from "@lectern/harness"
import { Effect, FileSystem, Layer, Redacted, References, Schedule, Schema, Stream } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { SoakPayload } from "./SoakPayload.ts"
import { startSoakWorkers } from "./SoakWorkers.ts"
import { createQueues, drain, messagesIn, sendText } from "./SqsProtocol.ts"

const needed = PostgresServer.availability.available ? RedisServer.availability : PostgresServer.availability

const kills = 50
const malformed = ["not json", "{\"job_id\": 5}", "<xml/>"]

interface Planned {
  readonly kind: QueuedKind
  readonly tenant: TenantId
  readonly payload: SoakPayload | "import"
  readonly expected: JobStatus
}

const plan = (
  count: number,
  kind: QueuedKind,
  expected: JobStatus,
  payload: Planned["payload"]
): ReadonlyArray<Planned> =>
  Array.from({ length: count }, (_, n) => ({ kind, tenant: TenantId.make(1 + n % 7), payload, expected }))

const light = (behaviour: SoakPayload["behaviour"], millis = 0): SoakPayload => ({ behaviour, millis })

/** Longer than a lease: such a job lives by its own heartbeats. */
const slowMillis = 9_000
const leaseSeconds = 6

const planned: ReadonlyArray<Planned> = [
  ...plan(300, "student_import", "DONE", "import"),
  ...plan(620, "messaging", "DONE", light("quick")),
  ...plan(977, "ocr", "DONE", light("quick")),
  ...plan(20, "ocr", "DONE", light("slow", slowMillis)),
  ...plan(40, "ocr", "DONE", light("fails_once")),
  ...plan(20, "ocr", "REJECTED_BAD_INPUT", light("bad_input")),
  ...plan(20, "ocr", "REVIEW_REQUIRED", light("unsure")),
  ...plan(3, "ocr", "FAILED", light("poison"))
]

/** The poison first and slowly through its attempts, the rest as if many people had sent it at once. */
const inSendingOrder = planned.toSorted((a, b) => Number(b.expected === "FAILED") - Number(a.expected === "FAILED"))

const Counts = Schema.Array(Schema.Struct({ status: JobStatus, count: Schema.NumberFromString }))
const Rows = Schema.Array(Schema.Struct({
  id: JobId,
  status: JobStatus,
  attempt: Schema.Int,
  error_code: Schema.NullOr(Schema.String)
}))
const Students = Schema.Array(Schema.Struct({ job_id: Schema.String, count: Schema.NumberFromString }))

/** There are no encodes to ask for. */
const noEncodes = Layer.mock(EncodeRuntime)({ findableAfterMillis: 0 })

describeIf(needed, "a soak of 2,000 jobs", () => {
  it.live("loses none and does none twice, and puts exactly the poison aside", () =>
    Effect.gen(function*() {
      const postgres = yield* PostgresServer.make()
      const redis = yield* RedisServer.make()
      const fauxqs = yield* FauxqsServer.make
      const variables = yield* createQueues(fauxqs.url)
      yield* Effect.promise(() => fetch(`${fauxqs.url}/soak`, { method: "PUT" }))
      const databaseUrl = yield* postgres.createDatabase("soak")
      yield* Effect.provide(migrate, layerTcp({ url: Redacted.make(databaseUrl) }))
      const credentials = { accessKeyId: "test", secretAccessKey: Redacted.make("test") }
      const lane = (name: string) => {
        const url = variables[`SQS_QUEUE_URL_${name}`] ?? ""
        return { url, deadLetterUrl: `${url}-dlq` }
      }
      const queues: SqsQueues = {
        lite: lane("LITE"),
        basic: lane("BASIC"),
        premium: lane("PREMIUM"),
        messaging: lane("MESSAGING")
      }

      const stores = Layer.merge(JobStorePostgres.layer, RunHistoryPostgres.layer).pipe(
        Layer.provideMerge(layerTcp({ url: Redacted.make(databaseUrl) }))
      )
      const ports = Layer.mergeAll(
        stores,
        ProgressMirrorRedis.layer({ url: Redacted.make(redis.url) }),
        ProgressReaderRedis.layer({ url: Redacted.make(redis.url) }),
        noEncodes,
        JobQueueSqs.layer({ endpoint: fauxqs.url, region: "us-east-1", credentials, queues, receiveFrom: ["basic"] }),
        ObjectStoreS3.layer({
          endpoint: fauxqs.url,
          region: "us-east-1",
          bucket: "soak",
          credentials,
          forcePathStyle: true
        })
      )
      const domain = Sweeper.layer({ redispatchAfterMillis: 60_000, limit: 500 }).pipe(
        Layer.provideMerge(VideoDeletion.layer),
        Layer.provideMerge(Layer.merge(JobRecorder.layer, JobDispatcher.layer)),
        Layer.provideMerge(ports)
      )
      const env = {
        ...variables,
        DATABASE_URL: databaseUrl,
        REDIS_URL: redis.url,
        S3_ENDPOINT: fauxqs.url,
        S3_BUCKET: "soak",
        S3_ACCESS_KEY_ID: "test",
        S3_SECRET_ACCESS_KEY: "test",
        AWS_REGION: "us-east-1",
        AWS_ENDPOINT_URL_SQS: fauxqs.url,
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        LECTERN_LEASE_SECONDS: String(leaseSeconds),
        WORKER_TIERS: "messaging,basic",
        WORKER_CONCURRENCY: "4"
      }

      yield* Effect.gen(function*() {
        const store = yield* JobStore
        const recorder = yield* JobRecorder
        const dispatcher = yield* JobDispatcher
        const queue = yield* JobQueue
        const objects = yield* ObjectStore
        const sweeper = yield* Sweeper
        const sql = yield* SqlClient
        const fs = yield* FileSystem.FileSystem
        const compileCache = yield* fs.makeTempDirectoryScoped({ prefix: "lectern-soak-" })

        const workers = yield* startSoakWorkers({ count: 3, kills, env, compileCache })
        yield* sweeper.sweep.pipe(
          Effect.catch((error) => Effect.logWarning("The sweep waits", { error: error.message })),
          Effect.repeat(Schedule.spaced("500 millis")),
          Effect.forkScoped
        )

        const expected = new Map<string, Planned>()
        const submit = Effect.fnUntraced(function*(job: Planned, n: number) {
          const id = yield* newJobId
          let payload: Schema.Json = job.payload
          if (job.payload === "import") {
            const file = Buffer.from(`이름,학부모 연락처\n학생 ${n},010-1234-${String(n).padStart(4, "0")}\n`)
            const key = `tenants/${job.tenant}/excel/${id}.csv`
            yield* objects.put(key, Stream.make(file), { contentType: "text/csv", cacheControl: "", size: file.length })
            payload = { file_key: key, filename: "명단.csv", dry_run: false }
          }
          expected.set(id, job)
          const record = yield* recorder.commit(store.createJob(job.tenant, { id, kind: job.kind, payload }))
          yield* dispatcher.dispatchSoon(undispatched(record.job))
          // Every fifth comes twice.
          if (n % 5 === 0) {
            yield* queue.send(
              new JobMessage({
                job_id: id,
                job_type: job.kind,
                tier: "basic",
                tenant_id: job.tenant,
                payload,
                created_at: "2026-01-01T00:00:00.000Z",
                attempt: 1
              })
            )
          }
        })
        yield* Effect.forEach(inSendingOrder, submit, { concurrency: 8, discard: true })
        yield* Effect.forEach(malformed, (text) => sendText(queues.basic.url, text))
        yield* fauxqs.restart

        const counts = Effect.flatMap(
          sql`SELECT status, count(*)::text AS count FROM jobs GROUP BY status`,
          Schema.decodeUnknownEffect(Counts)
        )
        yield* counts.pipe(
          Effect.repeat({
            until: (rows) => rows.every(({ status }) => isTerminal(status)),
            schedule: Schedule.spaced("250 millis")
          })
        )
        // What is left of the messages that came twice is answered, too.
        for (const { url } of Object.values(queues)) {
          yield* messagesIn(url).pipe(
            Effect.repeat({ until: (count) => count === 0, schedule: Schedule.spaced("250 millis") })
          )
        }

        const rows = yield* Effect.flatMap(
          sql`SELECT id, status, attempt, error_code FROM jobs`,
          Schema.decodeUnknownEffect(Rows)
        )
        assert.lengthOf(rows, planned.length)
        for (const { error_code, id, status } of rows) {
          const job = expected.get(id)
          assert.strictEqual(status, job?.expected, `${id} ${JSON.stringify(job)} ${error_code}`)
        }

        const students = yield* Effect.flatMap(
          sql`SELECT job_id, count(*)::text AS count FROM students GROUP BY job_id`,
          Schema.decodeUnknownEffect(Students)
        )
        const imports = rows.filter(({ id }) => expected.get(id)?.kind === "student_import").map(({ id }) => id)
        assert.sameMembers(students.map(({ job_id }) => job_id), imports)
        assert.isTrue(students.every(({ count }) => count === 1))

        // A worker that was killed between a commit and its copy left the copy behind: the repair mends it.
        yield* sweeper.repairMirror
        const reader = yield* ProgressReader
        for (const { id, status } of rows) {
          const [seen] = yield* reader.read(expected.get(id)?.tenant ?? TenantId.make(1), [jobSubject(id)])
          assert.include(seen?.status, `"status":"${status}"`)
        }

        const letters = yield* Effect.map(
          Effect.forEach(Object.values(queues), ({ deadLetterUrl }) => drain(deadLetterUrl)),
          (each) => each.flat()
        )
        const poison = rows.filter(({ status }) => status === "FAILED")
        assert.isTrue(poison.every(({ attempt, error_code }) => attempt === 3 && error_code === "lease_expired"))
        const idOf = (text: string) => /"job_id":"([^"]+)"/.exec(text)?.[1] ?? text
        assert.sameMembers([...new Set(letters.map(idOf))], [...poison.map(({ id }) => id), ...malformed])

        const attempts = rows.reduce((sum, { attempt }) => sum + attempt, 0)
        console.info(
          `${rows.length} jobs in ${attempts} attempts; ${workers.kills()} workers killed, `
            + `${workers.deaths()} taken by poison; ${letters.length} dead letters`
        )
        assert.strictEqual(workers.kills(), kills)
      }).pipe(Effect.provide(domain), Effect.scoped)
    }).pipe(
      Effect.provideService(References.MinimumLogLevel, "Error"),
      Effect.provide(NodeServices.layer),
      Effect.scoped
    ), 1_200_000)
})
