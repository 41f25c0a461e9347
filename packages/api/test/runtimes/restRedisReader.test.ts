import { assert, describe, it } from "@effect/vitest"
import { JobId, jobSubject, TenantId, VideoId, videoSubject } from "@lectern/domain"
import { describeIf, RedisServer, SilentPort } from "@lectern/harness"
import { Effect } from "effect"
import { createServer } from "node:http"
import { makeRestRedisReader } from "../../src/edge/restRedisReader.ts"
import { redisHolding } from "./edgeRuntime.ts"
import { restRedis, restToken } from "./restRedis.ts"

const tenant = TenantId.make(7)
const subjects = [videoSubject(VideoId.make(42)), jobSubject(JobId.make("j/1"))]
const nothing = { status: null, progress: null }

/** An address that answers everything with the same. */
const answering = (status: number, body: string, headers: Record<string, string> = {}) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
        const server = createServer((_, response) => {
          response.writeHead(status, headers)
          response.end(body)
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = address !== null && typeof address === "object" ? address.port : 0
          resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, close: () => void server.close() }))
        })
      }),
      ({ close }) => Effect.sync(close)
    ),
    ({ url }) => url
  )

const faultOf = (url: string, token = restToken) =>
  Effect.promise(() => makeRestRedisReader({ url, token })(tenant, subjects).then(() => "none", String))

describeIf(RedisServer.availability, "The reader over REST", () => {
  it.live("reads the texts of all subjects in their order", () =>
    Effect.gen(function*() {
      const redis = yield* redisHolding({ "tenant:7:video:42:progress": "진행", "tenant:7:job:j/1:status": `{"a":1}` })
      const url = yield* restRedis(redis.url)
      const read = makeRestRedisReader({ url, token: restToken })
      assert.deepStrictEqual(yield* Effect.promise(() => read(tenant, subjects)), [
        { status: null, progress: "진행" },
        { status: `{"a":1}`, progress: null }
      ])
      assert.deepStrictEqual(yield* Effect.promise(() => read(TenantId.make(8), subjects)), [nothing, nothing])
    }))

  it.live("says that its token was refused, and does not show it", () =>
    Effect.gen(function*() {
      const redis = yield* RedisServer.make()
      const fault = yield* faultOf(yield* restRedis(redis.url), "hidden")
      assert.include(fault, "status 401, Unauthorized")
      assert.notInclude(fault, "hidden")
    }))
})

describe("The reader over REST", () => {
  it.live("takes no answer for texts that is none", () =>
    Effect.gen(function*() {
      for (const body of ["", "<html>", "[]", `{"result":null}`, `{"result":["a"]}`, `{"result":[1,2,3,4]}`, `{"result":"abcd"}`]) {
        assert.include(yield* faultOf(yield* answering(200, body)), "no list of 4 texts", body)
      }
    }))

  it.live("follows no redirect, which would carry its token elsewhere", () =>
    Effect.gen(function*() {
      const elsewhere = yield* answering(200, `{"result":["a","b","c","d"]}`)
      assert.include(yield* faultOf(yield* answering(307, "", { location: elsewhere })), "status 307")
    }))

  it.live("gives up an address that accepts and never answers", () =>
    Effect.gen(function*() {
      const { port } = yield* SilentPort.make
      assert.include(yield* faultOf(`http://127.0.0.1:${port}`), "TimeoutError")
    }))
})
