/** What somebody may send who means no good, on every runtime. None of it costs more than its own request. */
import { assert, it } from "@effect/vitest"
import { describeIf, RedisServer } from "@lectern/harness"
import { Effect } from "effect"
import { base64url, SignJWT } from "jose"
import { connect, type Socket } from "node:net"
import { signToken } from "../../src/tokens/index.ts"
import { secret, token, videoPath } from "../edge/edgeSubject.ts"
import { contenders, type EdgeRuntime, redisHolding, startRuntime, until } from "./edgeRuntime.ts"

const audience = "lectern"
const ready = { "tenant:7:video:42:status": `{"status":"READY","hls_path":"a.m3u8","revision":5,"attempt":1}` }

/** The status of what is sent as it stands; 0 where the connection is closed without an answer. */
const statusOf = (port: number, request: string) =>
  Effect.callback<number>((resume) => {
    let text = ""
    const socket = connect(port, "127.0.0.1", () => socket.write(request))
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1")
      const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1]
      if (status === undefined) return
      resume(Effect.succeed(Number(status)))
      socket.destroy()
    })
    socket.on("error", () => undefined)
    socket.on("close", () => resume(Effect.succeed(0)))
    return Effect.sync(() => socket.destroy())
  }).pipe(Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.die(new Error(`No answer to ${request}`)) }))

const get = (path: string, headers = "", bearer = token): string =>
  `GET ${path} HTTP/1.1\r\nHost: edge.school\r\nAuthorization: Bearer ${bearer}\r\n${headers}\r\n`

const stillAnswers = (edge: EdgeRuntime, bearer = token) =>
  until(
    Effect.tap(edge.ask(videoPath, { authorization: `Bearer ${bearer}` }), ({ status }) =>
      Effect.sync(() => assert.strictEqual(status, 200))),
    ({ body }) => body["status"] === "READY"
  )

const videoIds = [
  "0", "-1", "+1", "1.0", "1e3", "0x2a", "%2042", "42%20", "42 ", "%D9%A1", "١", "４２", "1" + "0".repeat(30),
  "9007199254740992", "..", "%2e%2e", "%2E%2E%2F42", "42%00", "42\u0000", "%", "%ff", "x".repeat(4_000), "", "42/43", "42%2F", "42;", "42\t"
]

const jobIds = ["x".repeat(65), "%00", "a%00b", "a\u0000b", "%", "%ff", "%zz", "%ed%a0%80", "a%0ab", "a%0d%0ab", ""]

const trays = [
  "videos=-1", "videos=1e3", "videos=1,,2", "videos=%ff", `videos=${"1,".repeat(100)}1`, "jobs=%00", `jobs=${"x".repeat(65)}`
]

const encode = (value: unknown): string => base64url.encode(JSON.stringify(value))
const claims = { tenant_id: 7, aud: audience, exp: Math.floor(Date.now() / 1_000) + 3_600 }
const key = new TextEncoder().encode(secret)
const good = await signToken({ tenantId: 7, audience, secret, expiresInSeconds: 3_600 })

const badTokens = {
  "cut off in its signature": good.slice(0, -3),
  "cut off in its claims": good.slice(0, good.lastIndexOf(".") - 5),
  "a header alone": good.slice(0, good.indexOf(".")),
  "expired": await signToken({ tenantId: 7, audience, secret, expiresInSeconds: 1, now: 0 }),
  "for another audience": await signToken({ tenantId: 7, audience: "another", secret, expiresInSeconds: 3_600 }),
  "for no audience": token,
  "alg none": `${encode({ alg: "none" })}.${encode(claims)}.`,
  "alg none, signed": `${encode({ alg: "none" })}.${encode(claims)}.${good.split(".")[2] ?? ""}`,
  "alg HS512": await new SignJWT(claims).setProtectedHeader({ alg: "HS512" }).sign(key),
  "without a tenant": await new SignJWT({ ...claims, tenant_id: null }).setProtectedHeader({ alg: "HS256" }).sign(key),
  "6 KB long": `${good}${"x".repeat(6_000)}`,
  "three dots": "..",
  "spaces": "   "
}

