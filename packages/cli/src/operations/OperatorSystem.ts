import { batchVariables, EncodeRuntimeBatch } from "@lectern/adapters/batch"
import {
  type BadConfiguration,
  encodeArray,
  readEnvironment,
  s3Settings,
  serviceContradictions,
  type Services,
  serviceVariables,
  sqsQueues
} from "@lectern/adapters/environment"
import { EncodeMissesPostgres, EncodePartsPostgres, JobStorePostgres, layerFor, RunHistoryPostgres } from "@lectern/adapters/postgres"
import { ProgressMirrorRedis, RedisConnection } from "@lectern/adapters/redis"
import { ObjectStoreS3 } from "@lectern/adapters/s3"
import { type DeadLetterQueue, JobQueueSqs } from "@lectern/adapters/sqs"
import { EncodeLeftovers, JobDispatcher, JobRecorder, Sweeper, VideoDeletion } from "@lectern/domain"
import { type Effect, Layer, Option, Redacted } from "effect"
import { refusingMirror, refusingObjects, refusingQueue, refusingRuntime } from "./refusingPorts.ts"

/** As long as the API's own sweep waits before it hands a job over again, in milliseconds. */
const redispatchAfterMillis = 15 * 60_000
const rowsOfASweep = 1_000
const defaultRegion = "ap-northeast-2"

/** What operators' commands read of an environment, checked as a whole. */
export const readOperatorEnvironment = (
  variables: Readonly<Record<string, string | undefined>>
): Effect.Effect<Services, BadConfiguration> => readEnvironment(serviceVariables, variables, serviceContradictions)

/** The dead-letter queues that the environment names; none where it names no queues. */
export const deadLetterQueues = (services: Services): ReadonlyArray<DeadLetterQueue> =>
  Option.match(sqsQueues(services), {
    onNone: () => [],
    onSome: (queues) =>
      Object.values(queues).map(({ deadLetterUrl: url }) => ({ url, region: services.AWS_REGION ?? defaultRegion }))
  })

/**
 * A deployment's services as an operator reaches them: the database, and whatever else the environment names. What it does not
 * name refuses each call, so that a command does what it can and says what it could not.
 */
export const operatorLayer = (services: Services, databaseUrl: string) => {
  const { REDIS_URL } = services
  const region = services.AWS_REGION ?? defaultRegion
  const stores = Layer.mergeAll(
    JobStorePostgres.layer,
    EncodeMissesPostgres.layer,
    EncodePartsPostgres.layer,
    RunHistoryPostgres.layer
  ).pipe(
    Layer.provideMerge(layerFor(Redacted.make(databaseUrl)))
  )
  const mirror = REDIS_URL === undefined ? refusingMirror : ProgressMirrorRedis.layer({ url: Redacted.make(REDIS_URL) })
  const queue = Option.match(sqsQueues(services), {
    onNone: () => refusingQueue,
    onSome: (queues) => JobQueueSqs.layer({ region, queues, receiveFrom: ["basic"] })
  })
  const runtime = services.VIDEO_BATCH_JOB_QUEUE === undefined
    ? refusingRuntime
    : EncodeRuntimeBatch.layer({
      region,
      jobQueue: services.VIDEO_BATCH_JOB_QUEUE,
      jobDefinition: services.VIDEO_BATCH_JOB_DEFINITION ?? batchVariables.jobDefinition.default
    })
  const objects = Option.match(s3Settings(services), {
    onNone: () => refusingObjects,
    onSome: ({ accessKeyId, bucket, endpoint, region, secretAccessKey }) =>
      ObjectStoreS3.layer({
        region,
        endpoint,
        bucket,
        credentials: { accessKeyId, secretAccessKey },
        forcePathStyle: services.R2_ENDPOINT === undefined
      })
  })
  const redis = RedisConnection.layer({ url: Redacted.make(REDIS_URL ?? "") })
  return Sweeper.layer({ redispatchAfterMillis, limit: rowsOfASweep }).pipe(
    Layer.provideMerge(Layer.merge(VideoDeletion.layer, EncodeLeftovers.layer)),
    Layer.provideMerge(Layer.merge(JobRecorder.layer, JobDispatcher.layerWith(encodeArray(services)))),
    Layer.provideMerge(Layer.mergeAll(stores, mirror, queue, runtime, objects, redis))
  )
}
