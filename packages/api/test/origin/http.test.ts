import { assert, describe, it } from "@effect/vitest"
import { signToken } from "@lectern/api/tokens"
import { ObjectGrants } from "@lectern/adapters/files"
import { Faults } from "@lectern/domain/testing"
import { Effect } from "effect"
import { layer, layerWithoutGrants, OriginUnderTest, tokenSecret } from "./OriginUnderTest.ts"
import { rawRequest } from "./rawRequest.ts"

const videos = "/api/v1/media/videos/"
const spreadsheet = "/api/v1/students/bulk_create_from_excel/"

const withOrigin = <A, E, R>(effect: Effect.Effect<A, E, R>) => effect.pipe(Effect.provide(layer()))

const sign = (grant: { readonly secret?: string; readonly now?: number }) =>
  Effect.promise(() => signToken({ tenantId: 1, secret: tokenSecret, expiresInSeconds: 60, ...grant }))

const forged = sign({ secret: "another secret of at least thirty-two bytes" })
const expired = sign({ now: 1_000_000 })
const unsigned = Effect.map(sign({}), (token) => {
  const [, claims] = token.split(".")
  return `${Buffer.from("{\"alg\":\"none\"}").toString("base64url")}.${claims}.x`
})

describe("authorization", () => {
  const endpoints = [
    ["POST", `${videos}upload/init/`],
    ["POST", `${videos}1/upload/complete/`],
    ["GET", videos],
    ["GET", `${videos}1/`],
    ["POST", `${videos}1/retry/`],
    ["DELETE", `${videos}1/`],
    ["GET", "/api/v1/jobs/a/"],
    ["POST", spreadsheet]
  ] as const
  for (const [method, path] of endpoints) {
    it.live(`${method} ${path} wants a valid token, and its tenant`, () =>
      withOrigin(Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        const faults = yield* Faults
        const tokens = [
          {},
          { authorization: "" },
          { authorization: "Bearer" },
          { authorization: "Bearer " },
          { authorization: "Basic dXNlcjpwYXNz" },
          { authorization: "Bearer forged" },
          { authorization: `Bearer ${yield* forged}` },
          { authorization: `Bearer ${yield* expired}` },
          { authorization: `Bearer ${yield* unsigned}` }
        ]
        for (const headers of tokens) {
          const answer = yield* call(path, { method, tenant: null, headers })
          assert.strictEqual(answer.status, 401, JSON.stringify(headers))
          assert.isString(answer.json.detail)
          assert.strictEqual(answer.headers.get("www-authenticate"), "Bearer")
          assert.strictEqual(answer.headers.get("access-control-allow-origin"), "*")
        }
        const other = yield* call(path, { method, headers: { "x-tenant-code": "2" } })
        assert.strictEqual(other.status, 403, other.text)
        assert.isString(other.json.detail)
        assert.deepStrictEqual(yield* faults.calls, [])
      })))
  }

  it.live("takes an X-Tenant-Code that agrees with the token", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      assert.strictEqual((yield* call(videos, { headers: { "x-tenant-code": "1" } })).status, 200)
    })))
})

describe("what nothing serves", () => {
  for (
    const path of [
      "/",
      "/nothing",
      "/api/v1/",
      "/api/v1/media/",
      `${videos}1/nothing/`,
      "//api/v1/media/videos/",
      "/api/v1//media/videos/",
      "/API/v1/media/videos/",
      "/healthz/",
      `${videos}../../..//`
    ]
  ) {
    it.live(`${path} is 404 with a detail`, () =>
      withOrigin(Effect.gen(function*() {
        const { url } = yield* OriginUnderTest
        const answer = yield* rawRequest(url, [`GET ${path} HTTP/1.1`, "Host: localhost"])
        assert.match(answer, /^HTTP\/1\.1 404 [^]*"detail":"There is no such path/)
        assert.match(answer, /access-control-allow-origin: \*/i)
      })))
  }

  it.live("a path without its slash is 404, and the detail says what is missing", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const answer = yield* call("/api/v1/media/videos")
      assert.strictEqual(answer.status, 404)
      assert.include(answer.json.detail, "end in a slash")
    })))

  const wrongMethods = [
    ["POST", videos, "GET"],
    ["PUT", `${videos}1/`, "GET, DELETE"],
    ["GET", `${videos}1/retry/`, "POST"],
    ["PATCH", `${videos}1/`, "GET, DELETE"],
    ["GET", spreadsheet, "POST"],
    ["POST", "/healthz", "GET"],
    ["POST", "/docs", "GET"]
  ] as const
  for (const [method, path, allow] of wrongMethods) {
    it.live(`${method} ${path} is 405 and says what is allowed`, () =>
      withOrigin(Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        const answer = yield* call(path, { method })
        assert.deepStrictEqual([answer.status, answer.json?.code], [405, "method_not_allowed"])
        assert.strictEqual(answer.headers.get("allow"), allow)
      })))
  }
})

