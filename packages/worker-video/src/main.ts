/**
 * The Batch container's program: encodes the one video that `VIDEO_JOB_ID` and `VIDEO_TENANT_ID` name, and ends with what the
 * table in `ExitCode.ts` says. Started by `lectern up` it reaches database and mirror through its parent, where those are not
 * given by `DATABASE_URL` and `REDIS_URL`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { ObjectGrants, ObjectStoreFiles } from "@lectern/adapters/files"
import { exitWithParent, type IpcUnavailable, ProgressMirrorParent, SqlClientParent } from "@lectern/adapters/in-process"
import { type DatabaseUrlInvalid, EncodePartsPostgres, JobStorePostgres, layerFor } from "@lectern/adapters/postgres"
import { ProgressMirrorRedis } from "@lectern/adapters/redis"
import { ObjectStoreS3 } from "@lectern/adapters/s3"
import { EncodeLeftovers, JobRecorder, newUuid } from "@lectern/domain"
import { makeProgram } from "@lectern/observability"
import { type Config, Effect, Layer } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { tmpdir } from "node:os"
import { runEncode } from "./EncodeRun.ts"
import { Encoder } from "./encoder/index.ts"
import { ExitCode } from "./ExitCode.ts"
import { readWorkerSettings, type WorkerSettings } from "./WorkerSettings.ts"

/** A run hands out no addresses: whoever asks it to sign one has made a mistake. */
const noGrants = Layer.sync(ObjectGrants, () => {
  const refuse = Effect.die(new Error("Cannot sign or verify an address of an object: an encode has no secret"))
  return ObjectGrants.of({ sign: () => refuse, verify: () => refuse, authorize: () => refuse })
})

const objectStore = ({ objects }: WorkerSettings) =>
  objects._tag === "Bucket"
    ? ObjectStoreS3.layer({
      endpoint: objects.s3.endpoint,
      region: objects.s3.region,
      bucket: objects.s3.bucket,
      credentials: { accessKeyId: objects.s3.accessKeyId, secretAccessKey: objects.s3.secretAccessKey },
      forcePathStyle: objects.pathStyle
    })
    : ObjectStoreFiles.layer({ root: objects.root, publicUrl: "" }).pipe(Layer.provide(noGrants))

type DatabaseFailure = IpcUnavailable | SqlError | DatabaseUrlInvalid | Config.ConfigError

const database = (settings: WorkerSettings): Layer.Layer<SqlClient, DatabaseFailure> =>
  settings.database._tag === "Url" ? layerFor(settings.database.url) : SqlClientParent.layer

/** What a run works with. Redis is in none of its failures. */
const services = (settings: WorkerSettings) =>
  Layer.mergeAll(
    JobRecorder.layer.pipe(
      Layer.provide(settings.redis === null ? ProgressMirrorParent.layer : ProgressMirrorRedis.layer({ url: settings.redis, eager: true }))
    ),
    EncodeLeftovers.layer,
    Encoder.layerFfmpeg
  ).pipe(
    Layer.provideMerge(objectStore(settings)),
    Layer.provideMerge(Layer.merge(JobStorePostgres.layer, EncodePartsPostgres.layer).pipe(Layer.provide(database(settings))))
  )

const { ending, observed, refused } = makeProgram({
  service: "worker-video",
  name: "The encode worker",
  stopped: ExitCode.preempted
})

const temporary = (error: { readonly message: string }) =>
  Effect.as(Effect.logError(error.message), ExitCode.temporary)

/** Somebody else has the job, or nobody: there is nothing left to do. */
const takenAway = (error: { readonly message: string }) =>
  Effect.as(Effect.logWarning("The job was taken away", { error: error.message }), ExitCode.done)

const work = Effect.fnUntraced(function*(settings: WorkerSettings) {
  yield* exitWithParent
  yield* Effect.logInfo("The encode worker has started", { tenant: settings.job.tenantId, job: settings.job.jobId })
  return yield* runEncode(settings.job, {
    owner: settings.runId ?? `encode-${yield* newUuid}`,
    leaseMillis: settings.leaseMillis,
    workRoot: settings.workRoot ?? tmpdir(),
    arrayIndex: settings.arrayIndex
  }).pipe(Effect.provide(services(settings)))
}, (effect) =>
  observed(effect.pipe(
    Effect.scoped,
    Effect.catchTags({
      DatabaseUrlInvalid: refused,
      SqlError: (error) =>
        Effect.as(Effect.logError("The database cannot be reached", { error: error.message }), ExitCode.temporary),
      IpcUnavailable: temporary,
      JobStoreUnavailable: temporary,
      ObjectStoreUnavailable: temporary,
      JobNotFound: takenAway,
      LeaseLost: takenAway,
      IllegalTransition: (error) => Effect.die(error)
    })
  )))

const program = readWorkerSettings(process.env, process.send !== undefined).pipe(
  Effect.flatMap(work),
  Effect.catchTag("BadConfiguration", refused),
  Effect.provide(NodeServices.layer)
)

NodeRuntime.runMain(program, ending)
