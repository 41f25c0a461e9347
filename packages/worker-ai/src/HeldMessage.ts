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
  /**
   * Before work that may end this process: the queue puts a message that was received too often aside, and then nobody
   * has it.
   */
  readonly prepareForWork: Effect.Effect<void, QueueUnavailable>
}

/**
 * Holds a delivery.
 *
 * What its job is worth is in the database: how often a message was handed out says little of that. So a message that
 * the queue would hand out no more is replaced by a copy, and so is one that cannot be hidden any longer. The copy is
 * sent before the original is acknowledged; two messages of one job are harmless, none is a loss.
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

  const replace = answer(Effect.andThen(queue.send(message), delivery.acknowledge))
  const lastReceive = delivery.receiveCount >= maxReceives

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
    giveBack: (delaySeconds) => lastReceive ? replace : answer(delivery.release(delaySeconds)),
    bury: answer(delivery.bury),
    prepareForWork: lastReceive ? replace : Effect.void
  }
})
