import { type Delivery, type JobMessage, JobQueue, type QueueUnavailable } from "@lectern/domain"
import { Clock, Effect } from "effect"

/** How long SQS keeps a message hidden after its receive, however often that is extended, in milliseconds. */
export const maxHiddenMillis = 12 * 3_600_000

/** How often a queue hands a message out before it puts it aside by itself (CONTRACT.md, section 7). */
export const maxReceives = 3

/** A message of ours while this process answers for it. */
export interface HeldMessage {
  readonly message: JobMessage
  /** To be said by the work as it moves, as often as it likes: nobody else gets the message meanwhile. */
  readonly keep: Effect.Effect<void>
  readonly acknowledge: Effect.Effect<void, QueueUnavailable>
  /** Somebody may have it after so many seconds. */
  readonly giveBack: (delaySeconds: number) => Effect.Effect<void, QueueUnavailable>
  /** Puts it aside for people to look at. */
  readonly bury: Effect.Effect<void, QueueUnavailable>
}

/**
 * Whether a message is to be replaced before anything else: whoever has it at its last receive and dies leaves it to the
 * queue, which puts it aside although its job is sound. One receive earlier there is another left for the replacing.
 */
export const isWornOut = (delivery: Delivery): boolean => delivery.receiveCount >= maxReceives - 1

/** Sends a copy of a message, which begins to be counted anew, and acknowledges the original: in this order, two do no harm. */
export const replaceMessage = (
  delivery: Delivery,
  message: JobMessage
): Effect.Effect<void, QueueUnavailable, JobQueue> =>
  Effect.flatMap(JobQueue, (queue) => Effect.andThen(queue.send(message), delivery.acknowledge))

/**
 * Holds a delivery.
 *
 * What its job is worth is in the database: how often a message was handed out says little of that. So a message that
 * cannot be hidden any longer is replaced by a copy, as one is that was handed out often (`isWornOut`).
 */
export const holdMessage = Effect.fnUntraced(function*(
  delivery: Delivery,
  message: JobMessage,
  visibilitySeconds: number
): Effect.fn.Return<HeldMessage, never, JobQueue> {
  const queue = yield* JobQueue
  const receivedAt = yield* Clock.currentTimeMillis
  const visibilityMillis = visibilitySeconds * 1000
  let extendedAt = receivedAt
  let inHand = true

  const answer = (say: Effect.Effect<void, QueueUnavailable>): Effect.Effect<void, QueueUnavailable> =>
    Effect.suspend(() => {
      if (!inHand) return Effect.void
      inHand = false
      return Effect.tapError(say, () => Effect.sync(() => void (inHand = true)))
    })

  const replace = answer(Effect.provideService(replaceMessage(delivery, message), JobQueue, queue))

  return {
    message,
    keep: Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (!inHand || now - extendedAt < visibilityMillis / 4) return Effect.void
      extendedAt = now
      const longer = now + visibilityMillis - receivedAt < maxHiddenMillis
      return Effect.catchTag(
        longer ? delivery.extend(visibilitySeconds) : replace,
        "QueueUnavailable",
        (error) => Effect.logWarning("The message's visibility was not extended", { error: error.message })
      )
    }),
    acknowledge: answer(delivery.acknowledge),
    giveBack: (delaySeconds) => answer(delivery.release(delaySeconds)),
    bury: answer(delivery.bury)
  }
})
