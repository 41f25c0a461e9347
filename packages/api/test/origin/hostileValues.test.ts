/** What no database keeps, in every field of every endpoint (CONTRACT.md, section 3), before a real Postgres. */
import {
  JobStorePostgres,
  layerTcp,
  MessageLedgerPostgres,
  migrate,
  StudentContactsPostgres,
  StudentStorePostgres
} from "@lectern/adapters/postgres"
import { JobDispatcher, JobRecorder, VideoDeletion } from "@lectern/domain"
import { TestDomain } from "@lectern/domain/testing"
import { describeIf, PostgresServer } from "@lectern/harness"
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer, Redacted } from "effect"
import { type Answer, type Call, layerWith, objectsInFolder, OriginUnderTest } from "./OriginUnderTest.ts"
import { rawRequest } from "./rawRequest.ts"

const database = Layer.unwrap(Effect.gen(function*() {
  const server = yield* PostgresServer
  const url = yield* server.createDatabase("hostile_values")
  return Layer.effectDiscard(migrate).pipe(Layer.provideMerge(layerTcp({ url: Redacted.make(url) })))
})).pipe(Layer.provide(PostgresServer.layer))

const stores = Layer.mergeAll(
  JobStorePostgres.layer,
  MessageLedgerPostgres.layer,
  StudentContactsPostgres.layer,
  StudentStorePostgres.layer
).pipe(Layer.provide(database))

const objects = Layer.unwrap(Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  return objectsInFolder(yield* fs.makeTempDirectoryScoped())
})).pipe(Layer.provide(NodeServices.layer))

const services = VideoDeletion.layer.pipe(
  Layer.provideMerge(Layer.merge(JobRecorder.layer, JobDispatcher.layer)),
  Layer.provideMerge(Layer.merge(stores, objects)),
  // Built apart, and this on its own too: each has a recorder, a dispatcher and a deletion over its own store.
  Layer.provide(Layer.fresh(TestDomain.layer)),
  Layer.fresh
)

const hostile: Readonly<Record<string, unknown>> = {
  "a NUL": "a\0b",
  "the first half of a character": "a\ud83d",
  "the second half of a character": "\ude00b",
  "a megabyte": "가".repeat(1_000_000),
  "10^30": 1e30,
  "a list of lists": [[[["a"]]]],
  "what looks like a prototype": { __proto__: null, constructor: { name: "a\0b" } }
}

type Fields = Readonly<Record<string, unknown>>

const video = { title: "1강", filename: "1.mp4", content_type: "video/mp4", session: "오전" }
const recipient = { phone: "010-1111-2222", name: "가", variables: { 반: "1" } }
const notice = {
  message_mode: "lms",
  raw_body: "#{이름}, #{반}, #{시간}",
  subject: "안내",
  template_id: "T1",
  recipients: [recipient],
  student_ids: [],
  variables: { 시간: "9시" },
  business_key: "key",
  urgent_reason: "급함",
  dry_run: true
}

/** One field of a body for each, by its name, with what a value in it makes of the body. */
const eachOf = (base: Fields): Readonly<Record<string, (value: unknown) => Fields>> =>
  Object.fromEntries(Object.keys(base).map((field) => [field, (value: unknown) => ({ ...base, [field]: value })]))

const fieldOf = (value: unknown): string => typeof value === "string" ? value : JSON.stringify(value)

/** What is no text is no name either: an empty one stands for it. */
const nameOf = (value: unknown): string => typeof value === "string" ? value : ""

const videoFields = eachOf(video)
const messageFields = {
  ...eachOf(notice),
  "send_to": (value: unknown) => ({ ...notice, send_to: value }),
  "recipients[]": (value: unknown) => ({ ...notice, recipients: [value] }),
  "student_ids[]": (value: unknown) => ({ ...notice, student_ids: [value] }),
  "a value of everybody": (value: unknown) => ({ ...notice, variables: { 시간: value } }),
  "a name of a value of everybody": (value: unknown) => ({ ...notice, variables: { 시간: "9시", [nameOf(value)]: "1" } }),
  "a value of one": (value: unknown) => ({ ...notice, recipients: [{ ...recipient, variables: { 반: value } }] }),
  "a name of a value of one": (value: unknown) => ({
    ...notice,
    recipients: [{ ...recipient, variables: { 반: "1", [nameOf(value)]: "1" } }]
  }),
  ...Object.fromEntries(
    ["phone", "email", "name"].map((field) => [
      `recipients[].${field}`,
      (value: unknown) => ({ ...notice, recipients: [{ ...recipient, [field]: value }] })
    ])
  )
}

