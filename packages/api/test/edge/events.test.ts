/** Streams of events of the handler and of the server for Node; in their real runtimes they are tested in `test/runtimes`. */
import { assert, it } from "@effect/vitest"
import { ClosedPort } from "@lectern/harness"
import { Effect } from "effect"
import { once } from "node:events"
import { connect } from "node:net"
import { expect } from "vitest"
import { makeEdgeServer } from "../../src/node/index.ts"
import { startEdge } from "./edgeProcess.ts"
import { ask, edgeOver, holding, token, videoPath } from "./edgeSubject.ts"
import { eventsPath, processing } from "./eventStream.ts"

it.live("Connections that say nothing hold up nobody", () =>
  Effect.gen(function*() {
    const { port } = yield* ClosedPort.make
    const edge = yield* startEdge(`redis://127.0.0.1:${port}`)
    const sockets = Array.from({ length: 500 }, () => connect(edge.port, "127.0.0.1"))
    yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => socket.destroy())))
    yield* Effect.promise(() => Promise.all(sockets.map((socket) => once(socket, "connect"))))
    assert.strictEqual((yield* edge.ask(videoPath)).status, 200)
  }))

it("The web-standard handler streams events where they are asked for, and lets go of who leaves", async () => {
  const edge = edgeOver(holding({ status: processing }), { events: {} })
  const response = await edge.handler(
    new Request(`http://edge.school${eventsPath}`, { headers: { authorization: `Bearer ${token}` } })
  )
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ""
  while (!text.includes("\n\nid: ")) text += (await reader?.read())?.value ?? ""
  expect(text).toMatch(/^retry: 3000\nevent: hello\ndata: \{"heartbeatMs":15000\}\n\nid: 1-5\.1\nevent: progress\ndata: \{"id":42,"status":"PROCESSING".*\}\n\n$/)
  expect(edge.listeners()).toBe(1)
  await reader?.cancel()
  expect(edge.listeners()).toBe(0)
})

it("Streams of events ask for a token and a right id as polls do, and are no path where there are none", async () => {
  const { handler, listeners } = edgeOver(holding({}), { events: {} })
  const statusOf = async (path: string, init: Parameters<typeof ask>[2] = {}) => (await ask(handler, path, init)).status
  expect(await statusOf(eventsPath, { headers: { authorization: "" } })).toBe(401)
  expect(await statusOf("/api/v1/media/videos/-1/progress/events/")).toBe(400)
  expect(await statusOf("/api/v1/progress/events/?videos=x")).toBe(400)
  expect(await statusOf(eventsPath, { method: "POST" })).toBe(405)
  expect(await statusOf(eventsPath, { method: "HEAD" })).toBe(200)
  expect(await statusOf(eventsPath.slice(0, -1))).toBe(404)
  expect(listeners()).toBe(0)
  expect((await ask(edgeOver(holding({})).handler, eventsPath)).status).toBe(404)
})

it("A stream that finds no room is refused with when to come back: 429 to who has too many, 503 where there are too many in all", async () => {
  for (const [limits, status] of [[{ perToken: 0 }, 429], [{ perTenant: 0 }, 429], [{ perProcess: 0 }, 503]] as const) {
    const answer = await ask(edgeOver(holding({ status: processing }), { events: { limits } }).handler, eventsPath)
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([status, "60"])
    expect(answer.body).toMatchObject({ code: "too_many_listeners" })
  }
})

it("A listener that never reads is cut, and costs the others nothing", async () => {
  let revision = 0
  let changed: (key: string) => void = () => undefined
  const { promise: connected, resolve: onConnected } = Promise.withResolvers<void>()
  const edge = edgeOver(
    async (_tenant, subjects) =>
      subjects.map(() => ({
        status: JSON.stringify({ status: "PENDING", error_message: "x".repeat(10_000), revision: revision += 1, attempt: 1 }),
        progress: null
      })),
    {
      events: {
        changes: {
          listen: (listener) => {
            changed = listener.changed
            onConnected()
          },
          close: () => undefined
        }
      }
    }
  )
  const server = makeEdgeServer(edge)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const socket = connect(port, "127.0.0.1").on("error", () => undefined)
  socket.pause()
  socket.write(`GET /api/v1/jobs/job-1/progress/events/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  await connected
  expect(edge.listeners()).toBe(1)
  // What the system's own buffers hold is written before anything waits in the process.
  let told = 0
  while (edge.listeners() > 0) {
    told += 1
    changed("tenant:7:job:job-1")
    await new Promise(setImmediate)
  }
  expect(told).toBeGreaterThan(1)
  socket.destroy()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
