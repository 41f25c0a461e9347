/** Ports of services that an operator's environment does not name: each call fails, and says which variable is missing. */
import {
  EncodeRuntime,
  EncodeRuntimeUnavailable,
  JobQueue,
  MirrorUnavailable,
  ObjectStore,
  ObjectStoreUnavailable,
  ProgressMirror,
  QueueUnavailable
} from "@lectern/domain"
import { Effect, Layer, Stream } from "effect"

const notSet = (variable: string): Error => new Error(`${variable} is not set`)

export const refusingRuntime: Layer.Layer<EncodeRuntime> = Layer.sync(EncodeRuntime, () => {
  const refuse = Effect.fail(
    new EncodeRuntimeUnavailable({
      operation: "ask Batch without VIDEO_BATCH_JOB_QUEUE",
      retryable: false,
      cause: notSet("VIDEO_BATCH_JOB_QUEUE")
    })
  )
  return EncodeRuntime.of({
    findableAfterMillis: 0,
    submit: () => refuse,
    find: () => refuse,
    describe: () => refuse,
    atWork: refuse,
    terminate: () => refuse
  })
})

export const refusingQueue: Layer.Layer<JobQueue> = Layer.sync(JobQueue, () => {
  const refuse = Effect.fail(
    new QueueUnavailable({ operation: "reach a queue without SQS_QUEUE_URL_*", retryable: false, cause: notSet("SQS_QUEUE_URL_*") })
  )
  return JobQueue.of({ send: () => refuse, receive: () => refuse, ping: refuse })
})

export const refusingMirror: Layer.Layer<ProgressMirror> = Layer.sync(ProgressMirror, () => {
  const refuse = Effect.fail(
    new MirrorUnavailable({ operation: "reach the mirror without REDIS_URL", cause: notSet("REDIS_URL") })
  )
  return ProgressMirror.of({ publish: () => refuse, tick: () => refuse, ping: refuse })
})

export const refusingObjects: Layer.Layer<ObjectStore> = Layer.sync(ObjectStore, () => {
  const error = new ObjectStoreUnavailable({
    operation: "reach, without R2_ENDPOINT or S3_ENDPOINT,",
    key: "any",
    retryable: false,
    cause: notSet("R2_ENDPOINT")
  })
  const refuse = Effect.fail(error)
  return ObjectStore.of({
    put: () => refuse,
    putIfUnchanged: () => refuse,
    get: () => Stream.fail(error),
    getPart: () => refuse,
    head: () => refuse,
    list: () => Stream.fail(error),
    remove: () => refuse,
    removePrefix: () => refuse,
    presignPut: () => refuse,
    presignGet: () => refuse,
    multipart: {
      begin: () => refuse,
      putPart: () => refuse,
      presignPart: () => refuse,
      parts: () => refuse,
      complete: () => refuse,
      abort: () => refuse,
      list: () => Stream.fail(error)
    },
    ping: refuse
  })
})
