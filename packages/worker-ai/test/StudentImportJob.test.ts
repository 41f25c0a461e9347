import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import {
  exportsPrefix,
  isTerminal,
  type JobId,
  JobDispatcher,
  JobRecorder,
  JobStore,
  jobSubject,
  newJobId,
  ObjectStore,
  ProgressReader,
  StudentStore,
  TenantId,
  undispatched
} from "@lectern/domain"
import { Faults, QueueContents, TestDomain } from "@lectern/domain/testing"
import { Effect, FileSystem, Layer, Logger, Schedule, Schema, Stream } from "effect"
import ExcelJS from "exceljs"
import { Readable } from "node:stream"
import { consume, defaultConsumerOptions } from "../src/index.ts"
import { studentImportJob } from "../src/StudentImportJob.ts"

const tenant = TenantId.make(5)

/** Everything that the job logs, as text. */
const logged: Array<string> = []
const world = Layer.merge(
  TestDomain.layerWith({ recorder: { mirrorBudget: "1 second", mirrorRest: 0, databasePatience: "1 second" } }),
  Logger.layer([Logger.make(({ cause, message }) => void logged.push(`${JSON.stringify(message)} ${String(cause)}`))])
).pipe(Layer.provideMerge(NodeServices.layer))

const put = Effect.fnUntraced(function*(bytes: Uint8Array, extension: string) {
  const objects = yield* ObjectStore
  const key = `tenants/${tenant}/excel/${yield* newJobId}.${extension}`
  yield* objects.put(key, Stream.make(bytes), { contentType: "x", cacheControl: "", size: bytes.length })
  return key
})

const ended = Effect.fnUntraced(function*(id: JobId) {
  const store = yield* JobStore
  const { job } = yield* store.getJob(tenant, id).pipe(
    Effect.repeat({ until: ({ job }) => isTerminal(job.status), schedule: Schedule.spaced("2 millis") })
  )
  return job
})

/** Uploads a file, has it imported and waits for the end. */
const imported = Effect.fnUntraced(function*(
  bytes: Uint8Array,
  extension: string,
  options: { readonly dry_run?: boolean; readonly readings?: ReadonlyArray<string> } = {}
) {
  const recorder = yield* JobRecorder
  const store = yield* JobStore
  const dispatcher = yield* JobDispatcher
  const fs = yield* FileSystem.FileSystem
  const workRoot = yield* fs.makeTempDirectoryScoped()
  const fileKey = yield* put(bytes, extension)
  const id = yield* newJobId
  const payload = { file_key: fileKey, filename: `명단.${extension}`, dry_run: false, ...options }
  const { job } = yield* recorder.commit(store.createJob(tenant, { id, kind: "student_import", payload }))
  yield* dispatcher.dispatch(undispatched(job))
  const done = yield* Effect.raceFirst(
    ended(id),
    consume({ student_import: studentImportJob({ workRoot }) }, { ...defaultConsumerOptions, waitSeconds: 1 })
  )
  return { fileKey, job: done }
}, Effect.scoped)

const Result = Schema.Struct({
  created: Schema.Int,
  duplicates: Schema.Int,
  failed_rows: Schema.Int,
  total: Schema.Int,
  failed: Schema.Array(Schema.Struct({ cell: Schema.String, code: Schema.String })),
  notes: Schema.Array(Schema.Struct({ code: Schema.String }))
})
const resultOf = (job: { readonly result: Schema.Json | null }) => Schema.decodeUnknownSync(Result)(job.result)

const workbookOf = Effect.fnUntraced(function*(id: JobId) {
  const objects = yield* ObjectStore
  return Buffer.concat(yield* Stream.runCollect(objects.get(`${exportsPrefix(tenant, id)}result.xlsx`)))
})

const sheetOf = (bytes: Uint8Array) =>
  Effect.promise(async () => {
    const book = new ExcelJS.Workbook()
    await book.xlsx.read(Readable.from([bytes]))
    const [sheet] = book.worksheets
    if (sheet === undefined) throw new Error("The workbook has no sheet")
    return sheet
  })

const bytesOf = (book: ExcelJS.Workbook) => Effect.promise(async () => new Uint8Array(await book.xlsx.writeBuffer()))

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

const withWorld = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(effect, world)

