import { JobStorePostgres, layerFor, MessageLedgerPostgres, StudentStorePostgres } from "@lectern/adapters/postgres"
import { ProgressMirrorRedis } from "@lectern/adapters/redis"
import { ObjectStoreS3 } from "@lectern/adapters/s3"
import { JobQueueSqs } from "@lectern/adapters/sqs"
import { JobRecorder } from "@lectern/domain"
import { Effect, Layer } from "effect"
import { tmpdir, totalmem } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { consume, defaultConsumerOptions } from "./Consumer.ts"
import type { Handlers } from "./JobHandler.ts"
import { jobHandlers } from "./jobHandlers.ts"
import { forgetMessages, messageProviders, noMessageProviders, sendingBreaker } from "./messaging/index.ts"
import { TextRecognitionTesseract } from "./recognition/index.ts"
import type { WorkerSettings } from "./WorkerSettings.ts"

/** What of the memory is for jobs; the rest is for the program itself and for what a handler was wrong about. */
const shareForJobs = 0.7

/** MiB that the jobs of this process may hold: a share of what the container has, or the machine. */
const memoryForJobs = (): number => {
  const limit = process.constrainedMemory()
  const bytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem()
  return Math.max(64, Math.floor(bytes * shareForJobs / 2 ** 20))
}

/** Where messages that nobody sends can be looked at. */
const sandboxName = "lectern-sandbox-messages.txt"

/** What a worker works with. Redis is in none of its failures. */
const services = (settings: WorkerSettings) =>
  JobRecorder.layer.pipe(
    Layer.provide(ProgressMirrorRedis.layer({ url: settings.redis, eager: true })),
    Layer.provideMerge(
      Layer.mergeAll(JobStorePostgres.layer, MessageLedgerPostgres.layer, StudentStorePostgres.layer).pipe(
        Layer.provide(layerFor(settings.database))
      )
    ),
    Layer.provideMerge(Layer.mergeAll(
      TextRecognitionTesseract.layer,
      sendingBreaker,
      // A worker that carries no messages needs nobody to send them, in production either.
      settings.receiveFrom.includes("messaging")
        ? messageProviders(settings.messages, join(settings.workRoot ?? tmpdir(), sandboxName))
        : noMessageProviders,
      JobQueueSqs.layer({ region: settings.region, queues: settings.queues, receiveFrom: settings.receiveFrom }),
      ObjectStoreS3.layer({
        endpoint: settings.s3.endpoint,
        region: settings.s3.region,
        bucket: settings.s3.bucket,
        credentials: { accessKeyId: settings.s3.accessKeyId, secretAccessKey: settings.s3.secretAccessKey },
        forcePathStyle: settings.pathStyle
      })
    ))
  )

/**
 * A worker of the queues, until it is interrupted: then it fetches nothing more, and ends or gives back what it has
 * in hand.
 */
export const runWorker = (settings: WorkerSettings) =>
  runWorkerWith(settings, jobHandlers({ workRoot: settings.workRoot ?? tmpdir(), messaging: settings.messages }))

/** As `runWorker`, with handlers of one's own. */
export const runWorkerWith = <E, R>(settings: WorkerSettings, makeHandlers: Effect.Effect<Handlers, E, R>) =>
  Effect.gen(function*() {
    const { concurrency, graceMillis, leaseMillis, receiveFrom } = settings
    const memoryMiB = settings.memoryMiB ?? memoryForJobs()
    const handlers = yield* makeHandlers
    yield* Effect.logInfo("The worker has started", {
      queues: receiveFrom.join(" "),
      kinds: Object.keys(handlers).join(" "),
      concurrency,
      memoryMiB
    })
    yield* Effect.forkChild(forgetMessages(settings.messages.retentionMillis))
    return yield* consume(handlers, { ...defaultConsumerOptions, concurrency, graceMillis, leaseMillis, memoryMiB })
  }).pipe(Effect.provide(services(settings)))
