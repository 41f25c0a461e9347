import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { JobId, JobMessageJson, JobStore, NewStudent, ObjectStore, StudentStore, TenantId } from "@lectern/domain"
import { Faults, QueueContents } from "@lectern/domain/testing"
import { layer, OriginUnderTest } from "./OriginUnderTest.ts"

const path = "/api/v1/students/bulk_create_from_excel/"
const tenant = TenantId.make(1)
const mebi = 1024 * 1024

const withOrigin = <A, E, R>(effect: Effect.Effect<A, E, R>) => effect.pipe(Effect.provide(layer()))

const csv = new TextEncoder().encode("이름,연락처\n")

const zipStart = new Uint8Array([0x50, 0x4b, 3, 4, 20, 0, 6, 0, 8, 0])
const compoundFile = new Uint8Array([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1])

const form = (
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  fields: Readonly<Record<string, string>> = {}
): FormData => {
  const data = new FormData()
  for (const [key, value] of Object.entries(fields)) data.append(key, value)
  data.append("file", new File([bytes], name))
  return data
}

describe("POST /students/bulk_create_from_excel/", () => {
  it.live("stores the file and sends its import after the commit", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const store = yield* JobStore
      const objects = yield* ObjectStore
      const queue = yield* QueueContents
      const bytes = new Uint8Array(3 * mebi)
      bytes.set(zipStart)
      crypto.getRandomValues(bytes.subarray(10, 60_000))
      const answer = yield* call(path, { body: form("반 명단.XLSX", bytes) })
      assert.strictEqual(answer.status, 202, answer.text)
      assert.deepStrictEqual(answer.json, { job_id: answer.json.job_id, status: "PENDING" })

      const { job } = yield* store.getJob(tenant, JobId.make(answer.json.job_id))
      const [key] = yield* Stream.runCollect(objects.list("tenants/1/excel/"))
      if (key === undefined) return assert.fail("There is no spreadsheet in the object store")
      assert.match(key, /^tenants\/1\/excel\/[0-9a-f-]{36}\.xlsx$/)
      assert.deepStrictEqual(job.payload, { file_key: key, filename: "반 명단.XLSX", dry_run: false })
      const stored = Buffer.concat(yield* Stream.runCollect(objects.get(key)))
      assert.isTrue(stored.equals(bytes))

      const [message] = yield* queue.waiting
      const decoded = Schema.decodeSync(JobMessageJson)(message ?? "")
      assert.deepInclude(decoded, { job_id: job.id, job_type: "student_import", tenant_id: tenant, attempt: 1 })
    })))

  it.live("records of a long name what the database can hold: its end, without half a character", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const store = yield* JobStore
      const answer = yield* call(path, { body: form(`${"😀".repeat(200)}가.xlsx`, zipStart) })
      const { job } = yield* store.getJob(tenant, JobId.make(answer.json.job_id))
      const { filename } = yield* Schema.decodeUnknownEffect(Schema.Struct({ filename: Schema.String }))(job.payload)
      assert.isTrue(filename.isWellFormed())
      assert.match(filename, /😀가\.xlsx$/)
      assert.isAtMost(filename.length, 255)
    })))

  for (const [value, expected] of [["true", true], ["1", true], ["on", true], ["false", false], ["", false]] as const) {
    it.live(`takes dry_run "${value}" as ${expected}`, () =>
      withOrigin(Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        const store = yield* JobStore
        const answer = yield* call(path, { body: form("a.xlsx", zipStart, { dry_run: value }) })
        assert.strictEqual(answer.status, 202, answer.text)
        const { job } = yield* store.getJob(tenant, JobId.make(answer.json.job_id))
        assert.deepInclude(job.payload, { dry_run: expected })
      })))
  }

  it.live("leaves to the import what only a look inside can tell, such as an encrypted workbook", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      assert.strictEqual((yield* call(path, { body: form("a.xlsx", compoundFile) })).status, 202)
      assert.strictEqual((yield* call(path, { body: form("a.csv", new TextEncoder().encode("이름,전화\n")) })).status, 202)
      assert.strictEqual((yield* call(path, { body: form("a.tsv", new TextEncoder().encode("이름\t전화\n")) })).status, 202)
    })))

  const refused: ReadonlyArray<readonly [string, () => FormData, number, string]> = [
    ["an empty file", () => form("a.xlsx", new Uint8Array(0)), 400, "empty_file"],
    ["a picture named .xlsx", () => form("a.xlsx", new Uint8Array([0x89, 0x50, 0x4e, 0x47])), 415, "not_a_spreadsheet"],
    ["a workbook named .csv", () => form("a.csv", zipStart), 415, "not_a_spreadsheet"],
    ["another extension", () => form("a.xls", compoundFile), 415, "unsupported_extension"],
    ["a name without extension", () => form("roster", zipStart), 415, "unsupported_extension"],
    ["an unknown dry_run", () => form("a.xlsx", zipStart, { dry_run: "maybe" }), 400, "invalid_payload"],
    ["a file above 20 MiB", () => form("a.xlsx", new Uint8Array(20 * mebi + 1)), 413, "file_too_large"],
    ["no file", () => {
      const data = new FormData()
      data.append("dry_run", "true")
      return data
    }, 400, "invalid_payload"],
    ["text where the file should be", () => {
      const data = new FormData()
      data.append("file", "a.xlsx")
      return data
    }, 400, "invalid_payload"],
    ["two files", () => {
      const data = form("a.xlsx", zipStart)
      data.append("file", new File([zipStart], "b.xlsx"))
      return data
    }, 400, "invalid_payload"],
    ["many parts", () => {
      const data = form("a.xlsx", zipStart)
      for (let index = 0; index < 20; index++) data.append(`x${index}`, "y")
      return data
    }, 413, "body_too_large"],
    ["a field of 2 KB", () => form("a.xlsx", zipStart, { dry_run: "x".repeat(2048) }), 413, "body_too_large"]
  ]
  for (const [what, body, status, code] of refused) {
    it.live(`refuses ${what} with ${status}, and keeps nothing of it`, () =>
      withOrigin(Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        const objects = yield* ObjectStore
        const queue = yield* QueueContents
        const answer = yield* call(path, { body: body() })
        assert.deepStrictEqual([answer.status, answer.json?.code], [status, code], answer.text)
        assert.isString(answer.json.detail)
        assert.deepStrictEqual(yield* Stream.runCollect(objects.list("tenants/")), [])
        assert.deepStrictEqual(yield* queue.waiting, [])
      })))
  }

  it.live("refuses a body that is no form with 415, and one that is cut short with 400", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const json = yield* call(path, { body: { file: "a.xlsx" } })
      assert.deepStrictEqual([json.status, json.json.code], [415, "unsupported_body"])
      const cut = yield* call(path, {
        body: "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.xlsx\"\r\n\r\nPK",
        headers: { "content-type": "multipart/form-data; boundary=b" }
      })
      assert.deepStrictEqual([cut.status, cut.json.code], [400, "invalid_body"])
      const noBoundary = yield* call(path, { body: "x", headers: { "content-type": "multipart/form-data" } })
      assert.strictEqual(noBoundary.status, 400, noBoundary.text)
    })))

  it.live("answers 202 when the queue is away, and leaves the message to the sweep", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      const store = yield* JobStore
      yield* faults.script("queue", ["refused"])
      const answer = yield* call(path, { body: form("a.xlsx", zipStart) })
      assert.strictEqual(answer.status, 202)
      const left = yield* store.findUndispatched({ olderThanMillis: 60_000, limit: 10 })
      assert.deepStrictEqual(left.map((job) => job.jobId), [JobId.make(answer.json.job_id)])
    })))

  it.live("answers 503 when the object store is away: there is no job", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      const store = yield* JobStore
      yield* faults.script("objects", ["refused"])
      const answer = yield* call(path, { body: form("a.xlsx", zipStart) })
      assert.deepStrictEqual([answer.status, answer.json.code], [503, "objects_unavailable"])
      assert.deepStrictEqual(yield* store.findUndispatched({ olderThanMillis: 0, limit: 10 }), [])
    })))

  it.live("answers 503 when the answer of the database is lost, and keeps the file: the import may be recorded", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      const store = yield* JobStore
      const objects = yield* ObjectStore
      yield* faults.store(["lost"])
      const answer = yield* call(path, { body: form("a.xlsx", zipStart) })
      assert.deepStrictEqual([answer.status, answer.json.code], [503, "database_unavailable"])
      const [job] = yield* store.findUndispatched({ olderThanMillis: 60_000, limit: 10 })
      const keys = yield* Stream.runCollect(objects.list("tenants/1/excel/"))
      assert.deepInclude(job?.payload, { file_key: keys[0] })
    })))

  it.live("wants a token before it looks at the file", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      assert.strictEqual((yield* call(path, { body: form("a.xlsx", zipStart), tenant: null })).status, 401)
    })))

  it.live("takes the readings that the user has chosen, and refuses what is none", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const store = yield* JobStore
      const answer = yield* call(path, { body: form("a.csv", csv, { reading: "sheet:2,guardian:AB" }) })
      assert.strictEqual(answer.status, 202, answer.text)
      const { job } = yield* store.getJob(tenant, JobId.make(answer.json.job_id))
      assert.deepNestedInclude(job.payload, { readings: ["sheet:2", "guardian:AB"] })
      for (const reading of ["guardian", "guardian:b", "sheet:0", "guardian:B,", "encoding:latin1"]) {
        assert.strictEqual((yield* call(path, { body: form("a.csv", csv, { reading }) })).status, 400, reading)
      }
    })))
})

