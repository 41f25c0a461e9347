import { assert, describe, it } from "@effect/vitest"
import { JobRecorder, JobStore, ObjectStore, TenantId } from "@lectern/domain"
import { Faults } from "@lectern/domain/testing"
import { Ajv2020 } from "ajv/dist/2020.js"
import { Effect, Layer, Stream } from "effect"
import { Script } from "node:vm"
import { CurrentMessagingTerms } from "../../src/origin/index.ts"
import type { EdgeHandlerOptions } from "../../src/edge/index.ts"
import { edgeOver, holding, origin, token } from "../edge/edgeSubject.ts"
import { type Answer, type Call, layerWith, OriginUnderTest } from "./OriginUnderTest.ts"

const tenant = TenantId.make(1)

/** One message a day, so that the second is refused. */
const Terms = Layer.succeed(CurrentMessagingTerms, { limits: { perMinute: 1, perDay: 1 }, prices: {} })

const withOrigin = <A, E, R>(effect: Effect.Effect<A, E, R>) => effect.pipe(Effect.provide(layerWith(Terms)))

interface DocumentedAnswer {
  readonly content?: object
  readonly headers?: Readonly<Record<string, object>>
}

/** What the served document says of an operation's answers, checked by a validator that knows nothing of Effect. */
const contract = Effect.gen(function*() {
  const { call } = yield* OriginUnderTest
  const answer = yield* call("/api/v1/openapi.json", { tenant: null })
  assert.strictEqual(answer.status, 200)
  const ajv = new Ajv2020({ strict: false })
  ajv.addSchema({ $id: "openapi", ...answer.json })
  const pointer = (part: string) => part.replaceAll("~", "~0").replaceAll("/", "~1")
  const responses = (method: string, path: string): Record<string, DocumentedAnswer> =>
    answer.json.paths[path]?.[method.toLowerCase()]?.responses ?? assert.fail(`${method} ${path} is not documented`)
  const fault = (method: string, path: string, status: number, body: unknown): string | null => {
    const documented = responses(method, path)[String(status)]
    if (documented === undefined) return `${method} ${path}: ${status} is not documented`
    if (documented.content === undefined) return body === undefined ? null : "a body where none is documented"
    const content = "content/application~1json/schema"
    const steps = ["paths", path, method.toLowerCase(), "responses", String(status)].map(pointer).join("/")
    const validate = ajv.compile({ $ref: `openapi#/${encodeURI(`${steps}/${content}`)}` })
    return validate(body) ? null : ajv.errorsText(validate.errors)
  }
  return { document: answer.json, fault, responses }
})

/** Whether the edge answers a path, by itself or by its origin's address. */
const ofEdge = (path: string): boolean => path.includes("/progress/")

const form = (name: string, size: number): FormData => {
  const bytes = new Uint8Array(size)
  bytes.set([0x50, 0x4b, 3, 4].slice(0, size))
  const data = new FormData()
  data.append("file", new File([bytes], name))
  return data
}

