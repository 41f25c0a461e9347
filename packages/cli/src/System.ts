import { batchVariables, EncodeRuntimeBatch } from "@lectern/adapters/batch"
import {
  encodeArray,
  type MessageSettings,
  type S3Settings,
  s3Settings,
  type Services,
  serviceVariables,
  sqsQueues
} from "@lectern/adapters/environment"
import { ObjectGrants, ObjectStoreFiles, PlaybackUrlsLocal } from "@lectern/adapters/files"
import { EncodeRuntimeProcess, JobQueueInProcess } from "@lectern/adapters/in-process"
import {
  type DatabaseUrlInvalid,
  type FolderInUse,
  type FolderUnusable,
  EncodeMissesPostgres,
  EncodePartsPostgres,
  JobStorePostgres,
  layerFor,
  layerPglite,
  MessageLedgerPostgres,
  migrate,
  PgliteHost,
  type PgliteUnavailable,
  RunHistoryPostgres,
  StudentContactsPostgres,
  StudentStorePostgres
} from "@lectern/adapters/postgres"
import { makeRedisProgressChanges, ProgressMirrorRedis, ProgressReaderRedis, RedisConnection } from "@lectern/adapters/redis"
import { ObjectStoreS3, PlaybackUrlsCdn } from "@lectern/adapters/s3"
import { JobQueueSqs, lanes } from "@lectern/adapters/sqs"
import { makeAccessLog, makeEdge, noAccessLog } from "@lectern/api/edge"
import { CurrentMessagingTerms, OriginHandler } from "@lectern/api/origin"
import { makeTokenVerifier } from "@lectern/api/tokens"
import {
  abortAbandonedUploads,
  EncodeLeftovers,
  JobDispatcher,
  JobRecorder,
  ProgressReader,
  Sweeper,
  VideoDeletion
} from "@lectern/domain"
import { MirrorMemory, ProgressMirrorMemory } from "@lectern/domain/memory"
import {
  consume,
  defaultConsumerOptions,
  forgetMessages,
  jobHandlers,
  messageProviders,
  sendingBreaker
} from "@lectern/worker-ai"
import { TextRecognitionTesseract } from "@lectern/worker-ai/recognition"
import { type Config, Effect, Layer, Option, Redacted, Schedule } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { fileURLToPath } from "node:url"
import type { DataDirectory } from "./DataDirectory.ts"
import { reconcile } from "./operations/reconcile.ts"

export interface SystemSettings {
  readonly services: Services
  readonly messages: MessageSettings
  readonly data: DataDirectory
  /** Signs tokens and the addresses of objects. */
  readonly secret: Redacted.Redacted<string>
  /** Where browsers reach this system, without a slash at the end. */
  readonly publicUrl: string
  /** Encodes at a time, where they run on this machine. */
  readonly encodes: number
  /** Whether the progress endpoints say on standard error how they are used. */
  readonly accessLog: boolean
}

/** How long a playback address stays valid: a school day. */
const playbackSeconds = 12 * 3_600
const sweepEvery = "2 seconds"
const clearEvery = "5 minutes"
const repairEvery = "10 seconds"
/** Three misses are to be a quarter of an hour apart. */
const reconcileEvery = "5 minutes"
const uploadsEvery = "1 hour"
/** A page that lost its line comes back with new addresses within that, or not at all. */
const uploadPatienceMillis = 48 * 3_600_000
/** In process what waits is lost with the process alone, and a hand-over said again is dropped; elsewhere it costs. */
const redispatchAfterMillis = { inProcess: 10_000, elsewhere: 15 * 60_000 } as const

/** How long a job's holder may be silent before others take the job, in seconds: what a job waits for when all of this is killed. */
const leaseSeconds = 30
/** How long a job may go on when all of this is told to stop: somebody at a terminal waits for it. */
const graceMillis = 2_000
const defaultRegion = "ap-northeast-2"

const workerProgram = fileURLToPath(import.meta.resolve("@lectern/worker-video/main"))

const s3Client = (s3: S3Settings) => ({
  region: s3.region,
  endpoint: s3.endpoint,
  credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey }
})

/** What an encode's process is told, as its container would be: the services that it shares with us, and its folders. */
const workerEnvironment = ({ data, services }: SystemSettings): Record<string, string> => {
  const shared = Object.entries({
    // By their names: secrets of others that came along are none of an encode's business.
    ...Object.fromEntries(
      Object.entries(services).flatMap(([name, value]) =>
        Object.hasOwn(serviceVariables, name) ? [[name, String(value)] as const] : []
      )
    ),
    LOG_LEVEL: process.env["LOG_LEVEL"],
    OTEL_EXPORTER_OTLP_ENDPOINT: process.env["OTEL_EXPORTER_OTLP_ENDPOINT"]
  }).flatMap(([name, value]): ReadonlyArray<readonly [string, string]> => value === undefined ? [] : [[name, value]])
  return {
    ...Object.fromEntries(shared),
    LECTERN_OBJECTS_DIR: data.objects,
    LECTERN_WORK_DIR: data.work,
    LECTERN_LEASE_SECONDS: String(leaseSeconds)
  }
}