describe("bodies", () => {
  it.live("a 2 GB Content-Length is refused with 413 before anything is read", () =>
    withOrigin(Effect.gen(function*() {
      const { url, token } = yield* OriginUnderTest
      for (const path of [spreadsheet, `${videos}upload/init/`, `${videos}1/retry/`]) {
        const answer = yield* rawRequest(url, [
          `POST ${path} HTTP/1.1`,
          "Host: localhost",
          `Authorization: Bearer ${yield* token(1)}`,
          "Content-Type: multipart/form-data; boundary=b",
          "Content-Length: 2147483648"
        ])
        assert.match(answer, /^HTTP\/1\.1 413 [^]*"code":"body_too_large"/)
      }
    })))

  it.live("an answer that does not wait for the end of the body says that the connection ends", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const form = new FormData()
      form.append("file", new File(["x".repeat(21 * 1024 * 1024)], "a.csv"))
      const refused = [
        yield* call(spreadsheet, { body: form }),
        yield* call(`${videos}upload/init/`, { body: { title: "x".repeat(70_000) } })
      ]
      assert.deepStrictEqual(
        refused.map(({ headers, status }) => [status, headers.get("connection")]),
        [[413, "close"], [413, "close"]]
      )
      assert.strictEqual((yield* call(videos)).headers.get("connection"), "keep-alive")
    })))

  it.live("a JSON body without a length or an end is refused once it is past the limit", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(16_384).fill(32))
      })
      const answer = yield* call(`${videos}upload/init/`, { body, headers: { "content-type": "application/json" } })
      assert.deepStrictEqual([answer.status, answer.json.code], [413, "body_too_large"])
    })))

  const malformed: ReadonlyArray<readonly [string, string, string, number]> = [
    ["broken JSON", "{\"title\":", "application/json", 400],
    ["no body", "", "application/json", 400],
    ["a list", "[]", "application/json", 400],
    ["null", "null", "application/json", 400],
    ["a number", "1", "application/json", 400],
    ["text", "title=t", "text/plain", 415],
    ["a form", "title=t&filename=a.mp4", "application/x-www-form-urlencoded", 415],
    ["deep nesting", "[".repeat(30_000), "application/json", 400],
    ["a polluted prototype", "{\"__proto__\":{\"title\":\"t\",\"filename\":\"a.mp4\"}}", "application/json", 400]
  ]
  for (const [what, body, type, status] of malformed) {
    it.live(`${what} instead of the JSON is ${status} with a detail`, () =>
      withOrigin(Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        const answer = yield* call(`${videos}upload/init/`, { body, headers: { "content-type": type } })
        assert.strictEqual(answer.status, status, answer.text)
        assert.isString(answer.json.detail)
        assert.isString(answer.json.code)
        assert.isBelow(answer.json.detail.length, 301)
      })))
  }
})

describe("failures of ours", () => {
  it.live("a defect is a 500 that says nothing of itself to the client, and everything to the log", () =>
    withOrigin(Effect.gen(function*() {
      const { call, logs } = yield* OriginUnderTest
      const faults = yield* Faults
      yield* faults.store(["defect"])
      const answer = yield* call(`${videos}1/`)
      assert.strictEqual(answer.status, 500)
      assert.deepStrictEqual(answer.json, {
        detail: "Something went wrong here; the failure was recorded",
        code: "internal_error"
      })
      assert.strictEqual(answer.headers.get("access-control-allow-origin"), "*")
      const id = answer.headers.get("x-request-id") ?? "none"
      assert.isTrue(logs.some((line) => line.level === "Error" && JSON.stringify(line).includes("told to answer")))
      assert.isTrue(logs.some((line) => JSON.stringify(line).includes(id)))
      assert.strictEqual((yield* call(`${videos}1/`)).status, 404)
    })))

  it.live("a database that is away is a 503, one that cannot keep a value a 400, one that contradicts us a 500", () =>
    withOrigin(Effect.gen(function*() {
      const { call, logs } = yield* OriginUnderTest
      const faults = yield* Faults
      const body = { title: "t", filename: "a.mp4" }
      const answers = [
        ["refused", 503, "database_unavailable"],
        ["unstorable", 400, "unstorable_value"],
        ["broken", 500, "internal_error"]
      ] as const
      for (const [fault, status, code] of answers) {
        yield* faults.store([fault])
        const answer = yield* call(`${videos}upload/init/`, { body })
        assert.deepStrictEqual([answer.status, answer.json.code], [status, code])
        assert.strictEqual(answer.headers.has("retry-after"), status === 503)
        assert.isTrue(logs.some((line) => line.level === "Error" && JSON.stringify(line).includes(fault)))
      }
    })))
})