describe("GET /api/v1/openapi.json", () => {
  it.live("documents every endpoint, the progress endpoints too", () =>
    withOrigin(Effect.gen(function*() {
      const { document } = yield* contract
      const operations = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
      )
      assert.deepStrictEqual(operations.toSorted(), [
        "DELETE /api/v1/media/videos/{id}/",
        "GET /api/v1/jobs/{job_id}/",
        "GET /api/v1/jobs/{job_id}/progress/",
        "GET /api/v1/jobs/{job_id}/progress/events/",
        "GET /api/v1/media/videos/",
        "GET /api/v1/media/videos/{id}/",
        "GET /api/v1/media/videos/{id}/progress/",
        "GET /api/v1/media/videos/{id}/progress/events/",
        "GET /api/v1/media/videos/{id}/rules/",
        "GET /api/v1/progress/",
        "GET /api/v1/progress/events/",
        "GET /healthz",
        "GET /readyz",
        "POST /api/v1/ai/ocr/",
        "POST /api/v1/media/videos/upload/init/",
        "POST /api/v1/media/videos/upload/multipart/abort/",
        "POST /api/v1/media/videos/upload/multipart/complete/",
        "POST /api/v1/media/videos/upload/multipart/init/",
        "POST /api/v1/media/videos/upload/multipart/presign/",
        "POST /api/v1/media/videos/{id}/retry/",
        "POST /api/v1/media/videos/{id}/upload/complete/",
        "POST /api/v1/messaging/send/",
        "POST /api/v1/students/bulk_create_from_excel/",
        "POST /api/v1/students/imports/{job_id}/undo/"
      ])
      assert.strictEqual(document.components.securitySchemes.bearer.scheme, "Bearer")
    })))

  it.live("describes every status that the origin answers with, and every body", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const { document, fault, responses } = yield* contract
      const faults = yield* Faults
      const objects = yield* ObjectStore
      const store = yield* JobStore
      const recorder = yield* JobRecorder
      const seen = new Set<string>()

      const check = Effect.fnUntraced(function*(
        status: number,
        method: string,
        template: string,
        id: string | number,
        options: Call = {},
        query = ""
      ): Effect.fn.Return<Answer, never, OriginUnderTest> {
        const answer = yield* call(`${template.replace(/\{\w+\}/, String(id))}${query}`, { ...options, method })
        assert.strictEqual(answer.status, status, `${method} ${template}: ${answer.text}`)
        assert.isNull(fault(method, template, status, answer.json), answer.text)
        seen.add(`${method} ${template} ${status}`)
        return answer
      })

      const init = "/api/v1/media/videos/upload/init/"
      const complete = "/api/v1/media/videos/{id}/upload/complete/"
      const list = "/api/v1/media/videos/"
      const one = "/api/v1/media/videos/{id}/"
      const rules = "/api/v1/media/videos/{id}/rules/"
      const retry = "/api/v1/media/videos/{id}/retry/"
      const job = "/api/v1/jobs/{job_id}/"
      const students = "/api/v1/students/bulk_create_from_excel/"
      const file = { body: { title: "t", filename: "a.mp4" } }

      yield* check(200, "GET", "/healthz", "")
      yield* check(200, "GET", "/readyz", "")
      yield* faults.store(["refused"])
      yield* check(503, "GET", "/readyz", "")

      const ticket = yield* check(201, "POST", init, "", file)
      yield* check(400, "POST", init, "", { body: {} })
      yield* check(415, "POST", init, "", { body: "x", headers: { "content-type": "text/plain" } })
      yield* check(413, "POST", init, "", { body: "x".repeat(70_000), headers: { "content-type": "application/json" } })

      const { id } = ticket.json.video
      yield* check(409, "POST", complete, id)
      yield* objects.put(ticket.json.file_key, Stream.make(new Uint8Array(1)), {
        size: 1,
        contentType: "video/mp4",
        cacheControl: "private"
      })
      yield* check(200, "POST", complete, id)
      yield* check(409, "POST", retry, id)
      const { job: encode } = yield* store.getVideo(tenant, id)
      if (encode === null) return assert.fail("There is no encode")
      yield* store.intervene({ tenantId: tenant, jobId: encode.id }, { _tag: "Cancel", message: "취소" })
      const retried = yield* check(202, "POST", retry, id)
      yield* check(200, "GET", job, retried.json.job_id)
      yield* check(200, "GET", one, id)
      yield* check(200, "GET", rules, id)
      yield* check(200, "GET", list, "")

      const videoProgress = "/api/v1/media/videos/{id}/progress/"
      const jobProgress = "/api/v1/jobs/{job_id}/progress/"
      for (const videoId of [id, 999]) yield* check(200, "GET", videoProgress, videoId)
      for (const jobId of [retried.json.job_id, encode.id, "none"]) yield* check(200, "GET", jobProgress, jobId)
      const claimed = yield* recorder.claim(tenant, retried.json.job_id, { owner: "worker", leaseMillis: 60_000 })
      if (claimed._tag !== "Claimed") return assert.fail(claimed._tag)
      yield* claimed.run.record({ _tag: "Advance", step: "transcoding" })
      yield* claimed.run.tick({ fraction: 0.5, remainingSeconds: 61 })
      for (const template of [videoProgress, one]) yield* check(200, "GET", template, id)
      for (const template of [jobProgress, job]) yield* check(200, "GET", template, retried.json.job_id)
      yield* check(200, "GET", "/api/v1/progress/", "")
      yield* check(400, "GET", "/api/v1/progress/", "", {}, "?videos=x")
      yield* check(400, "GET", videoProgress, "x")
      yield* check(400, "GET", jobProgress, "x".repeat(65))

      const multipart = "/api/v1/media/videos/upload/multipart/"
      const begin = `${multipart}init/`
      const big = { body: { ...file.body, file_size: 20 * 1024 ** 2 } }
      const begun = yield* check(201, "POST", begin, "", big)
      yield* check(400, "POST", begin, "", file)
      const named = { id: begun.json.video.id, upload_id: begun.json.upload_id }
      const ends: ReadonlyArray<readonly [string, Record<string, unknown>]> = [
        [`${multipart}presign/`, { part_numbers: [1, 2], resume: true }],
        [`${multipart}complete/`, {}],
        [`${multipart}abort/`, {}]
      ]
      for (const [path, fields] of ends) {
        yield* check(400, "POST", path, "", { body: { id: 0 } })
        yield* check(404, "POST", path, "", { body: { ...named, ...fields, id: 999 } })
        yield* check(409, "POST", path, "", { body: { ...named, ...fields, id } })
        yield* faults.store(["refused"])
        yield* check(503, "POST", path, "", { body: { ...named, ...fields } })
      }
      for (const path of [begin, ...ends.map(([end]) => end)]) {
        yield* check(415, "POST", path, "", { body: "x", headers: { "content-type": "text/plain" } })
        yield* check(413, "POST", path, "", { body: "x".repeat(70_000), headers: { "content-type": "application/json" } })
      }
      yield* check(200, "POST", `${multipart}presign/`, "", { body: { ...named, part_numbers: [1], resume: true } })
      const upload = { key: begun.json.file_key, uploadId: named.upload_id }
      yield* objects.multipart.putPart(upload, 1, Stream.make(new Uint8Array(3)), 3)
      yield* check(200, "POST", `${multipart}complete/`, "", { body: named })
      const abandoned = yield* check(201, "POST", begin, "", big)
      const other = { id: abandoned.json.video.id, upload_id: abandoned.json.upload_id }
      yield* check(204, "POST", `${multipart}abort/`, "", { body: other })

      const accepted = yield* check(202, "POST", students, "", { body: form("a.xlsx", 4) })
      yield* check(200, "GET", job, accepted.json.job_id)
      yield* check(400, "POST", students, "", { body: form("a.xlsx", 0) })
      yield* check(415, "POST", students, "", { body: form("a.pdf", 4) })
      yield* check(413, "POST", students, "", { body: form("a.xlsx", 20 * 1024 * 1024 + 1) })
      const undo = "/api/v1/students/imports/{job_id}/undo/"
      const ref = { tenantId: tenant, jobId: accepted.json.job_id }
      yield* check(409, "POST", undo, ref.jobId)
      yield* store.intervene(ref, { _tag: "Cancel", message: "취소" })
      yield* check(200, "POST", undo, ref.jobId)
      yield* check(404, "POST", undo, "none")
      yield* check(400, "POST", undo, "x".repeat(65))
      yield* faults.script("students", ["refused"])
      yield* check(503, "POST", undo, ref.jobId)

      const worksheets = "/api/v1/ai/ocr/"
      const sheet = (content: string) => {
        const data = new FormData()
        data.append("file", new File([content], "a.pdf"))
        return { body: data }
      }
      yield* check(202, "POST", worksheets, "", sheet("%PDF-1.7"))
      yield* check(400, "POST", worksheets, "", sheet(""))
      yield* check(415, "POST", worksheets, "", sheet("<html>"))
      yield* check(413, "POST", worksheets, "", sheet("x".repeat(20 * 1024 * 1024 + 1)))

      const messaging = "/api/v1/messaging/send/"
      const messages = { message_mode: "sms", raw_body: "글", recipients: ["010-1111-2222"] }
      yield* check(202, "POST", messaging, "", { body: { ...messages, business_key: "k" } })
      yield* check(200, "POST", messaging, "", { body: { ...messages, dry_run: true } })
      yield* check(400, "POST", messaging, "", { body: { ...messages, recipients: ["x"] } })
      yield* check(409, "POST", messaging, "", { body: { ...messages, raw_body: "다른 글", business_key: "k" } })
      yield* check(413, "POST", messaging, "", { body: "x".repeat(9_000_000), headers: { "content-type": "application/json" } })
      yield* check(415, "POST", messaging, "", { body: "x", headers: { "content-type": "text/plain" } })
      yield* check(429, "POST", messaging, "", { body: messages })
      yield* faults.script("messages", ["refused"])
      yield* check(503, "POST", messaging, "", { body: messages })

      for (
        const [method, template] of [
          ["GET", one],
          ["GET", rules],
          ["DELETE", one],
          ["POST", complete],
          ["POST", retry]
        ] as const
      ) {
        yield* check(404, method, template, 999)
        yield* check(400, method, template, "x")
        yield* faults.store(["refused"])
        yield* check(503, method, template, 999)
      }
      yield* check(404, "GET", job, "none")
      yield* check(400, "GET", job, "x".repeat(65))
      yield* check(400, "GET", list, "", {}, "?page=x")
      for (const [method, template, options] of [
        ["GET", list, {}],
        ["GET", job, {}],
        ["POST", init, file],
        ["POST", begin, big],
        ["POST", students, { body: form("a.xlsx", 4) }],
        ["POST", worksheets, sheet("%PDF-1.7")]
      ] as const) {
        yield* faults.store(["refused"])
        yield* check(503, method, template, "a", options)
      }
      // What the edge answers is held against the edge below.
      const described = Object.entries<object>(document.paths).filter(([path]) => !ofEdge(path))
      for (const [path, methods] of described) {
        for (const method of Object.keys(methods)) {
          if (responses(method, path)["401"] === undefined) continue
          yield* check(401, method.toUpperCase(), path, 1, { tenant: null })
          yield* check(403, method.toUpperCase(), path, 1, { headers: { "x-tenant-code": "2" } })
        }
      }
      yield* check(204, "DELETE", one, id)

      const documented = described
        .flatMap(([path, methods]) =>
          Object.keys(methods).flatMap((method) =>
            Object.keys(responses(method, path)).map((status) => `${method.toUpperCase()} ${path} ${status}`)
          )
        )
      assert.deepStrictEqual([...seen].filter((status) => !ofEdge(status)).toSorted(), documented.toSorted())
    })))

  it.live("describes every status that the edge answers with, and every header that says when to come back", () =>
    withOrigin(Effect.gen(function*() {
      const { document, fault, responses } = yield* contract
      const stored = JSON.stringify({ status: "PENDING", updated_at: 1, revision: 1, attempt: 1 })
      const asked: ReadonlyArray<readonly [Partial<EdgeHandlerOptions>, Readonly<Record<string, string>>, string]> = [
        [{ events: {} }, {}, "1"],
        [{ events: {} }, {}, "%00"],
        [{ events: {} }, { authorization: "" }, "1"],
        [{ events: {} }, { "x-tenant-code": "8" }, "1"],
        [{ events: {} }, { "if-none-match": "*" }, "1"],
        [{}, {}, "1"],
        [{ events: {}, rateLimit: () => 7 }, {}, "1"],
        [{ events: { limits: { perToken: 0 } } }, {}, "1"],
        [{ events: { limits: { perProcess: 0 } } }, {}, "1"],
        [{ events: {}, rateLimit: () => assert.fail("a fault of ours") }, {}, "1"]
      ]
      const templates = Object.keys(document.paths).filter(ofEdge)
      assert.lengthOf(templates, 6)
      for (const template of templates) {
        const statuses = new Set<string>()
        for (const [options, headers, id] of asked) {
          const path = template.includes("{") ? template.replace(/\{\w+\}/, id) : `${template}?videos=${id}`
          const response = yield* Effect.promise(() =>
            edgeOver(holding({ status: stored }), options).handler(
              new Request(`${origin}${path}`, { headers: { authorization: `Bearer ${token}`, ...headers } })
            ))
          const status = String(response.status)
          statuses.add(status)
          const what = `${status} of ${template}`
          const documented = responses("GET", template)[status] ?? assert.fail(`${what} is not documented`)
          const said = ["etag", "retry-after"].filter((name) => response.headers.has(name))
          if (status !== "304") assert.includeMembers(Object.keys(documented.headers ?? {}), said, what)
          const [type = ""] = (response.headers.get("content-type") ?? "").split(";")
          if (type === "text/event-stream") {
            assert.deepStrictEqual(Object.keys(documented.content ?? {}), [type])
            yield* Effect.promise(() => response.body?.cancel() ?? Promise.resolve())
          } else if (status !== "304") {
            const body: unknown = yield* Effect.promise(() => response.json())
            assert.isNull(fault("GET", template, response.status, body))
          }
        }
        assert.deepStrictEqual([...statuses].toSorted(), Object.keys(responses("GET", template)).toSorted(), template)
        for (const status of ["429", "503"].filter((found) => statuses.has(found))) {
          const { headers = {} } = responses("GET", template)[status] ?? {}
          assert.deepInclude(headers["retry-after"], { required: true })
        }
      }
    })))

  it.live("would notice a field that is missing, of another type, or null where it may not be", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const { fault } = yield* contract
      const ticket = yield* call("/api/v1/media/videos/upload/init/", { body: { title: "t", filename: "a.mp4" } })
      const { video } = ticket.json
      const path = "/api/v1/media/videos/{id}/"
      assert.isNull(fault("GET", path, 200, video))
      for (const field of Object.keys(video)) {
        const { [field]: _, ...rest } = video
        assert.isNotNull(fault("GET", path, 200, rest), field)
        assert.isNotNull(fault("GET", path, 200, { ...video, [field]: {} }), field)
      }
      assert.isNotNull(fault("GET", path, 200, { ...video, title: null }))
      assert.isNotNull(fault("GET", path, 404, { message: "not ours" }))
      assert.isNotNull(fault("GET", path, 418, {}))
    })))
})