/** The loops that keep a system going: one moves on what stopped half-way, one mends the mirror, one clears up behind encodes. */
const upkeep = Layer.effectDiscard(Effect.gen(function*() {
  const sweeper = yield* Sweeper
  const away = (error: { readonly message: string }) =>
    Effect.logWarning("The sweep waits for the database", { error: error.message })
  yield* sweeper.sweep.pipe(
    Effect.catchTag("JobStoreUnavailable", away),
    Effect.repeat(Schedule.spaced(sweepEvery)),
    Effect.forkScoped
  )
  yield* sweeper.repairMirror.pipe(
    Effect.catchTag("JobStoreUnavailable", away),
    Effect.repeat(Schedule.spaced(repairEvery)),
    Effect.forkScoped
  )
  const leftovers = yield* EncodeLeftovers
  yield* leftovers.clear.pipe(
    Effect.catchTag("JobStoreUnavailable", away),
    Effect.repeat(Schedule.spaced(clearEvery)),
    Effect.forkScoped
  )
  yield* abortAbandonedUploads(uploadPatienceMillis).pipe(
    Effect.catchTag("ObjectStoreUnavailable", (error) =>
      Effect.logWarning("Abandoned uploads stay for now", { error: error.message })),
    Effect.repeat(Schedule.spaced(uploadsEvery)),
    Effect.forkScoped
  )
}))

/** Runs of Batch that it does not know any more are nothing that a sweep could tell; those of this machine are always known. */
const reconciliation = Layer.effectDiscard(
  reconcile.pipe(
    Effect.catchTags({
      EncodeRuntimeUnavailable: (error) => Effect.logWarning("The reconciliation waits for Batch", { error: error.message }),
      JobStoreUnavailable: (error) => Effect.logWarning("The reconciliation waits for the database", { error: error.message })
    }),
    Effect.repeat(Schedule.spaced(reconcileEvery)),
    Effect.forkScoped
  )
)

type DatabaseFailure =
  | Config.ConfigError
  | DatabaseUrlInvalid
  | FolderInUse
  | FolderUnusable
  | PgliteUnavailable
  | SqlError

/**
 * The whole system in this process: the origin with the edge mounted, the consumer, the upkeep; and the encodes as child processes,
 * if they are not on Batch. Each real service replaces its stand-in by its variables.
 *
 * Nothing of Redis is in the type of its failures: it starts without.
 */
