import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs"
import { assert, describe, it } from "@effect/vitest"
import { JobMessage, JobQueue, TenantId } from "@lectern/domain"
import { ClosedPort, SilentPort } from "@lectern/harness"
import { Context, Effect, Fiber, Layer, Redacted, Result, type Scope } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { once } from "node:events"
import { createServer } from "node:http"
import {
  JobQueueSqs,
  type JobQueueSqsOptions,
  jobQueueNames,
  lanes,
  maxReceiveCount,
  messagingQueueName,
  type QueueNames,
  type SqsQueue,
  type SqsQueues
} from "../../src/sqs/index.ts"
import { jobQueueSuite, messageFor } from "../conformance/JobQueueSuite.ts"
import { startFauxqsInMemory } from "./FauxqsInMemory.ts"

const credentials = { accessKeyId: "key", secretAccessKey: "secret" }

const client = (endpoint: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new SQSClient({ endpoint, region: "us-east-1", credentials })),
    (sqs) => Effect.sync(() => sqs.destroy())
  )

const settings = (endpoint: string, queues: JobQueueSqsOptions["queues"]): JobQueueSqsOptions => ({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") },
  queues,
  receiveFrom: ["basic"]
})

/** New queues for every lane on a server, with the contract's redrive policy. */
const makeQueues = Effect.fnUntraced(function*(sqs: SQSClient) {
  const run = randomUUID()
  const make = (name: string, attributes: Record<string, string>) =>
    Effect.map(
      Effect.promise(() => sqs.send(new CreateQueueCommand({ QueueName: `${name}-${run}`, Attributes: attributes }))),
      ({ QueueUrl }) => QueueUrl ?? ""
    )
  const pair = Effect.fnUntraced(function*({ deadLetterQueue, queue }: QueueNames) {
    const deadLetterUrl = yield* make(deadLetterQueue, {})
    const deadLetterTargetArn = `arn:aws:sqs:us-east-1:000000000000:${deadLetterQueue}-${run}`
    const url = yield* make(queue, { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }) })
    return { url, deadLetterUrl }
  })
  return {
    lite: yield* pair(jobQueueNames.lite),
    basic: yield* pair(jobQueueNames.basic),
    premium: yield* pair(jobQueueNames.premium),
    messaging: yield* pair(messagingQueueName)
  }
})

const setUp = (server: { readonly url: string }) =>
  Effect.gen(function*() {
    const sqs = yield* client(server.url)
    const queues = yield* makeQueues(sqs)
    return { sqs, queues, options: settings(server.url, queues) }
  })

const shared = Layer.unwrap(
  Effect.gen(function*() {
    const { options } = yield* setUp(yield* startFauxqsInMemory)
    return JobQueueSqs.layer(options)
  })
)