describe("other origins", () => {
  it.live("may ask beforehand, on every path and without a token", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      for (const path of [videos, spreadsheet, "/api/v1/objects/x", "/media/x/y", "/nothing"]) {
        const answer = yield* call(path, {
          method: "OPTIONS",
          tenant: null,
          headers: { origin: "https://school.example", "access-control-request-method": "PUT" }
        })
        assert.strictEqual(answer.status, 204)
        assert.strictEqual(answer.headers.get("access-control-allow-origin"), "*")
        assert.include(answer.headers.get("access-control-allow-methods"), "PUT")
        assert.include(answer.headers.get("access-control-allow-headers"), "authorization")
      }
    })))

  it.live("are allowed by name where names are given", () =>
    Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const allowed = yield* call(videos, { headers: { origin: "https://school.example" } })
      assert.strictEqual(allowed.headers.get("access-control-allow-origin"), "https://school.example")
      assert.strictEqual(allowed.headers.get("vary"), "origin")
      const other = yield* call(videos, { headers: { origin: "https://other.example" } })
      assert.isNull(other.headers.get("access-control-allow-origin"))
    }).pipe(Effect.provide(layer({ allowedOrigins: ["https://school.example"] }))))
})

describe("progress", () => {
  it.live("is answered by the edge's handler, whatever the method, and by nothing of the origin's", () =>
    withOrigin(Effect.gen(function*() {
      const { call, progressCalls, logs, url } = yield* OriginUnderTest
      const faults = yield* Faults
      const paths = [`${videos}1/progress/`, "/api/v1/jobs/a-b/progress/?x=1", `${videos}1e3/progress/`]
      const statuses: Array<number> = []
      for (const path of paths) statuses.push((yield* call(path)).status)
      assert.deepStrictEqual(statuses, [200, 200, 400])
      yield* call(`${videos}1/progress/`, { method: "OPTIONS" })
      assert.deepStrictEqual(progressCalls, [...paths, `${videos}1/progress/`].map((path) => `${url}${path}`))
      const asked = (yield* faults.calls).map((call) => call.method)
      assert.deepStrictEqual(asked, ["ProgressReader.read", "ProgressReader.read"])
      assert.deepStrictEqual(logs, [])
      yield* call(`${videos}1/x/progress/`)
      assert.strictEqual(progressCalls.length, 4)
    })))
})

describe("logs", () => {
  it.live("have one line for each request", () =>
    withOrigin(Effect.gen(function*() {
      const { call, logs } = yield* OriginUnderTest
      const answer = yield* call(`${videos}7/?token=secret`)
      const [line] = logs
      assert.strictEqual(logs.length, 1)
      const fields = JSON.parse(JSON.stringify(line?.message[1]))
      assert.deepInclude(fields, {
        method: "GET",
        path: `${videos}7/`,
        status: 404,
        tenant: 1,
        requestId: answer.headers.get("x-request-id")
      })
      assert.isNumber(fields.millis)
    })))
})

it.live("the origin serves no object addresses where the store is not a folder", () =>
  Effect.gen(function*() {
    const { call } = yield* OriginUnderTest
    const grants = yield* Effect.serviceOption(ObjectGrants)
    assert.strictEqual(grants._tag, "None")
    assert.strictEqual((yield* call("/media/x/y")).status, 404)
    assert.strictEqual((yield* call("/api/v1/objects/x", { method: "PUT", body: "x" })).status, 404)
  }).pipe(Effect.provide(layerWithoutGrants())))
