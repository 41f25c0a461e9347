import { assert, describe, it } from "@effect/vitest"
import { JobId, jobSubject, TenantId, VideoId, videoSubject } from "@lectern/domain"
import { describeIf, RedisServer, SilentPort } from "@lectern/harness"
import { Effect } from "effect"
import { createServer } from "node:http"
import { restMirror } from "../../src/edge/restMirror.ts"
import { withRedis } from "../edge/patientRedis.ts"
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

/** A mirror that is given the time that a busy machine may need. */
const patient = (url: string, token = restToken) => restMirror({ url, token, timeoutMillis: 20_000 })

const faultOf = (url: string, token = restToken) =>
  Effect.promise(() => patient(url, token).read(tenant, subjects).then(() => "none", String))

const countingFaultOf = (url: string, token = restToken) =>
  Effect.promise(() => patient(url, token).count([{ key: "a", count: 1 }], 20).then(() => "none", String))

describeIf(RedisServer.availability, "The counters over REST", () => {
  it.live("add up what several tell them, return the totals in their order, and go after their time", () =>
    Effect.gen(function*() {
      const redis = yield* RedisServer.make()
      const url = yield* restRedis(redis.url)
      const [one, other] = [patient(url), patient(`${url}/`)]
      const hits = [{ key: "limit:a", count: 3 }, { key: "limit:b", count: 5 }]
      assert.deepStrictEqual(yield* Effect.promise(() => one.count(hits, 20)), [3, 5])
      assert.deepStrictEqual(yield* Effect.promise(() => other.count(hits.toReversed(), 20)), [10, 6])
      const left = yield* withRedis(redis.url, (client) => client.ttl("limit:a"))
      assert.isTrue(left > 0 && left <= 20)
    }))

  it.live("say that their token was refused, and do not show it", () =>
    Effect.gen(function*() {
      const redis = yield* RedisServer.make()
      const fault = yield* countingFaultOf(yield* restRedis(redis.url), "hidden")
      assert.include(fault, "Cannot count requests over REST: status 401, Unauthorized")
      assert.notInclude(fault, "hidden")
    }))
})

it.live("The counters over REST take no answer for totals that is none", () =>
  Effect.gen(function*() {
    for (const body of ["", "[]", "{}", `[{"result":"1"},{"result":1}]`, `[null]`]) {
      assert.include(yield* countingFaultOf(yield* answering(200, body)), "no list of 1 totals", body)
    }
    assert.include(yield* countingFaultOf(yield* answering(200, `[{"error":"NOPERM"},{"result":1}]`)), "NOPERM")
  }))

describeIf(RedisServer.availability, "The reader over REST", () => {
  it.live("reads the texts of all subjects in their order", () =>
    Effect.gen(function*() {
      const redis = yield* redisHolding({ "tenant:7:video:42:progress": "진행", "tenant:7:job:j/1:status": `{"a":1}` })
      const url = yield* restRedis(redis.url)
      const { read } = patient(url)
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
      const { read } = restMirror({ url: `http://127.0.0.1:${port}`, token: restToken })
      assert.include(yield* Effect.promise(() => read(tenant, subjects).then(() => "none", String)), "TimeoutError")
    }))
})