describe("POST /students/imports/{job_id}/undo/", () => {
  const undo = (id: string) => `/api/v1/students/imports/${id}/undo/`

  it.live("removes what an ended import has created, for its own tenant, as often as it is asked", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const store = yield* JobStore
      const students = yield* StudentStore
      const id = JobId.make("an-import")
      yield* store.createJob(tenant, { id, kind: "student_import", payload: {} })
      const claim = yield* store.claim(tenant, id, { owner: "worker", leaseMillis: 60_000 })
      if (claim._tag !== "Claimed") return assert.fail(`expected a claim and got ${claim._tag}`)
      const student = new NewStudent({ row: 2, name: "가", guardianPhone: "010-1234-5678", studentPhone: null, details: {} })
      yield* students.insertBatch(claim.lease, [student])
      const running = yield* call(undo(id), { method: "POST" })
      assert.strictEqual(running.status, 409)
      assert.strictEqual(running.json.code, "import_not_undoable")
      yield* store.transition(claim.lease, { _tag: "Succeed", result: {} })
      assert.strictEqual((yield* call(undo(id), { method: "POST", tenant: 2 })).status, 404)
      assert.deepStrictEqual((yield* call(undo(id), { method: "POST" })).json, { removed: [2], changed: [] })
      assert.deepStrictEqual((yield* call(undo(id), { method: "POST" })).json, { removed: [], changed: [] })
      assert.strictEqual((yield* call(undo("no-such-job"), { method: "POST" })).status, 404)
      assert.strictEqual((yield* call(undo(id), { method: "POST", tenant: null })).status, 401)
    })))
})