describe("studentImportJob", () => {
  it.live("ends in REVIEW_REQUIRED with both readings, whose previews stay in the record, and does as it is told the next time", () =>
    withWorld(Effect.gen(function*() {
      const objects = yield* ObjectStore
      const reader = yield* ProgressReader
      const file = utf8("이름,연락처\n김가온,010-1234-9999\n")
      const asked = yield* imported(file, "csv")
      assert.strictEqual(asked.job.status, "REVIEW_REQUIRED")
      assert.deepNestedInclude(asked.job.result, { "readings[0].id": "guardian:B", "readings[1].id": "student:B" })
      assert.include(JSON.stringify(asked.job.result), "김가온")
      assert.include(asked.job.errorMessage ?? "", "학부모 번호인지 학생 번호인지")
      const [mirrored] = yield* reader.read(tenant, [jobSubject(asked.job.id)])
      assert.include(mirrored?.status ?? "", "REVIEW_REQUIRED")
      assert.include(mirrored?.status ?? "", "guardian:B")
      assert.notMatch(mirrored?.status ?? "", /김가온|1234-9999/)
      assert.strictEqual((yield* Effect.result(objects.head(asked.fileKey)))._tag, "Failure")

      const told = yield* imported(file, "csv", { readings: ["guardian:B"] })
      assert.strictEqual(told.job.status, "DONE")
      assert.deepInclude(resultOf(told.job), { created: 1, failed_rows: 0 })
    })))

  it.live("hands back a workbook that can be corrected and uploaded again: only the corrected rows are taken", () =>
    withWorld(Effect.gen(function*() {
      const first = yield* imported(
        utf8("이름,학부모 연락처\n김하나,010-1111-2222\n이둘,010-12\n박셋,\n최넷,없음\n정다섯,010-5555-6666\n"),
        "csv"
      )
      assert.deepInclude(resultOf(first.job), { created: 2, failed_rows: 3, total: 5 })
      const sheet = yield* sheetOf(yield* workbookOf(first.job.id))
      assert.deepStrictEqual([3, 4, 5].map((row) => sheet.getCell(`C${row}`).text !== ""), [true, true, true])
      assert.deepStrictEqual([2, 6].map((row) => sheet.getCell(`C${row}`).text), ["", ""])
      sheet.getCell("B3").value = "010-1212-3434"
      sheet.getCell("B4").value = "1033334444"
      const again = yield* imported(yield* bytesOf(sheet.workbook), "xlsx")
      assert.deepInclude(resultOf(again.job), { created: 2, duplicates: 2, failed_rows: 1, total: 5 })
      assert.deepStrictEqual(resultOf(again.job).failed, [{ cell: "B5", code: "guardian_phone_missing" }])

      const corrected = yield* sheetOf(yield* workbookOf(again.job.id))
      assert.deepStrictEqual([2, 3, 4, 5, 6].map((row) => corrected.getCell(`C${row}`).text !== ""), [
        false,
        false,
        false,
        true,
        false
      ])
    })))

  it.live("tells in a dry run exactly what the run then does", () =>
    withWorld(Effect.gen(function*() {
      const list = utf8(
        "이름,학부모 연락처,비고\n김하나,1011112222,\n이둘,010-12,\n김하나,010-1111-2222,같은 학생\n예시,010-0000-0000,\n=1+1,010-3333-4444,\n박셋,010-5555-6666,\n"
      )
      yield* imported(utf8("이름,학부모 연락처\n박셋,010-5555-6666\n"), "csv")
      const told = yield* imported(list, "csv", { dry_run: true })
      const done = yield* imported(list, "csv")
      assert.deepStrictEqual(resultOf(done.job), resultOf(told.job))
      assert.deepInclude(resultOf(done.job), { created: 1, duplicates: 2, failed_rows: 2 })
      const twice = yield* imported(list, "csv")
      assert.deepInclude(resultOf(twice.job), { created: 0, duplicates: 3, failed_rows: 2 })
    })))

  it.live("ends at once where the database keeps no such value, and where it contradicts us, and says which rows", () =>
    withWorld(Effect.gen(function*() {
      const faults = yield* Faults
      const list = utf8("이름,학부모 연락처\n김하나,010-1111-2222\n이둘,010-3333-4444\n")
      const ends = [
        ["unstorable", "REJECTED_BAD_INPUT", "unstorable_value", "2행부터 3행"],
        ["broken", "FAILED", "bug", "오류"]
      ] as const
      for (const [fault, status, errorCode, words] of ends) {
        yield* faults.script("students", [fault])
        const { job } = yield* imported(list, "csv")
        assert.deepInclude(job, { status, errorCode, attempt: 1 })
        assert.include(job.errorMessage, words)
      }
    })))

  it.live("can be taken back, and then be done again", () =>
    withWorld(Effect.gen(function*() {
      const students = yield* StudentStore
      const list = utf8("이름,학부모 연락처\n김하나,010-1111-2222\n이둘,010-3333-4444\n")
      const { job } = yield* imported(list, "csv")
      assert.deepStrictEqual(yield* students.undoImport(tenant, job.id), { removed: [2, 3], changed: [] })
      assert.deepInclude(resultOf((yield* imported(list, "csv")).job), { created: 2, duplicates: 0 })
    })))

  it.live("says the names and numbers of people nowhere but in the record and in the workbook", () =>
    withWorld(Effect.gen(function*() {
      const reader = yield* ProgressReader
      const queue = yield* QueueContents
      logged.length = 0
      const lists = [
        "이름,학부모 연락처\n나비밀,010-7777-8888\n나비밀,010-77\n=나비밀,010-7777-8889\n",
        "이름,연락처\n나비밀,010-7777-8888\n",
        "나비밀,010-7777-8888\n",
        "이름,학부모 연락처\n나비밀,\"010-7777-8888\n"
      ]
      const statuses: Array<string> = []
      for (const list of lists) {
        const { job } = yield* imported(utf8(list), "csv")
        statuses.push(job.status)
        const [mirrored] = yield* reader.read(tenant, [jobSubject(job.id)])
        assert.notMatch(`${mirrored?.status} ${mirrored?.progress} ${job.errorMessage}`, /나비밀|7777-?888/)
        assert.notMatch(JSON.stringify(job.payload), /나비밀|7777-?888/)
      }
      assert.deepStrictEqual(statuses, ["DONE", "REVIEW_REQUIRED", "REJECTED_BAD_INPUT", "REJECTED_BAD_INPUT"])
      assert.notMatch(`${JSON.stringify(yield* queue.waiting)} ${JSON.stringify(yield* queue.buried)}`, /나비밀|7777-?888/)
      assert.isNotEmpty(logged)
      assert.notMatch(logged.join("\n"), /나비밀|7777-?888/)
    })))
})
