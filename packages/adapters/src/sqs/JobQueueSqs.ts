import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient
} from "@aws-sdk/client-sqs"
import { type Delivery, JobMessageJson, JobQueue, MalformedMessage, QueueUnavailable } from "@lectern/domain"
import { Effect, Fiber, Layer, Result, Schema, Scope } from "effect"
import { type AwsClientOptions, call, clientConfig, faultName, isRetryable } from "../aws/AwsClient.ts"
import { type Lane, laneOf } from "./QueueNames.ts"

/** A queue and the one beside it for what nobody could handle. */
export interface SqsQueue {
  readonly url: string
  readonly deadLetterUrl: string
}

export type SqsQueues = { readonly [lane in Lane]: SqsQueue }

export interface JobQueueSqsOptions extends AwsClientOptions {
  readonly queues: SqsQueues
  /** What this process receives from, the most urgent first. */
  readonly receiveFrom: readonly [Lane, ...ReadonlyArray<Lane>]
}

/**
 * The longest single poll, in seconds. A poll cannot be aborted: SQS hands the next message to the closed connection,
 * and it is hidden until its visibility ends. So polls are short, and an interrupted receive waits for the one under
 * way.
 */
const pollSeconds = 2

/** The longest that SQS hides a message, in seconds. */
const maxVisibilitySeconds = 43_200

const decode = Schema.decodeUnknownResult(JobMessageJson)

const visibility = (seconds: number): number => Math.min(maxVisibilitySeconds, Math.max(0, Math.ceil(seconds)))

/**
 * Standard queues of SQS, one for each lane. The tenant is a message's group: SQS hands the messages of groups with
 * few in hand out before those of a group that crowds the queue. Messages that were received too often
 * (`maxReceiveCount`) are moved to the dead-letter queue by SQS itself, those that nobody can read by `bury`.
 */
