/**
 * A worker of messages as a process of its own: the real stores, queue and provider, and leases short enough for a
 * test. It is told where they are by its first argument, and prints a line when it has started.
 */
import { JobStorePostgres, layerTcp, MessageLedgerPostgres } from "@lectern/adapters/postgres"
import { makeMessageProviderSolapi } from "@lectern/adapters/solapi"
import { JobQueueSqs } from "@lectern/adapters/sqs"
import { JobRecorder, MessageProviders } from "@lectern/domain"
import { ProgressMirrorMemory } from "@lectern/domain/memory"
import { Console, Effect, Layer, Redacted, References, Schema } from "effect"
import { consume, defaultConsumerOptions, messagingJob, sendingBreaker } from "../../src/index.ts"
import { leaseMillis, shortLives } from "./shortLives.ts"

const Places = Schema.fromJsonString(Schema.Struct({
  database: Schema.String,
  queue: Schema.String,
  solapi: Schema.String,
  apiKey: Schema.String,
  apiSecret: Schema.String
}))
const places = Schema.decodeSync(Places)(process.argv[2] ?? "")

const queue = { url: places.queue, deadLetterUrl: `${places.queue}-dlq` }
const provider = makeMessageProviderSolapi({
  apiKey: places.apiKey,
  apiSecret: Redacted.make(places.apiSecret),
  baseUrl: places.solapi,
  sender: "0212345678"
})
const services = JobRecorder.layer.pipe(
  Layer.provide(ProgressMirrorMemory.layer),
  Layer.provideMerge(Layer.mergeAll(
    Layer.merge(JobStorePostgres.layerWith(shortLives), MessageLedgerPostgres.layer).pipe(
      Layer.provide(layerTcp({ url: Redacted.make(places.database) }))
    ),
    JobQueueSqs.layer({
      region: "us-east-1",
      endpoint: new URL(places.queue).origin,
      credentials: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") },
      queues: { lite: queue, basic: queue, premium: queue, messaging: queue },
      receiveFrom: ["messaging"]
    }),
    Layer.succeed(MessageProviders, { phone: provider, email: provider }),
    sendingBreaker,
    Layer.succeed(References.MinimumLogLevel, "Error")
  ))
)

const handler = messagingJob({ limits: { perMinute: 1_000_000, perDay: 1_000_000 }, quietHours: null })

await Effect.runPromise(
  Console.log("started").pipe(
    Effect.andThen(consume({ messaging: handler }, { ...defaultConsumerOptions, leaseMillis, waitSeconds: 2 })),
    Effect.provide(services)
  )
)