const opened = (port: number) =>
  new Promise<Socket>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket))
    socket.once("error", reject)
  })

/**
 * Connections that are open until the scope ends; not all at once, which the backlog of a listening socket would not
 * take.
 */
const openConnections = (port: number, count: number) =>
  Effect.gen(function*() {
    const sockets: Array<Socket> = []
    yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => socket.destroy())))
    while (sockets.length < count) {
      sockets.push(...yield* Effect.promise(() => Promise.all(Array.from({ length: 100 }, () => opened(port)))))
    }
    for (const socket of sockets) socket.on("error", () => undefined)
    return sockets
  })

for (const contender of contenders) {
  describeIf(RedisServer.availability, `The edge on ${contender.name}`, () => {
    it.live("refuses ids that are none, however they are written, and goes on", () =>
      Effect.gen(function*() {
        const redis = yield* redisHolding(ready)
        const edge = yield* startRuntime(contender, redis.url)
        const paths = [
          ...videoIds.flatMap((id) => ["", "events/"].map((end) => `/api/v1/media/videos/${id}/progress/${end}`)),
          ...jobIds.map((id) => `/api/v1/jobs/${id}/progress/`),
          ...trays.flatMap((query) => [`/api/v1/progress/?${query}`, `/api/v1/progress/events/?${query}`])
        ]
        for (const path of paths) {
          const status = yield* statusOf(edge.port, get(path))
          // A request that is no HTTP is the runtime's to refuse, with an answer or without.
          assert.include([0, 400, 404], status, JSON.stringify(path))
        }
        yield* stillAnswers(edge)
      }))

    it.live("refuses tokens that are none, whatever they say of themselves, and a token in the query", () =>
      Effect.gen(function*() {
        const redis = yield* redisHolding(ready)
        const edge = yield* startRuntime(contender, redis.url, { AUTH_JWT_AUDIENCE: audience })
        for (const [what, bad] of Object.entries(badTokens)) {
          for (const path of [videoPath, `${videoPath}events/`, "/api/v1/progress/?videos=42"]) {
            const expected = contender.hasEvents || !path.includes("events") ? 401 : 404
            assert.strictEqual(yield* statusOf(edge.port, get(path, "", bad)), expected, `${what}: ${path}`)
          }
        }
        const inQuery = `GET ${videoPath}?token=${good}&access_token=${good} HTTP/1.1\r\nHost: edge.school\r\n\r\n`
        assert.strictEqual(yield* statusOf(edge.port, inQuery), 401)
        yield* stillAnswers(edge, good)
      }))

    it.live("answers or refuses headers of 8 KB and of 100 KB, and goes on", () =>
      Effect.gen(function*() {
        const redis = yield* redisHolding(ready)
        const edge = yield* startRuntime(contender, redis.url)
        for (const size of [7_000, 8_192, 100_000, 1_000_000]) {
          const status = yield* statusOf(edge.port, get(videoPath, `X-Long: ${"x".repeat(size)}\r\n`))
          // A runtime may also close the connection on who sends more than it reads.
          assert.include([0, 200, 400, 413, 431], status, String(size))
        }
        yield* stillAnswers(edge)
      }))

    it.live("answers while 5,000 connections say nothing, or half a question", () =>
      Effect.gen(function*() {
        const redis = yield* redisHolding(ready)
        const edge = yield* startRuntime(contender, redis.url)
        const sockets = yield* openConnections(edge.port, 5_000)
        for (const socket of sockets.slice(0, 1_000)) socket.write("GET /api/v1/media/vid")
        yield* Effect.repeat(stillAnswers(edge), { times: 10 })
      }))
  })
}