describe("GET /docs", () => {
  it.live("is a page that needs nothing but itself", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const page = yield* call("/docs", { tenant: null })
      assert.strictEqual(page.status, 200)
      assert.match(page.headers.get("content-type") ?? "", /^text\/html/)
      assert.match(page.headers.get("content-security-policy") ?? "", /^default-src 'self'/)
      const scripts = [...page.text.matchAll(/<script(?<attributes>[^>]*)>(?<code>[^]*?)<\/script>/g)]
      const code = scripts.filter((script) => !script.groups?.["attributes"]?.includes("json"))
      assert.isAtLeast(code.length, 1)
      for (const script of code) {
        assert.strictEqual(script.groups?.["attributes"], "")
        // Parses: an inlined bundle that ends its own tag early would not.
        assert.instanceOf(new Script(script.groups?.["code"] ?? ""), Script)
      }
      const markup = page.text.replaceAll(/<(script|style)[^>]*>[^]*?<\/\1>/g, "")
      assert.notMatch(markup, /(?:src|href)=/)
      const styles = [...page.text.matchAll(/<style>([^]*?)<\/style>/g)].map((style) => style[1]).join("")
      assert.notMatch(styles, /@import|url\(["']?(?:https?:)?\/\//)
      assert.include(page.text, "/api/v1/media/videos/upload/init/")
    })))
})
