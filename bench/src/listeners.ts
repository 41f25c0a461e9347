/**
 * What listeners to events cost the edge on Node. Opens that many streams, over 200 videos, and prints the memory of the
 * edge's process before, with all of them, and after each of them was told a change; how long it took until the last had
 * heard; and the memory of as many that never read what they are told.
 */
import { signToken } from "@lectern/api/tokens"
import { RedisServer } from "@lectern/harness"
import { Effect } from "effect"
import { Redis } from "ioredis"
import { connect, type Socket } from "node:net"
import { residentMegabytes, startServer } from "./BenchServer.ts"
import { videos } from "./videos.ts"
import { onNode } from "./contenders.ts"
import { median } from "./median.ts"

const secret = "the benchmark's secret, of more than 32 bytes"
/** Streams that are opened at once: more would be refused by the backlog of the listening socket. */
const opened = 200

/** Opens a stream, and settles when its first event is there. `heard` is called for every later one. */
const listen = (port: number, id: number, token: string, heard: () => void): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port })
    let isOpen = false
    socket.setEncoding("latin1")
    socket.write(
      `GET /api/v1/media/videos/${id}/progress/events/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`
    )
    socket.on("error", reject)
    socket.on("data", (text: string) => {
      if (!text.includes("event: progress")) return
      if (isOpen) heard()
      isOpen = true
      resolve(socket)
    })
  })

const statusOf = (revision: number): string => JSON.stringify({ status: "PROCESSING", revision, attempt: 1 })

export const printListeners = (count: number) => Effect.gen(function*() {
  const server = yield* RedisServer.make()
  const redis = yield* Effect.acquireRelease(
    Effect.sync(() => new Redis(server.url)),
    (redis) => Effect.sync(() => redis.disconnect())
  )
  const ids = Array.from({ length: videos }, (_, index) => index + 1)
  const change = (revision: number) =>
    Effect.promise(async () => {
      await redis.mset(ids.flatMap((id) => [`tenant:7:video:${id}:status`, statusOf(revision)]))
      const pipeline = redis.pipeline()
      for (const id of ids) pipeline.publish("lectern:progress", `tenant:7:video:${id}`)
      await pipeline.exec()
    })
  yield* change(1)
  const { pid, port } = yield* startServer(onNode, {
    PORT: "0",
    REDIS_URL: server.url,
    AUTH_JWT_SECRET: secret,
    EVENT_STREAMS_PER_TOKEN: String(count),
    EVENT_STREAMS_PER_TENANT: String(count)
  })
  const token = yield* Effect.promise(() => signToken({ tenantId: 7, secret, expiresInSeconds: 3_600 }))
  const before = residentMegabytes(pid)

  let heard = 0
  let told = Promise.withResolvers<void>()
  const onEvent = (): void => {
    heard += 1
    if (heard === count) told.resolve()
  }
  const sockets: Array<Socket> = []
  yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => socket.destroy())))
  while (sockets.length < count) {
    const size = Math.min(opened, count - sockets.length)
    const first = sockets.length
    const next = Array.from({ length: size }, (_, index) => (first + index) % videos + 1)
    sockets.push(...yield* Effect.promise(() => Promise.all(next.map((id) => listen(port, id, token, onEvent)))))
  }
  const open = residentMegabytes(pid)

  const latencies: Array<number> = []
  for (let revision = 2; revision < 12; revision++) {
    heard = 0
    told = Promise.withResolvers<void>()
    const startedAt = performance.now()
    yield* change(revision)
    yield* Effect.promise(() => told.promise)
    latencies.push(performance.now() - startedAt)
  }
  const after = residentMegabytes(pid)

  for (const socket of sockets) socket.pause()
  for (let revision = 12; revision < 112; revision++) yield* change(revision)
  // An answer comes after everything that was written before it was asked for.
  yield* Effect.promise(() => fetch(`http://127.0.0.1:${port}/healthz`).then((response) => response.text()))
  const unread = residentMegabytes(pid)

  console.log(`\n${count} listeners to ${videos} videos on Node\n`)
  console.log(
    `memory of the edge: ${before.toFixed(0)} MB before, ${open.toFixed(0)} MB with all listeners, ` +
      `${after.toFixed(0)} MB after 10 changes to each, ${unread.toFixed(0)} MB after 100 more that nobody read`
  )
  console.log(`per 1,000 listeners: ${((after - before) / count * 1_000).toFixed(1)} MB`)
  console.log(
    `from a change of all videos to the last listener's event: median ${median(latencies).toFixed(0)} ms, ` +
      `worst ${Math.max(...latencies).toFixed(0)} ms`
  )
}).pipe(Effect.scoped)