const assertRefused = (answer: Answer, what: string): void => {
  assert.isTrue(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status} ${answer.text.slice(0, 300)}`)
  assert.isString(answer.json?.code, what)
  assert.isString(answer.json?.detail, what)
  assert.notStrictEqual(answer.json.code, "unstorable_value", what)
}

/** What the log says of failures: the database was not asked to keep what it cannot. */
const failuresOf = (logs: OriginUnderTest["Service"]["logs"]) =>
  logs.filter(({ level }) => level === "Error" || level === "Fatal")

const paths = {
  begin: "/api/v1/media/videos/upload/init/",
  multipart: "/api/v1/media/videos/upload/multipart/",
  messages: "/api/v1/messaging/send/",
  students: "/api/v1/students/bulk_create_from_excel/",
  worksheets: "/api/v1/ai/ocr/"
} as const

describeIf(PostgresServer.availability, "what no database keeps", () => {
  layer(layerWith(services), { excludeTestServices: true })((it) => {
    /** A body that is taken as it is, and with a hostile value in any of its fields is not. */
    const refusesIn = Effect.fnUntraced(function*(
      path: string,
      fields: Readonly<Record<string, (value: unknown) => Fields>>
    ) {
      const { call, logs } = yield* OriginUnderTest
      for (const [field, bodyWith] of Object.entries(fields)) {
        for (const [what, value] of Object.entries(hostile)) {
          assertRefused(yield* call(path, { body: bodyWith(value) }), `${what} in ${field} of ${path}`)
        }
      }
      assert.deepStrictEqual(failuresOf(logs), [])
    })

    it.effect("is refused in every field of a new video", () =>
      Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        assert.strictEqual((yield* call(paths.begin, { body: video })).status, 201)
        yield* refusesIn(paths.begin, videoFields)
      }))

    it.effect("is refused in every field of an upload in parts", () =>
      Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        const big = { ...video, file_size: 20 * 1024 ** 2 }
        const begun = yield* call(`${paths.multipart}init/`, { body: big })
        assert.strictEqual(begun.status, 201, begun.text)
        yield* refusesIn(`${paths.multipart}init/`, eachOf(big))
        const upload = { id: begun.json.video.id, upload_id: begun.json.upload_id }
        const part = { part_number: 1, etag: "\"0\"" }
        yield* refusesIn(`${paths.multipart}presign/`, {
          ...eachOf({ ...upload, part_numbers: [1], resume: true }),
          "part_numbers[]": (value) => ({ ...upload, part_numbers: [value] })
        })
        yield* refusesIn(`${paths.multipart}complete/`, {
          ...eachOf({ ...upload, parts: [part] }),
          "parts[].part_number": (value) => ({ ...upload, parts: [{ ...part, part_number: value }] }),
          "parts[].etag": (value) => ({ ...upload, parts: [{ ...part, etag: value }] })
        })
        yield* refusesIn(`${paths.multipart}abort/`, eachOf(upload))
        const aborted = yield* call(`${paths.multipart}abort/`, { body: upload })
        assert.strictEqual(aborted.status, 204, aborted.text)
      }))

    it.effect("is refused in every field of messages", () =>
      Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        const preview = yield* call(paths.messages, { body: notice })
        assert.strictEqual(preview.status, 200, preview.text)
        yield* refusesIn(paths.messages, messageFields)
        const key = { "idempotency-key": "x".repeat(1_000) }
        assertRefused(yield* call(paths.messages, { body: notice, headers: key }), "a long key")
      }))

    it.effect("is refused in every path and query, or names nothing", () =>
      Effect.gen(function*() {
        const { call, logs } = yield* OriginUnderTest
        const names = ["%00", "a%00b", "%ED%A0%80", "%FF", "%", "1".padEnd(31, "0"), "-1", "1e3", "가".repeat(500)]
        const templates = [
          ["GET", "/api/v1/media/videos/{}/"],
          ["DELETE", "/api/v1/media/videos/{}/"],
          ["GET", "/api/v1/media/videos/{}/rules/"],
          ["POST", "/api/v1/media/videos/{}/retry/"],
          ["POST", "/api/v1/media/videos/{}/upload/complete/"],
          ["GET", "/api/v1/jobs/{}/"],
          ["POST", "/api/v1/students/imports/{}/undo/"],
          ["GET", "/api/v1/media/videos/?page={}"]
        ] as const
        for (const [method, template] of templates) {
          for (const name of names) {
            const path = template.replace("{}", name)
            assertRefused(yield* call(path, { method }), `${method} ${path}`)
          }
        }
        for (const search of ["%00", "a%00b", "x".repeat(1_000)]) {
          assertRefused(yield* call(`/api/v1/media/videos/?search=${search}`), search)
        }
        assert.strictEqual((yield* call("/api/v1/media/videos/?search=%25_%ED%A0%80")).status, 200)
        assertRefused(yield* call(`/api/v1/jobs/${"x".repeat(1_000_000)}/`), "a path of a megabyte")
        for (const tenant of ["1".padEnd(31, "0"), "\u00ff", "-1"]) {
          assertRefused(yield* call("/api/v1/media/videos/", { headers: { "x-tenant-code": tenant } }), tenant)
        }
        assert.deepStrictEqual(failuresOf(logs), [])
      }))

    it.effect("is refused in the fields of a form and in the name of its file", () =>
      Effect.gen(function*() {
        const { call, logs, token, url } = yield* OriginUnderTest
        const part = (name: string, content: string, filename?: string) =>
          `--b\r\nContent-Disposition: form-data; name="${name}"` +
          `${filename === undefined ? "" : `; filename${filename}`}\r\n\r\n${content}\r\n`
        const form = (...parts: ReadonlyArray<string>): Call => ({
          body: new Uint8Array(Buffer.from(`${parts.join("")}--b--\r\n`)),
          headers: { "content-type": "multipart/form-data; boundary=b" }
        })
        const list = part("file", "이름\n", "=a.csv")
        for (const field of ["dry_run", "reading"]) {
          for (const [what, value] of Object.entries(hostile)) {
            assertRefused(yield* call(paths.students, form(list, part(field, fieldOf(value)))), `${what} in ${field}`)
          }
        }
        const uploads = [[paths.students, "이름\n", "csv"], [paths.worksheets, "%PDF-1.7", "pdf"]] as const
        const taken = ["😀".repeat(200), "../../a", "\ufffe", "<b>"].map((name) => `="${name}`)
        const refused = [...["a\0b", "a\u0001b"].map((name) => `="${name}`), "*=\"UTF-8''a%00b"]
        for (const [path, content, extension] of uploads) {
          const send = (filename: string) => call(path, form(part("file", content, `${filename}.${extension}"`)))
          for (const filename of taken) {
            const accepted = yield* send(filename)
            assert.strictEqual(accepted.status, 202, `${filename} for ${path}: ${accepted.text}`)
            assert.strictEqual((yield* call(`/api/v1/jobs/${accepted.json.job_id}/`)).status, 200)
          }
          for (const filename of refused) assertRefused(yield* send(filename), filename)
          const long = part("file", content, `="${"가".repeat(400_000)}.${extension}"`)
          const answer = yield* rawRequest(url, [
            `POST ${path} HTTP/1.1`,
            "Host: localhost",
            `Authorization: Bearer ${yield* token(1)}`,
            "Content-Type: multipart/form-data; boundary=b",
            `Content-Length: ${Buffer.byteLength(long)}`
          ], long)
          assert.match(answer, /^HTTP\/1\.1 400 [^]*"code":"invalid_body"/)
        }
        assert.deepStrictEqual(failuresOf(logs), [])
      }))
  })
})