/** Answers every SendMessage, and keeps what it was asked. */
const recordingServer = (requests: Array<unknown>): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const server = createServer((request, response) => {
          const chunks: Array<Buffer> = []
          request.on("data", (chunk: Buffer) => chunks.push(chunk))
          request.on("end", () => {
            const asked = Object(JSON.parse(Buffer.concat(chunks).toString()))
            requests.push(asked)
            response.setHeader("content-type", "application/x-amz-json-1.0")
            response.end(JSON.stringify({
              MessageId: randomUUID(),
              MD5OfMessageBody: createHash("md5").update(String(asked.MessageBody)).digest("hex")
            }))
          })
        }).listen(0, "127.0.0.1")
        await once(server, "listening")
        return server
      }),
      (server) => Effect.promise(async () => {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      })
    ),
    (server) => {
      const address = server.address()
      return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`
    }
  )

const everywhere = (queue: SqsQueue): SqsQueues => ({ lite: queue, basic: queue, premium: queue, messaging: queue })

const queueWith = (options: JobQueueSqsOptions) =>
  Effect.map(Layer.build(JobQueueSqs.layer(options)), (context) => Context.get(context, JobQueue))

jobQueueSuite("SQS", shared)

describe("JobQueueSqs", () => {
  it.live("hands out a text that is no message of ours as malformed, and puts it aside with the text as it was", () =>
    Effect.gen(function*() {
      const { options, queues, sqs } = yield* setUp(yield* startFauxqsInMemory)
      const queue = yield* queueWith(options)
      for (const body of ["not json", "{\"job_id\": 5}"]) {
        yield* Effect.promise(() => sqs.send(new SendMessageCommand({ QueueUrl: queues.basic.url, MessageBody: body })))
        const [delivery] = yield* queue.receive({ max: 1, waitSeconds: 10, visibilitySeconds: 30 })
        assert.isDefined(delivery)
        assert.isTrue(Result.isFailure(delivery.message))
        yield* delivery.bury
        const aside = yield* Effect.promise(() =>
          sqs.send(new ReceiveMessageCommand({ QueueUrl: queues.basic.deadLetterUrl, WaitTimeSeconds: 5 }))
        )
        assert.deepStrictEqual(aside.Messages?.map(({ Body }) => Body), [body])
      }
    }))

  it.live("says whose message it is, so that SQS lets no tenant crowd the others out", () =>
    Effect.gen(function*() {
      const sent: Array<unknown> = []
      const server = yield* recordingServer(sent)
      const queues = { url: `${server}/000000000000/jobs`, deadLetterUrl: `${server}/000000000000/jobs-dlq` }
      const queue = yield* queueWith(settings(server, everywhere(queues)))
      yield* queue.send(new JobMessage({ ...messageFor("a"), tenant_id: TenantId.make(42) }))
      assert.deepStrictEqual(sent.map((request) => Object(request).MessageGroupId), ["42"])
    }))

  it.live("sends messages to people to a queue of their own", () =>
    Effect.gen(function*() {
      const { options } = yield* setUp(yield* startFauxqsInMemory)
      const queue = yield* queueWith({ ...options, receiveFrom: lanes })
      const messaging = yield* queueWith({ ...options, receiveFrom: ["messaging"] })
      yield* queue.send(messageFor("import"))
      yield* queue.send(new JobMessage({ ...messageFor("message"), job_type: "messaging" }))
      const received = yield* messaging.receive({ max: 10, waitSeconds: 10, visibilitySeconds: 600 })
      assert.deepStrictEqual(
        received.map(({ message }): string => Result.isSuccess(message) ? message.success.job_id : "malformed"),
        ["message"]
      )
    }))

  it.live("sends each tier to its queue, and receives from the most urgent first", () =>
    Effect.gen(function*() {
      const { options } = yield* setUp(yield* startFauxqsInMemory)
      const all = yield* queueWith({ ...options, receiveFrom: ["premium", "basic", "lite"] })
      const premiumOnly = yield* queueWith({ ...options, receiveFrom: ["premium"] })
      for (const tier of ["lite", "basic", "premium"] as const) {
        yield* all.send(new JobMessage({ ...messageFor(tier), tier }))
      }
      const order: Array<string> = []
      while (order.length < 3) {
        for (const { message } of yield* all.receive({ max: 10, waitSeconds: 10, visibilitySeconds: 600 })) {
          order.push(Result.isSuccess(message) ? message.success.tier : "malformed")
        }
      }
      assert.deepStrictEqual(order, ["premium", "basic", "lite"])
      yield* all.send(new JobMessage({ ...messageFor("other"), tier: "lite" }))
      assert.deepStrictEqual(yield* premiumOnly.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 1 }), [])
    }))

  it.live("gives back at once a message that comes while its receiver is being interrupted", () =>
    Effect.gen(function*() {
      const { options, queues, sqs } = yield* setUp(yield* startFauxqsInMemory)
      const queue = yield* queueWith(options)
      const receiver = yield* Effect.forkChild(
        queue.receive({ max: 1, waitSeconds: 20, visibilitySeconds: 600 }),
        { startImmediately: true }
      )
      const end = yield* Effect.forkChild(Fiber.interrupt(receiver), { startImmediately: true })
      yield* Effect.promise(() =>
        sqs.send(new SendMessageCommand({ QueueUrl: queues.basic.url, MessageBody: "taken by the poll under way" }))
      )
      yield* Fiber.join(end)
      const [delivery] = yield* queue.receive({ max: 1, waitSeconds: 10, visibilitySeconds: 30 })
      // Had the poll been aborted, the message would be hidden for ten minutes.
      assert.isDefined(delivery)
    }))

  it.live("gives up on a server that refuses connections or never answers, and says that a later call may do", () =>
    Effect.gen(function*() {
      const silent = yield* SilentPort.make
      const closed = yield* ClosedPort.make
      for (const { port } of [silent, closed]) {
        const url = `http://127.0.0.1:${port}`
        const nowhere = { url: `${url}/000000000000/q`, deadLetterUrl: `${url}/000000000000/q-dlq` }
        const queue = yield* queueWith({
          ...settings(url, everywhere(nowhere)),
          requestTimeoutMillis: 200,
          maxAttempts: 1
        })
        for (
          const call of [
            Effect.asVoid(queue.send(messageFor("a"))),
            Effect.asVoid(queue.receive({ max: 1, waitSeconds: 0, visibilitySeconds: 1 })),
            queue.ping
          ]
        ) {
          assert.isTrue((yield* Effect.flip(call)).retryable)
        }
      }
    }))

  it.live("takes a queue that does not exist for a fault that time does not mend", () =>
    Effect.gen(function*() {
      const server = yield* startFauxqsInMemory
      const missing = { url: `${server.url}/000000000000/missing`, deadLetterUrl: `${server.url}/000000000000/missing-dlq` }
      const queue = yield* queueWith(settings(server.url, everywhere(missing)))
      for (const call of [Effect.asVoid(queue.send(messageFor("a"))), queue.ping]) {
        assert.isFalse((yield* Effect.flip(call)).retryable)
      }
    }))
})
