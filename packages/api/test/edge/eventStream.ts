/** Streams of events as a page hears them, and a mirror that is written to as the work writes it. */
import { assert } from "@effect/vitest"
import { Effect, Queue, Schedule, Stream } from "effect"
import { token, videoPath } from "./edgeSubject.ts"
import { withRedis } from "./patientRedis.ts"

export const eventsPath = `${videoPath}events/`
export const ready = `{"status":"READY","hls_path":"a.m3u8","duration":61,"revision":6,"attempt":1}`
export const processing = `{"status":"PROCESSING","revision":5,"attempt":1}`

export const publish = (url: string, status: string, isTold = true) =>
  withRedis(url, async (client) => {
    await client.set("tenant:7:video:42:status", status)
    if (isTold) await client.publish("lectern:progress", "tenant:7:video:42")
  })

export const subscribed = (url: string) =>
  withRedis(url, (client) => client.pubsub("NUMSUB", "lectern:progress")).pipe(
    Effect.map((reply) => Number(reply[1])),
    Effect.repeat({ until: (count) => count > 0, schedule: Schedule.spaced("10 millis") })
  )

/** The events of a stream as they come, their names and the status that they tell; "closed" at its end. */
export const listen = (port: number, headers: Record<string, string> = {}, path = eventsPath) =>
  Effect.gen(function*() {
    const response = yield* Effect.promise((signal) =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${token}`, ...headers }, signal })
    )
    const body = response.body
    if (body === null) return assert.fail("There is no stream")
    const queue = yield* Queue.unbounded<string>()
    yield* Stream.fromReadableStream({ evaluate: () => body, onError: (cause) => new Error("The stream broke", { cause }) }).pipe(
      Stream.decodeText(),
      Stream.splitLines,
      // "hello" is told once, of the stream itself.
      Stream.filter((line) => /^(event: (?!progress|hello)|data: .*"status")/.test(line)),
      Stream.runForEach((line) => Queue.offer(queue, /"status":"(\w+)"/.exec(line)?.[1] ?? line)),
      Effect.ensuring(Queue.offer(queue, "closed")),
      Effect.forkScoped
    )
    return { response, next: Queue.take(queue) }
  })

/** Waits for what is told, whatever is told before it: on a busy machine Redis may seem to be away for a moment. */
export const hears = (next: Effect.Effect<string>, wanted: string): Effect.Effect<void> =>
  next.pipe(
    Effect.repeat({ until: (told) => told === wanted || told === "closed" }),
    Effect.map((told) => assert.strictEqual(told, wanted))
  )
