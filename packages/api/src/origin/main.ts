/**
 * The origin as a program of its own: it takes uploads in, writes the rows, and hands the work to Batch and to the
 * queues, whose workers are other programs. The progress paths are mounted, so that one server can answer everything.
 *
 * Exit codes: 78 the configuration is wrong, 75 the database cannot be reached, 69 the port is not to be had, 70 a
 * fault of ours, 0 told to stop, when the requests in hand have been answered.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { EncodeRuntimeBatch } from "@lectern/adapters/batch"
import { ObjectGrants, PlaybackUrlsLocal } from "@lectern/adapters/files"
import {
  JobStorePostgres,
  layerFor,
  MessageLedgerPostgres,
  migrate,
  StudentContactsPostgres,
  StudentStorePostgres
} from "@lectern/adapters/postgres"
import {
  makeRedisProgressChanges,
  ProgressMirrorRedis,
  ProgressReaderRedis,
  RedisConnection
} from "@lectern/adapters/redis"
import { ObjectStoreS3, PlaybackUrlsCdn } from "@lectern/adapters/s3"
import { JobQueueSqs, lanes } from "@lectern/adapters/sqs"
import { makeAccessLog, makeEdge } from "@lectern/api/edge"
import { makeTokenVerifier } from "@lectern/api/tokens"
import { JobDispatcher, JobRecorder, ProgressReader, VideoDeletion } from "@lectern/domain"
import { makeProgram, programExits } from "@lectern/observability"
import { Context, Effect, Layer, Redacted } from "effect"
import { CurrentMessagingTerms } from "./MessagingHandlers.ts"
import { OriginHandler } from "./OriginHandler.ts"
import { type OriginSettings, readOriginSettings } from "./OriginSettings.ts"
import { serveOrigin } from "./serveOrigin.ts"

const { ending, observed, refused } = makeProgram({ service: "origin", name: "The origin", stopped: 0 })

/** EX_UNAVAILABLE of sysexits.h. */
const portUnavailable = 69

/** How long a playback address stays valid: a school day. */
const playbackSeconds = 12 * 3_600

/** What the origin works with. Redis is in none of its failures. */
const services = (settings: OriginSettings) => {
  const { mediaBaseUrl, publicUrl, region, s3 } = settings
  const stores = Layer.mergeAll(
    JobStorePostgres.layer,
    MessageLedgerPostgres.layer,
    StudentContactsPostgres.layer,
    StudentStorePostgres.layer
  ).pipe(
    Layer.provide(Layer.effectDiscard(migrate).pipe(Layer.provideMerge(layerFor(settings.database))))
  )
  const mirror = Layer.merge(ProgressMirrorRedis.layerWith(), ProgressReaderRedis.layerWith()).pipe(
    Layer.provide(RedisConnection.layer({ url: settings.redis, eager: true }))
  )
  const grants = ObjectGrants.layer(settings.secret)
  const objects = ObjectStoreS3.layer({
    endpoint: s3.endpoint,
    region: s3.region,
    bucket: s3.bucket,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
    forcePathStyle: settings.pathStyle
  })
  const playback = mediaBaseUrl === null
    ? PlaybackUrlsLocal.layer({ publicUrl, expiresInSeconds: playbackSeconds }).pipe(Layer.provide(grants))
    : PlaybackUrlsCdn.layer({ baseUrl: mediaBaseUrl })
  return VideoDeletion.layer.pipe(
    Layer.provideMerge(Layer.merge(JobRecorder.layer, JobDispatcher.layerWith(settings.array))),
    Layer.provideMerge(Layer.mergeAll(
      stores,
      mirror,
      objects,
      playback,
      grants,
      JobQueueSqs.layer({ region, queues: settings.queues, receiveFrom: lanes }),
      EncodeRuntimeBatch.layer({ region, ...settings.batch })
    ))
  )
}

/** The origin's handler with the edge's mounted: one reader of progress, one verifier of tokens. */
const handler = ({ messaging, redis, secret }: OriginSettings) =>
  Layer.unwrap(Effect.gen(function*() {
    const reader = yield* ProgressReader
    const run = Effect.runPromiseWith(yield* Effect.context<never>())
    const changes = yield* Effect.acquireRelease(
      Effect.sync(() => makeRedisProgressChanges(Redacted.value(redis))),
      (subscription) => Effect.sync(() => subscription.close())
    )
    const verifier = makeTokenVerifier({ secrets: [Redacted.value(secret)] })
    const edge = yield* Effect.acquireRelease(
      Effect.sync(() =>
        makeEdge({
          read: (tenantId, subjects) => run(reader.read(tenantId, subjects)),
          verify: verifier,
          accessLog: makeAccessLog({ mode: "summary", write: (lines) => void process.stderr.write(lines) }),
          defer: setImmediate,
          events: { changes }
        })
      ),
      // Streams that are open would keep the server from closing.
      (opened) => Effect.sync(opened.close)
    )
    return OriginHandler.layer({ progress: edge.handler, verifier, watchTokens: { secret } }).pipe(
      Layer.provide(Layer.succeed(CurrentMessagingTerms, messaging))
    )
  }))

const serve = (settings: OriginSettings) =>
  observed(Effect.gen(function*() {
    const context = yield* Layer.build(handler(settings).pipe(Layer.provide(services(settings))))
    const server = yield* serveOrigin({
      host: settings.host,
      port: settings.port,
      handler: Context.get(context, OriginHandler)
    })
    yield* Effect.logInfo("The origin listens", { url: server.url, publicUrl: settings.publicUrl })
    return yield* Effect.never
  }).pipe(
    Effect.scoped,
    Effect.catchTags({
      DatabaseUrlInvalid: refused,
      GrantSecretRefused: refused,
      MigrationChanged: (error) => Effect.as(Effect.logFatal(error.message), programExits.bug),
      SchemaError: (error) =>
        Effect.as(Effect.logFatal("The database's record of migrations cannot be read", error), programExits.bug),
      ServeOriginFailed: (error) => Effect.as(Effect.logFatal(error.message), portUnavailable),
      SqlError: (error) =>
        Effect.as(Effect.logError("The database cannot be reached", { error: error.message }), programExits.temporary)
    })
  ))

NodeRuntime.runMain(
  readOriginSettings(process.env).pipe(
    Effect.flatMap(serve),
    Effect.catchTag("BadConfiguration", refused)
  ),
  ending
)