export const systemLayer = (settings: SystemSettings) => {
  const { data, messages, publicUrl, secret, services } = settings

  const host = PgliteHost.layer({ dataDir: data.database })
  const client: Layer.Layer<SqlClient, DatabaseFailure> = services.DATABASE_URL === undefined
    ? layerPglite.pipe(Layer.provide(host))
    : layerFor(Redacted.make(services.DATABASE_URL))
  const stores = Layer.mergeAll(
    JobStorePostgres.layer,
    MessageLedgerPostgres.layer,
    StudentContactsPostgres.layer,
    EncodeMissesPostgres.layer,
    EncodePartsPostgres.layer,
    RunHistoryPostgres.layer,
    StudentStorePostgres.layer
  ).pipe(
    Layer.provide(Layer.effectDiscard(migrate).pipe(Layer.provideMerge(client)))
  )

  const mirror = services.REDIS_URL === undefined
    ? ProgressMirrorMemory.layer
    : Layer.merge(ProgressMirrorRedis.layerWith(), ProgressReaderRedis.layerWith()).pipe(
      Layer.provide(RedisConnection.layer({ url: Redacted.make(services.REDIS_URL), eager: true }))
    )

  const grants = ObjectGrants.layer(secret)
  const s3 = s3Settings(services)
  const objects = Option.match(s3, {
    onNone: () => ObjectStoreFiles.layer({ root: data.objects, publicUrl }).pipe(Layer.provide(grants)),
    onSome: (found) =>
      ObjectStoreS3.layer({ ...s3Client(found), bucket: found.bucket, forcePathStyle: services.R2_ENDPOINT === undefined })
  })
  const playback = services.MEDIA_BASE_URL === undefined
    ? PlaybackUrlsLocal.layer({ publicUrl, expiresInSeconds: playbackSeconds }).pipe(Layer.provide(grants))
    : PlaybackUrlsCdn.layer({ baseUrl: services.MEDIA_BASE_URL })

  const queues = sqsQueues(services)
  const queue = Option.match(queues, {
    onNone: () => JobQueueInProcess.layer,
    onSome: (found) =>
      JobQueueSqs.layer({ region: services.AWS_REGION ?? defaultRegion, queues: found, receiveFrom: lanes })
  })

  const embedded = Layer.mergeAll(
    services.DATABASE_URL === undefined ? host : Layer.empty,
    services.REDIS_URL === undefined ? ProgressMirrorMemory.layer : Layer.empty
  )
  const runtime = services.VIDEO_BATCH_JOB_QUEUE === undefined
    ? Layer.unwrap(Effect.gen(function*() {
      const database = yield* Effect.serviceOption(PgliteHost)
      const memory = yield* Effect.serviceOption(MirrorMemory)
      return EncodeRuntimeProcess.layer({
        command: process.execPath,
        args: [workerProgram],
        env: workerEnvironment(settings),
        concurrency: settings.encodes,
        ports: {
          ...Option.match(database, { onNone: () => ({}), onSome: ({ acquire }) => ({ sql: acquire }) }),
          ...Option.match(memory, { onNone: () => ({}), onSome: ({ write }) => ({ mirror: write }) })
        }
      })
    })).pipe(Layer.provide(embedded))
    : EncodeRuntimeBatch.layer({
      region: services.AWS_REGION ?? defaultRegion,
      jobQueue: services.VIDEO_BATCH_JOB_QUEUE,
      jobDefinition: services.VIDEO_BATCH_JOB_DEFINITION ?? batchVariables.jobDefinition.default
    })

  const inProcess = services.VIDEO_BATCH_JOB_QUEUE === undefined && Option.isNone(queues)
  const sweeper = Sweeper.layer({
    redispatchAfterMillis: inProcess ? redispatchAfterMillis.inProcess : redispatchAfterMillis.elsewhere,
    limit: 100
  })

  const domain = sweeper.pipe(
    Layer.provideMerge(Layer.merge(VideoDeletion.layer, EncodeLeftovers.layer)),
    Layer.provideMerge(Layer.merge(JobRecorder.layer, JobDispatcher.layerWith(encodeArray(services)))),
    Layer.provideMerge(Layer.mergeAll(
      stores,
      mirror,
      objects,
      playback,
      queue,
      runtime,
      grants,
      sendingBreaker,
      messageProviders(messages, data.sandboxMessages),
      TextRecognitionTesseract.layer
    ))
  )

  const origin = Layer.unwrap(Effect.gen(function*() {
    const reader = yield* ProgressReader
    const verifier = makeTokenVerifier({ secrets: [Redacted.value(secret)] })
    const context = yield* Effect.context<never>()
    const run = Effect.runPromiseWith(context)
    const redisUrl = services.REDIS_URL
    const changes = redisUrl === undefined
      ? undefined
      : yield* Effect.acquireRelease(
        Effect.sync(() => makeRedisProgressChanges(redisUrl)),
        (subscription) => Effect.sync(() => subscription.close())
      )
    const edge = yield* Effect.acquireRelease(
      Effect.sync(() =>
        makeEdge({
          read: (tenantId, subjects) => run(reader.read(tenantId, subjects)),
          verify: verifier,
          accessLog: settings.accessLog
            ? makeAccessLog({ mode: "summary", write: (lines) => void process.stderr.write(lines) })
            : noAccessLog,
          defer: setImmediate,
          events: changes === undefined ? {} : { changes }
        })
      ),
      // Streams that are open would keep the server from closing.
      (opened) => Effect.sync(opened.close)
    )
    return OriginHandler.layer({ progress: edge.handler, verifier, watchTokens: { secret } }).pipe(
      Layer.provide(Layer.succeed(CurrentMessagingTerms, { limits: messages.limits, prices: messages.prices }))
    )
  }))

  const consumer = Layer.effectDiscard(
    Effect.flatMap(jobHandlers({ workRoot: data.work, messaging: messages }), (handlers) =>
      consume(handlers, { ...defaultConsumerOptions, leaseMillis: leaseSeconds * 1000, graceMillis })).pipe(Effect.forkScoped)
  )

  const forgetting = Layer.effectDiscard(Effect.forkScoped(forgetMessages(messages.retentionMillis)))

  const onBatch = services.VIDEO_BATCH_JOB_QUEUE === undefined ? Layer.empty : reconciliation

  return Layer.mergeAll(origin, consumer, upkeep, forgetting, onBatch).pipe(Layer.provide(domain))
}
