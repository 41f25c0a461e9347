import {
  type Delivery,
  type JobMessage,
  JobMessageJson,
  JobQueue,
  MalformedMessage,
  QueueUnavailable,
  type TenantId
} from "@lectern/domain"
import { Clock, Effect, Layer, Result, Schema } from "effect"
import { maxReceiveCount as contractReceiveCount } from "../sqs/QueueNames.ts"

export interface JobQueueInProcessOptions {
  /** How many messages it holds, in hand or not; 10,000 by default. A send to a full queue fails and may be tried again. */
  readonly capacity?: number
  /** How often a message is handed out before it is put aside; 3 by default, as on SQS. */
  readonly maxReceiveCount?: number
}

interface Held {
  readonly id: string
  readonly tenantId: TenantId
  /** Tenant and job: a job has one waiting message at most. */
  readonly subject: string
  readonly text: string
  receiveCount: number
  inHand: boolean
  /** When it may be handed out, or comes back from a hand, in milliseconds. */
  visibleAt: number
  /** Raised by every hand-over, so that an older delivery of the same message does nothing. */
  receipt: number
}

const encode = Schema.encodeEffect(JobMessageJson)
const decode = Schema.decodeUnknownResult(JobMessageJson)

const subjectOf = (message: JobMessage): string => `${message.tenant_id}/${message.job_id}`

/**
 * A queue in this process's memory, with SQS's manners: hidden while in hand, back when its time is over, put aside (here: into
 * the log) after too many receives. It forgets with the process; the sweep sends again what the database says is waiting.
 *
 * Tenants take turns, so that one with thousands of messages does not keep another's waiting.
 *
 * A message for a job that has one waiting already is not added: `send` answers the id of the waiting one. The sweep can
 * therefore repeat itself without filling the queue.
 */
export const layerWith = (options: JobQueueInProcessOptions): Layer.Layer<JobQueue> =>
  Layer.effect(
    JobQueue,
    Effect.sync(() => {
      const capacity = options.capacity ?? 10_000
      const maxReceiveCount = options.maxReceiveCount ?? contractReceiveCount
      const held = new Map<string, Held>()
      const receivers = new Set<() => void>()
      let changes = 0
      let lastId = 0
      /** When each tenant was last served, as a count. */
      const turns = new Map<TenantId, number>()
      let lastTurn = 0

      const wakeReceivers = Effect.sync(() => {
        changes += 1
        // A receiver that is woken may wait again at once; it is not to be woken for ever.
        const woken = Array.from(receivers)
        receivers.clear()
        for (const wake of woken) wake()
      })

      /** Ends when something has changed since `seen`; what changed in between is not missed. */
      const changedSince = (seen: number): Effect.Effect<void> =>
        Effect.callback<void>((resume) => {
          const wake = (): void => resume(Effect.void)
          if (changes !== seen) return wake()
          receivers.add(wake)
          return Effect.sync(() => receivers.delete(wake))
        })

      const isInHand = (message: Held, now: number): boolean => message.inHand && message.visibleAt > now

      const findWaiting = (subject: string, now: number): Held | undefined => {
        for (const message of held.values()) if (message.subject === subject && !isInHand(message, now)) return message
        return undefined
      }

      const putAside = (message: Held, reason: string) =>
        Effect.logError("A message was put aside", { id: message.id, subject: message.subject, reason, text: message.text })

      const send = Effect.fn("JobQueue.send")(function*(message: JobMessage) {
        const text = yield* Effect.orDie(encode(message))
        const now = yield* Clock.currentTimeMillis
        const subject = subjectOf(message)
        const present = findWaiting(subject, now)
        if (present !== undefined) return present.id
        if (held.size >= capacity) {
          return yield* new QueueUnavailable({
            operation: "send a message",
            retryable: true,
            cause: new Error(`The queue is full: it holds ${capacity} messages`)
          })
        }
        lastId += 1
        const added: Held = {
          id: `message-${lastId}`,
          tenantId: message.tenant_id,
          subject,
          text,
          receiveCount: 0,
          inHand: false,
          visibleAt: now,
          receipt: 0
        }
        held.set(added.id, added)
        yield* wakeReceivers
        return added.id
      })

      const deliver = (message: Held): Delivery => {
        const { receipt } = message
        const whileInHand = (change: (now: number) => void): Effect.Effect<void> =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            Effect.suspend(() => {
              if (held.get(message.id)?.receipt !== receipt || !isInHand(message, now)) return Effect.void
              change(now)
              return wakeReceivers
            }))
        return {
          message: Result.mapError(decode(message.text), (error) => new MalformedMessage({ detail: error.message })),
          receiveCount: message.receiveCount,
          acknowledge: Effect.suspend(() => {
            // As on SQS, late is not too late, unless somebody else holds it now.
            if (held.get(message.id)?.receipt === receipt) held.delete(message.id)
            return Effect.void
          }),
          release: (delaySeconds) => whileInHand((now) => {
              message.inHand = false
              message.visibleAt = now + delaySeconds * 1000
            }),
          extend: (seconds) =>
            whileInHand((now) => {
              message.visibleAt = now + seconds * 1000
            }),
          bury: Effect.suspend(() => {
            if (held.get(message.id)?.receipt !== receipt) return Effect.void
            held.delete(message.id)
            return putAside(message, "its receiver could not use it")
          })
        }
      }

      /** The oldest message that may be handed out now, of the tenant that has waited longest for its turn. */
      const nextInTurn = (now: number): Held | undefined => {
        let next: Held | undefined
        for (const message of held.values()) {
          if (message.visibleAt > now) continue
          if (next === undefined || turnOf(message) < turnOf(next)) next = message
        }
        return next
      }
      const turnOf = (message: Held): number => turns.get(message.tenantId) ?? 0

      /** Takes what may be handed out now; puts aside what was handed out too often. */
      const take = (now: number, max: number, visibilitySeconds: number) => {
        const deliveries: Array<Delivery> = []
        const worn: Array<Held> = []
        while (deliveries.length < max) {
          const message = nextInTurn(now)
          if (message === undefined) break
          if (message.receiveCount >= maxReceiveCount) {
            held.delete(message.id)
            worn.push(message)
            continue
          }
          lastTurn += 1
          turns.set(message.tenantId, lastTurn)
          message.inHand = true
          message.receiveCount += 1
          message.receipt += 1
          message.visibleAt = now + visibilitySeconds * 1000
          deliveries.push(deliver(message))
        }
        return { deliveries, worn }
      }

      const receive = Effect.fn("JobQueue.receive")(function*(
        wanted: { readonly max: number; readonly waitSeconds: number; readonly visibilitySeconds: number }
      ) {
        const deadline = (yield* Clock.currentTimeMillis) + wanted.waitSeconds * 1000
        while (true) {
          const now = yield* Clock.currentTimeMillis
          const seen = changes
          const { deliveries, worn } = take(now, wanted.max, wanted.visibilitySeconds)
          yield* Effect.forEach(worn, (message) => putAside(message, `it was handed out ${message.receiveCount} times`))
          if (deliveries.length > 0 || now >= deadline) return deliveries
          let next = deadline
          for (const message of held.values()) next = Math.min(next, message.visibleAt)
          yield* Effect.raceFirst(changedSince(seen), Effect.sleep(Math.max(0, next - now)))
        }
      })

      return JobQueue.of({ send, receive, ping: Effect.void })
    })
  )

export const layer: Layer.Layer<JobQueue> = layerWith({})
