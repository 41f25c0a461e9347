import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient
} from "@aws-sdk/client-sqs"
import { type JobMessage, JobMessageJson, QueueUnavailable } from "@lectern/domain"
import { Effect, type Option, Schema } from "effect"
import { type AwsClientOptions, call, clientConfig, isRetryable } from "../aws/index.ts"

export interface DeadLetterQueue extends AwsClientOptions {
  readonly url: string
}

/** A message that was put aside, in our hands for as long as it is visited. */
export interface DeadLetter {
  readonly queueUrl: string
  readonly messageId: string
  readonly body: string
  /** `None`: it is no message of ours. */
  readonly message: Option.Option<JobMessage>
  /** Milliseconds since 1970; `null` where SQS does not say. */
  readonly sentAt: number | null
  readonly remove: Effect.Effect<void, QueueUnavailable>
}

/** So long a letter is hidden from others while all are looked at, in seconds: each is to be met once. */
const heldSeconds = 60
const lettersOfAReceive = 10
/** An end, should letters come in as fast as they are looked at. */
const maxReceives = 200

const decode = Schema.decodeUnknownOption(JobMessageJson)

/**
 * Hands every message of a dead-letter queue to `visit`, one after the other, and gives back what was not removed.
 * Looking at a dead letter costs it nothing: nobody counts how often one is received.
 */
export const visitDeadLetters = <A, E, R>(
  queue: DeadLetterQueue,
  visit: (letter: DeadLetter) => Effect.Effect<A, E, R>
): Effect.Effect<ReadonlyArray<A>, QueueUnavailable | E, R> =>
  Effect.scoped(Effect.gen(function*() {
    const QueueUrl = queue.url
    const sqs = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const endpoint = queue.endpoint ?? new URL(queue.url).origin
        return new SQSClient({ ...clientConfig(queue), endpoint })
      }),
      (client) => Effect.sync(() => client.destroy())
    )
    const unavailable = (operation: string) => (cause: unknown): QueueUnavailable =>
      new QueueUnavailable({ operation, retryable: isRetryable(cause), cause })

    const giveBack = (ReceiptHandle: string) =>
      call(
        () => sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 })),
        unavailable("give a dead letter back")
      ).pipe(Effect.catch((error) =>
        // It is hidden for a minute at most, and it may be back already.
        Effect.logDebug("A dead letter comes back when its visibility ends", { error: error.message })))

    const letterOf = ({ Attributes, Body = "", MessageId = "" }: Message, ReceiptHandle: string): DeadLetter => ({
      queueUrl: QueueUrl,
      messageId: MessageId,
      body: Body,
      message: decode(Body),
      sentAt: Attributes?.SentTimestamp === undefined ? null : Number(Attributes.SentTimestamp),
      remove: Effect.asVoid(call(
        (abortSignal) => sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }), { abortSignal }),
        unavailable("remove a dead letter")
      )).pipe(Effect.tap(() => Effect.sync(() => held.delete(ReceiptHandle))))
    })

    const visited: Array<A> = []
    const met = new Set<string>()
    /** What is in our hands, by receipt. */
    const held = new Set<string>()
    yield* Effect.addFinalizer(() => Effect.forEach(held, giveBack, { discard: true }))
    for (let receive = 0; receive < maxReceives; receive++) {
      const { Messages = [] } = yield* call(
        () =>
          sqs.send(
            new ReceiveMessageCommand({
              QueueUrl,
              MaxNumberOfMessages: lettersOfAReceive,
              VisibilityTimeout: heldSeconds,
              WaitTimeSeconds: 1,
              MessageSystemAttributeNames: ["SentTimestamp"]
            })
          ),
        unavailable("receive dead letters")
      )
      const fresh = Messages.filter(({ MessageId }) => MessageId === undefined || !met.has(MessageId))
      if (fresh.length === 0) break
      const letters = fresh.flatMap((message) => {
        const { MessageId, ReceiptHandle } = message
        if (ReceiptHandle === undefined) return []
        if (MessageId !== undefined) met.add(MessageId)
        held.add(ReceiptHandle)
        return [letterOf(message, ReceiptHandle)]
      })
      for (const letter of letters) visited.push(yield* visit(letter))
    }
    return visited
  }))
