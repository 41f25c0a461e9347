import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type Delivery, JobMessageJson, JobQueue, MalformedMessage } from "../JobQueue.ts"

/** What a queue in memory holds, as texts, for tests that look at it or put something strange in. */
export class QueueContents extends Context.Service<QueueContents, {
  /** Neither acknowledged nor put aside, in hand or not, in the order of sending. */
  readonly waiting: Effect.Effect<ReadonlyArray<string>>
  readonly buried: Effect.Effect<ReadonlyArray<string>>
  readonly sendText: (text: string) => Effect.Effect<string>
}>()("@lectern/domain/testing/QueueContents") {}

interface Held {
  readonly id: string
  readonly text: string
  receiveCount: number
  /** When it may be handed out (again), in milliseconds. */
  visibleAt: number
  receivedAt: number
  /** Raised by every hand-over, so that an older delivery of the same message does nothing. */
  receipt: number
}

/** As on SQS: nothing stays hidden for longer than 12 hours after it was handed out. */
const maxHiddenMillis = 12 * 3_600_000

const encode = Schema.encodeSync(JobMessageJson)
const decode = Schema.decodeUnknownResult(JobMessageJson)

/** A queue in memory that keeps the port's promise: at least once, hidden while in hand, back when its time is over. */
export const layer: Layer.Layer<JobQueue | QueueContents> = Layer.effectContext(Effect.gen(function*() {
  const held = new Map<string, Held>()
  const buried: Array<string> = []
  const arrived = yield* Latch.make()
  let lastId = 0

  const sendText = (text: string) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.suspend(() => {
        lastId += 1
        const id = `message-${lastId}`
        held.set(id, { id, text, receiveCount: 0, visibleAt: now, receivedAt: now, receipt: 0 })
        return Effect.as(arrived.open, id)
      }))

  const deliver = (message: Held): Delivery => {
    const { receipt } = message
    const whileInHand = (change: (now: number) => void) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        if (held.get(message.id)?.receipt === receipt) change(now)
      })
    return {
      message: Result.mapError(decode(message.text), (error) => new MalformedMessage({ detail: error.message })),
      receiveCount: message.receiveCount,
      acknowledge: whileInHand(() => held.delete(message.id)),
      release: (delaySeconds) =>
        Effect.andThen(
          whileInHand((now) => {
            message.visibleAt = now + delaySeconds * 1000
          }),
          arrived.open
        ),
      extend: (seconds) =>
        whileInHand((now) => {
          message.visibleAt = Math.min(now + seconds * 1000, message.receivedAt + maxHiddenMillis)
        }),
      bury: whileInHand(() => {
        held.delete(message.id)
        buried.push(message.text)
      })
    }
  }

  const receive = Effect.fnUntraced(function*(
    options: { readonly max: number; readonly waitSeconds: number; readonly visibilitySeconds: number }
  ) {
    const deadline = (yield* Clock.currentTimeMillis) + options.waitSeconds * 1000
    while (true) {
      const now = yield* Clock.currentTimeMillis
      const visible = [...held.values()].filter((message) => message.visibleAt <= now).slice(0, options.max)
      if (visible.length > 0 || now >= deadline) {
        return visible.map((message) => {
          message.receiveCount += 1
          message.receipt += 1
          message.receivedAt = now
          message.visibleAt = now + options.visibilitySeconds * 1000
          return deliver(message)
        })
      }
      const next = Math.min(deadline, ...[...held.values()].map((message) => message.visibleAt))
      yield* arrived.close
      yield* Effect.raceFirst(arrived.await, Effect.sleep(next - now))
    }
  })

  return Context.make(
    JobQueue,
    JobQueue.of({ send: (message) => Effect.suspend(() => sendText(encode(message))), receive, ping: Effect.void })
  ).pipe(
    Context.add(
      QueueContents,
      QueueContents.of({
        waiting: Effect.sync(() => [...held.values()].map((message) => message.text)),
        buried: Effect.sync(() => [...buried]),
        sendText
      })
    )
  )
}))