export const layer = (options: JobQueueSqsOptions): Layer.Layer<JobQueue> =>
  Layer.effect(
    JobQueue,
    Effect.gen(function*() {
      const scope = yield* Scope.Scope
      const sqs = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const config = clientConfig(options)
          const slow = config.requestHandler.requestTimeout + pollSeconds * 1000
          return new SQSClient({ ...config, requestHandler: { ...config.requestHandler, requestTimeout: slow, socketTimeout: slow } })
        }),
        (client) => Effect.sync(() => client.destroy())
      )

      const unavailable = (operation: string) => (cause: unknown): QueueUnavailable =>
        new QueueUnavailable({ operation, retryable: isRetryable(cause), cause })

      const incomplete = (operation: string, field: string) =>
        new QueueUnavailable({ operation, retryable: false, cause: new Error(`The answer has no ${field}`) })

      const sendText = (operation: string, QueueUrl: string, MessageBody: string, MessageGroupId?: string) =>
        Effect.flatMap(
          call(
            (abortSignal) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId }), { abortSignal }),
            unavailable(operation)
          ),
          ({ MessageId }) => MessageId === undefined ? Effect.fail(incomplete(operation, "MessageId")) : Effect.succeed(MessageId)
        )

      const changeVisibility = (operation: string, QueueUrl: string, ReceiptHandle: string, seconds: number) =>
        Effect.asVoid(
          call(
            (abortSignal) =>
              sqs.send(
                new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: visibility(seconds) }),
                { abortSignal }
              ),
            unavailable(operation)
          )
        )

      const deliver = (queue: SqsQueue, message: Message): Effect.Effect<Delivery, QueueUnavailable> => {
        const { Attributes, Body, ReceiptHandle } = message
        if (ReceiptHandle === undefined) return Effect.fail(incomplete("receive messages", "ReceiptHandle"))
        const body = Body ?? ""
        const acknowledge = Effect.asVoid(
          call(
            (abortSignal) => sqs.send(new DeleteMessageCommand({ QueueUrl: queue.url, ReceiptHandle }), { abortSignal }),
            unavailable("acknowledge a message")
          )
        )
        return Effect.succeed({
          message: Result.mapError(decode(body), (error) => new MalformedMessage({ detail: error.message })),
          receiveCount: Number(Attributes?.ApproximateReceiveCount ?? 1),
          acknowledge,
          release: (delaySeconds) =>
            Effect.catchIf(
              changeVisibility("release a message", queue.url, ReceiptHandle, delaySeconds),
              // It is out of our hands already: an attempt whose answer was lost had done it, or its time was over.
              (error) => faultName(error.cause) === "MessageNotInflight",
              () => Effect.logDebug("A message to be released was out of our hands already")
            ),
          extend: (seconds) => changeVisibility("extend a message", queue.url, ReceiptHandle, seconds),
          // First the copy: a failure between the two leaves two messages, the other order none. SQS takes no empty
          // body.
          bury: Effect.andThen(
            sendText("put a message aside", queue.deadLetterUrl, body === "" ? "(an empty message)" : body),
            acknowledge
          )
        })
      }

      const poll = (queue: SqsQueue, max: number, waitSeconds: number, visibilitySeconds: number) =>
        Effect.flatMap(
          call(
            () =>
              sqs.send(
                new ReceiveMessageCommand({
                  QueueUrl: queue.url,
                  MaxNumberOfMessages: max,
                  WaitTimeSeconds: waitSeconds,
                  VisibilityTimeout: visibility(visibilitySeconds),
                  MessageSystemAttributeNames: ["ApproximateReceiveCount"]
                })
              ),
            unavailable("receive messages")
          ),
          ({ Messages = [] }) => Effect.forEach(Messages, (message) => deliver(queue, message))
        )

      const giveBack = (deliveries: ReadonlyArray<Delivery>): Effect.Effect<void> =>
        Effect.forEach(deliveries, (delivery) => delivery.release(0), { discard: true }).pipe(
          Effect.catchTag("QueueUnavailable", (error) =>
            Effect.logWarning("Messages of an interrupted receive come back when their visibility ends", {
              error: error.message
            }))
        )

      /**
       * A poll that runs to its end in any case; when its receiver is interrupted meanwhile, what it brought is given
       * back.
       */
      const pollToItsEnd = (queue: SqsQueue, max: number, waitSeconds: number, visibilitySeconds: number) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.gen(function*() {
            const fiber = yield* Effect.forkIn(poll(queue, max, waitSeconds, visibilitySeconds), scope)
            return yield* Effect.onInterrupt(restore(Fiber.join(fiber)), () =>
              Effect.flatMap(
                Fiber.await(fiber),
                (exit) => exit._tag === "Success" ? giveBack(exit.value) : Effect.void
              ))
          })
        )

      const receive = Effect.fn("JobQueue.receive")(function*(
        { max, visibilitySeconds, waitSeconds }: {
          readonly max: number
          readonly waitSeconds: number
          readonly visibilitySeconds: number
        }
      ) {
        // Every lane is asked once without waiting, so that an urgent one does not wait for an empty one.
        if (options.receiveFrom.length > 1) {
          for (const lane of options.receiveFrom) {
            const deliveries = yield* pollToItsEnd(options.queues[lane], max, 0, visibilitySeconds)
            if (deliveries.length > 0) return deliveries
          }
        }
        let left = waitSeconds
        do {
          for (const lane of options.receiveFrom) {
            const wait = Math.min(pollSeconds, Math.max(0, left))
            left -= wait
            const deliveries = yield* pollToItsEnd(options.queues[lane], max, wait, visibilitySeconds)
            if (deliveries.length > 0) return deliveries
          }
        } while (left > 0)
        return []
      })

      const ping = Effect.forEach(options.receiveFrom, (lane) =>
        call(
          (abortSignal) =>
            sqs.send(
              new GetQueueAttributesCommand({ QueueUrl: options.queues[lane].url, AttributeNames: ["QueueArn"] }),
              { abortSignal }
            ),
          unavailable("ask for the queue")
        ), { discard: true })

      return JobQueue.of({
        send: Effect.fn("JobQueue.send")(function*(message) {
          const text = yield* Effect.orDie(Schema.encodeEffect(JobMessageJson)(message))
          return yield* sendText("send a message", options.queues[laneOf(message)].url, text, String(message.tenant_id))
        }),
        receive,
        ping
      })
    })
  )
