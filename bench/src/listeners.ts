/**
 * What listeners to events cost the edge on Node: `node src/listeners.ts [COUNT]`, 10,000 by default.
 *
 * Opens that many streams, over 200 videos, and prints the memory of the edge's process before, with all of them, and after each of
 * them was told a change; how long it took until the last had heard; and the memory of as many that never read what they are told.
 */
import { signToken } from "@lectern/api/tokens"
import { RedisServer } from "@lectern/harness"
import { Effect } from "effect"
import { Redis } from "ioredis"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { fileURLToPath } from "node:url"

const count = Number(process.argv[2] ?? 10_000)
const videos = 200
const secret = "the benchmark's secret, of more than 32 bytes"
/** Streams that are opened at once: more would be refused by the backlog of the listening socket. */
const opened = 200

const megabytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024

const startEdge = (redisUrl: string) =>
  Effect.gen(function*() {
    const entry = fileURLToPath(new URL("../../packages/api/src/edge/node.ts", import.meta.url))
    const edge = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [entry], {
          env: {
            PORT: "0",
            REDIS_URL: redisUrl,
            AUTH_JWT_SECRET: secret,
            EVENT_STREAMS_PER_TOKEN: String(count),
            EVENT_STREAMS_PER_TENANT: String(count)
          },
          stdio: ["ignore", "pipe", "inherit"]
        })
      ),
      (edge) => Effect.sync(() => edge.kill("SIGKILL"))
    )
    const port = yield* Effect.callback<number, Error>((resume) => {
      let output = ""
      edge.stdout.on("data", (chunk: Buffer) => {
        const found = /"port":(\d+)/.exec(output += chunk.toString("utf8"))?.[1]
        if (found !== undefined) resume(Effect.succeed(Number(found)))
      })
      edge.once("exit", () => resume(Effect.fail(new Error(`The edge ended: ${output}`))))
    })
    return { port, pid: edge.pid ?? 0 }
  })

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

const program = Effect.gen(function*() {
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
  const { pid, port } = yield* startEdge(server.url)
  const token = yield* Effect.promise(() => signToken({ tenantId: 7, secret, expiresInSeconds: 3_600 }))
  const before = megabytes(pid)

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
    sockets.push(...yield* Effect.promise(() =>
      Promise.all(Array.from({ length: size }, (_, index) => listen(port, (first + index) % videos + 1, token, onEvent)))
    ))
  }
  const open = megabytes(pid)

  const latencies: Array<number> = []
  for (let revision = 2; revision < 12; revision++) {
    heard = 0
    told = Promise.withResolvers<void>()
    const startedAt = performance.now()
    yield* change(revision)
    yield* Effect.promise(() => told.promise)
    latencies.push(performance.now() - startedAt)
  }
  const after = megabytes(pid)

  for (const socket of sockets) socket.pause()
  for (let revision = 12; revision < 112; revision++) yield* change(revision)
  // An answer comes after everything that was written before it was asked for.
  yield* Effect.promise(() => fetch(`http://127.0.0.1:${port}/healthz`).then((response) => response.text()))
  const unread = megabytes(pid)

  latencies.sort((a, b) => a - b)
  console.log(`${count} listeners to ${videos} videos, node ${process.versions.node}`)
  console.log(`memory of the edge: ${before.toFixed(0)} MB before, ${open.toFixed(0)} MB with all listeners, ` +
    `${after.toFixed(0)} MB after 10 changes to each, ${unread.toFixed(0)} MB after 100 more that nobody read`)
  console.log(`per 1,000 listeners: ${((after - before) / count * 1_000).toFixed(1)} MB`)
  console.log(`from a change of all videos to the last listener's event: median ${latencies[5]?.toFixed(0)} ms, worst ${latencies.at(-1)?.toFixed(0)} ms`)
})

await Effect.runPromise(Effect.scoped(program))
