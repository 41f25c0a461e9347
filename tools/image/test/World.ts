import { JobStorePostgres, layerTcp, migrate } from "@lectern/adapters/postgres"
import { ProgressMirrorRedis, ProgressReaderRedis, RedisConnection } from "@lectern/adapters/redis"
import { ObjectStoreS3 } from "@lectern/adapters/s3"
import { lanes } from "@lectern/adapters/sqs"
import {
  hlsPrefix,
  type JobId,
  JobRecorder,
  JobStore,
  newJobId,
  ObjectStore,
  ProgressReader,
  TenantId,
  type VideoId,
  videoSubject
} from "@lectern/domain"
import { FauxqsServer, PostgresServer, RedisServer } from "@lectern/harness"
import { Context, Effect, Layer, Redacted, Stream } from "effect"

export const tenant = TenantId.make(7)
const bucket = "lectern-media"
const credentials = { id: "key", secret: "secret" }

/** A video that waits for its encode, as an upload leaves it. */
export interface WaitingEncode {
  readonly jobId: JobId
  readonly videoId: VideoId
  /** What the container is told. */
  readonly env: Readonly<Record<string, string>>
}

/** A Postgres, a Redis and an S3 server on this machine, and our own view of what a container leaves there. */
export const makeWorld = Effect.gen(function*() {
  const postgres = yield* PostgresServer.make()
  const redis = yield* RedisServer.make()
  const s3 = yield* FauxqsServer.make
  const made = yield* Effect.promise(() => fetch(`${s3.url}/${bucket}`, { method: "PUT" }))
  if (!made.ok) return yield* Effect.die(new Error(`Cannot make the bucket: status ${made.status}`))
  const databaseUrl = yield* postgres.createDatabase("lectern")

  const client = layerTcp({ url: Redacted.make(databaseUrl) })
  const stores = JobStorePostgres.layer.pipe(
    Layer.provide(Layer.effectDiscard(migrate).pipe(Layer.provideMerge(client)))
  )
  const mirror = Layer.merge(ProgressMirrorRedis.layerWith(), ProgressReaderRedis.layerWith()).pipe(
    Layer.provide(RedisConnection.layer({ url: Redacted.make(redis.url), eager: true }))
  )
  const context = yield* Layer.build(
    JobRecorder.layer.pipe(
      Layer.provideMerge(Layer.mergeAll(
        stores,
        mirror,
        ObjectStoreS3.layer({
          endpoint: s3.url,
          region: "auto",
          bucket,
          credentials: { accessKeyId: credentials.id, secretAccessKey: Redacted.make(credentials.secret) },
          forcePathStyle: true
        })
      ))
    )
  )
  const recorder = Context.get(context, JobRecorder)
  const store = Context.get(context, JobStore)
  const objects = Context.get(context, ObjectStore)
  const reader = Context.get(context, ProgressReader)

  const services = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redis.url,
    S3_ENDPOINT: s3.url,
    S3_BUCKET: bucket,
    S3_ACCESS_KEY_ID: credentials.id,
    S3_SECRET_ACCESS_KEY: credentials.secret
  }

  const uploaded = Effect.fnUntraced(function*(raw: Uint8Array) {
    const jobId = yield* newJobId
    const { video } = yield* recorder.commit(store.createVideo(tenant, {
      title: "1강",
      filename: "1.mp4",
      contentType: "video/mp4",
      session: null,
      fileKey: `tenants/${tenant}/video/raw/${jobId}.mp4`
    }))
    const head = { contentType: "video/mp4", cacheControl: "", size: raw.length }
    yield* objects.put(video.fileKey, Stream.make(raw), head)
    yield* recorder.commit(store.completeUpload(tenant, video.id, { jobId, fileSize: raw.length }))
    const env = { ...services, VIDEO_JOB_ID: jobId, VIDEO_TENANT_ID: String(tenant) }
    return { jobId, videoId: video.id, env } satisfies WaitingEncode
  }, Effect.orDie)

  const createQueue = Effect.fnUntraced(function*(name: string) {
    const answer = yield* Effect.promise(() =>
      fetch(`${s3.url}/`, {
        method: "POST",
        headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.CreateQueue" },
        body: JSON.stringify({ QueueName: name })
      })
    )
    if (!answer.ok) return yield* Effect.die(new Error(`Cannot make the queue ${name}: status ${answer.status}`))
    // With the address that it is reached at: the answer names a host that only AWS's own resolver knows.
    return `${s3.url}/000000000000/${name}`
  })

  return {
    services,
    /** The queues and their dead letters, made on the spot, as the environment names them. */
    queues: Effect.gen(function*() {
      const urls: Record<string, string> = {
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: credentials.id,
        AWS_SECRET_ACCESS_KEY: credentials.secret
      }
      for (const lane of lanes) {
        urls[`SQS_QUEUE_URL_${lane.toUpperCase()}`] = yield* createQueue(`academy-${lane}`)
        yield* createQueue(`academy-${lane}-dlq`)
      }
      return urls
    }),
    uploaded,
    /** The row. */
    record: ({ jobId }: WaitingEncode) => Effect.orDie(store.getJob(tenant, jobId)),
    /** The text that pollers are shown. */
    mirrored: ({ videoId }: WaitingEncode) =>
      Effect.map(Effect.orDie(reader.read(tenant, [videoSubject(videoId)])), ([stored]) => stored?.status ?? null),
    /** The names of what is published, below the prefix of the video. */
    published: ({ videoId }: WaitingEncode) =>
      Effect.orDie(Stream.runCollect(objects.list(hlsPrefix(tenant, videoId)))).pipe(
        Effect.map((keys) => keys.map((key) => key.slice(hlsPrefix(tenant, videoId).length)).sort())
      )
  }
})

export type World = Effect.Success<typeof makeWorld>
