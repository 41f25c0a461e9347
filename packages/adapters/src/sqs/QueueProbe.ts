/** Proves a queue by a message of one's own that goes through it, and never by a message of somebody else. */
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient
} from "@aws-sdk/client-sqs"
import { JobMessage, JobMessageJson, newUuid, QueueUnavailable, readinessJobId, TenantId, type Tier } from "@lectern/domain"
import { Clock, DateTime, Effect, Schema } from "effect"
import { type AwsClientOptions, call, clientConfig, isRetryable } from "../aws/AwsClient.ts"

/**
 * How the message came back.
 *
 * `Real`: through the real queue. `Worker`: a running worker took it out of the real queue first, and acknowledged it. `Twin`:
 * `busy` messages of others are in the real queue, which took ours and was not received from; the way back was proved by a
 * second queue that was made beside it for that.
 */
export type QueueTrip =
  | { readonly _tag: "Real" }
  | { readonly _tag: "Worker" }
  | { readonly _tag: "Twin"; readonly busy: number }

export interface QueueProbeOptions extends AwsClientOptions {
  readonly url: string
  readonly tier: Tier
}

const tag = "lectern-readiness"
const receives = 10
/** So that a message in the hands of the check comes back soon when it is killed. */
const visibilitySeconds = 5

const Counts = Schema.Struct({
  ApproximateNumberOfMessages: Schema.NumberFromString,
  ApproximateNumberOfMessagesNotVisible: Schema.NumberFromString
})
const decodeCounts = Schema.decodeUnknownEffect(Counts)

/**
 * Sends a tagged message and waits for it to come back, up to about ten seconds.
 *
 * A receive of SQS takes whatever is there, and counts towards the dead-letter queue even when it is given back at once
 * (INCIDENTS.md, 45). So the real queue is received from only while it is empty; a stranger that arrives in just that moment is
 * released at once, and nothing is received after it.
 */
export const probeQueue = (options: QueueProbeOptions): Effect.Effect<QueueTrip, QueueUnavailable> =>
  Effect.scoped(Effect.gen(function*() {
    const sqs = yield* Effect.acquireRelease(
      Effect.sync(() => new SQSClient({ ...clientConfig(options), endpoint: options.endpoint ?? new URL(options.url).origin })),
      (client) => Effect.sync(() => client.destroy())
    )
    const id = yield* newUuid
    const text = yield* Effect.orDie(Schema.encodeEffect(JobMessageJson)(
      new JobMessage({
        job_id: readinessJobId(id),
        job_type: "student_import",
        tier: options.tier,
        tenant_id: TenantId.make(1),
        payload: {},
        created_at: DateTime.formatIso(DateTime.makeUnsafe(yield* Clock.currentTimeMillis)),
        attempt: 1
      })
    ))
    const unavailable = (operation: string) => (cause: unknown): QueueUnavailable =>
      new QueueUnavailable({ operation, retryable: isRetryable(cause), cause })
    const silent = (operation: string, detail: string): QueueUnavailable =>
      new QueueUnavailable({ operation, retryable: true, cause: new Error(detail) })

    const others = Effect.gen(function*() {
      const operation = "ask for the queue"
      const { Attributes } = yield* call(
        (abortSignal) =>
          sqs.send(
            new GetQueueAttributesCommand({
              QueueUrl: options.url,
              AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            }),
            { abortSignal }
          ),
        unavailable(operation)
      )
      const counts = yield* Effect.mapError(decodeCounts(Attributes), unavailable(operation))
      return counts.ApproximateNumberOfMessages + counts.ApproximateNumberOfMessagesNotVisible
    })

    const send = (QueueUrl: string) =>
      call(
        (abortSignal) =>
          sqs.send(
            new SendMessageCommand({
              QueueUrl,
              MessageBody: text,
              MessageAttributes: { [tag]: { DataType: "String", StringValue: id } }
            }),
            { abortSignal }
          ),
        unavailable("send a message")
      )

    const receiveOne = (QueueUrl: string) =>
      Effect.map(
        // Not interruptible half-way: SQS would hide a message for a caller that is gone.
        Effect.uninterruptible(call(
          () =>
            sqs.send(
              new ReceiveMessageCommand({
                QueueUrl,
                MaxNumberOfMessages: 1,
                WaitTimeSeconds: 1,
                VisibilityTimeout: visibilitySeconds,
                MessageAttributeNames: [tag]
              })
            ),
          unavailable("receive messages")
        )),
        ({ Messages }) => Messages?.[0]
      )

    const release = (QueueUrl: string, ReceiptHandle: string | undefined) =>
      call(
        (abortSignal) =>
          sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }), { abortSignal }),
        unavailable("release a message")
      )

    const remove = (QueueUrl: string, ReceiptHandle: string | undefined) =>
      call(
        (abortSignal) => sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }), { abortSignal }),
        unavailable("acknowledge a message")
      )

    /** Whether our message came; `Stranger`: another one came and is back where it was. */
    const comeBack = Effect.fnUntraced(function*(QueueUrl: string) {
      for (let n = 0; n < receives; n++) {
        const message = yield* receiveOne(QueueUrl)
        if (message === undefined) continue
        if (message.MessageAttributes?.[tag]?.StringValue === id) {
          yield* remove(QueueUrl, message.ReceiptHandle)
          return "Ours" as const
        }
        yield* release(QueueUrl, message.ReceiptHandle)
        return "Stranger" as const
      }
      return "Nothing" as const
    }, Effect.uninterruptible)

    const throughTwin = (busy: number) =>
      Effect.gen(function*() {
        const name = (new URL(options.url).pathname.split("/").at(-1) ?? "queue").slice(0, 60)
        const { QueueUrl } = yield* Effect.acquireRelease(
          call(
            (abortSignal) => sqs.send(new CreateQueueCommand({ QueueName: `${name}-${id.slice(0, 8)}-ready` }), { abortSignal }),
            unavailable("make a second queue beside the busy one")
          ),
          ({ QueueUrl }) =>
            call((abortSignal) => sqs.send(new DeleteQueueCommand({ QueueUrl }), { abortSignal }), unavailable("remove the second queue"))
              .pipe(Effect.catch((error) => Effect.logWarning("A queue was left behind", { queue: QueueUrl, error: error.message })))
        )
        const operation = "receive messages"
        if (QueueUrl === undefined) return yield* silent(operation, "The answer has no QueueUrl")
        yield* send(QueueUrl)
        const came = yield* comeBack(QueueUrl)
        return came === "Ours"
          ? { _tag: "Twin" as const, busy }
          : yield* silent(operation, "The message that was sent did not come back")
      })

    const busy = yield* others
    yield* send(options.url)
    if (busy > 0) return yield* throughTwin(busy)
    const came = yield* comeBack(options.url)
    if (came === "Ours") return { _tag: "Real" as const }
    if (came === "Stranger") return yield* throughTwin(1)
    return (yield* others) === 0
      ? { _tag: "Worker" as const }
      : yield* silent("receive messages", "The message that was sent did not come back")
  })).pipe(Effect.withSpan("JobQueue.probe"))
