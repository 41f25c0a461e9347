import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import {
  exportsPrefix,
  JobId,
  JobQueue,
  JobRecorder,
  JobStore,
  jobSubject,
  newJobId,
  ObjectStore,
  ProgressReader,
  Sweeper,
  TenantId,
  type Tier
} from "@lectern/domain"
import { TestDomain } from "@lectern/domain/testing"
import { Effect, Layer, References, Schedule, Schema, Stream } from "effect"
import { consume, defaultConsumerOptions } from "../../src/index.ts"
import {
  defaultRecognitionOptions,
  recognitionJob,
  type RecognitionOptions,
  RecognitionSummary,
  RecognitionText,
  type RecognizedLine,
  TextRecognitionTesseract
} from "../../src/recognition/index.ts"
import { encryptedPdf, jpegSheet, pngHeader, repeatedPdf, sheet } from "./madeSheets.ts"
import * as TextRecognitionMemory from "./TextRecognitionMemory.ts"

const tenant = TenantId.make(3)

const world = Layer.mergeAll(TestDomain.layer, Layer.succeed(References.MinimumLogLevel, "None")).pipe(
  Layer.provideMerge(NodeServices.layer)
)

const line = (text: string, confidence: number): RecognizedLine => ({
  text,
  confidence,
  box: { x: 1, y: 2, width: 3, height: 4 }
})

const sure = [line("가나다", 93), line("abc", 88.26)]

const upload = Effect.fnUntraced(function*(bytes: Uint8Array, tier: Tier = "basic") {
  const objects = yield* ObjectStore
  const recorder = yield* JobRecorder
  const store = yield* JobStore
  const sweeper = yield* Sweeper
  const id = yield* newJobId
  const file_key = `tenants/${tenant}/ai/ocr/${id}.png`
  yield* objects.put(file_key, Stream.make(bytes), { contentType: "image/png", cacheControl: "", size: bytes.length })
  yield* recorder.commit(store.createJob(tenant, { id, kind: "ocr", tier, payload: { file_key, filename: "시험지.png" } }))
  yield* sweeper.sweep
  return { id, file_key }
})

const jobOf = (id: JobId) => Effect.flatMap(JobStore, (store) => Effect.map(store.getJob(tenant, id), ({ job }) => job))

const until = (id: JobId, status: string) =>
  jobOf(id).pipe(Effect.repeat({ until: (job) => job.status === status, schedule: Schedule.spaced("5 millis") }))

const recognizing = (options: Partial<RecognitionOptions> = {}) =>
  Effect.forkScoped(consume(
    { ocr: recognitionJob({ ...defaultRecognitionOptions, ...options }) },
    { ...defaultConsumerOptions, waitSeconds: 1, graceMillis: 0 }
  ))

const exists = (key: string) =>
  Effect.gen(function*() {
    const objects = yield* ObjectStore
    return (yield* Effect.result(objects.head(key)))._tag === "Success"
  })

const textOf = Effect.fnUntraced(function*(id: JobId) {
  const objects = yield* ObjectStore
  const chunks = yield* objects.get(`${exportsPrefix(tenant, id)}text.json`).pipe(Stream.runCollect)
  return yield* Schema.decodeUnknownEffect(Schema.fromJsonString(RecognitionText))(Buffer.concat(chunks).toString())
})

const mirrored = Effect.fnUntraced(function*(id: JobId) {
  const reader = yield* ProgressReader
  const [stored] = yield* reader.read(tenant, [jobSubject(id)])
  return stored?.status ?? ""
})

const summaryOf = (id: JobId) =>
  Effect.flatMap(jobOf(id), ({ result }) => Schema.decodeUnknownEffect(RecognitionSummary)(result))

const memory = (lines: ReadonlyArray<RecognizedLine>, cpuMillisPerPage = 10, takes?: Effect.Effect<void>) =>
  TextRecognitionMemory.layerWith({ lines, cpuMillisPerPage, ...takes === undefined ? {} : { takes } })

const page = Effect.promise(() => sheet(["가나다"]))

describe("a recognition", () => {
  it.live("leaves the text in the object store, and no word of it in row or mirror", () =>
    Effect.gen(function*() {
      const { file_key, id } = yield* upload(yield* page)
      yield* recognizing()
      yield* until(id, "DONE")
      const { text_url: _, ...summary } = yield* summaryOf(id)
      assert.deepStrictEqual(summary, { pages: 1, lines: 2, confidence: 90.7, doubtful_lines: 0, doubtful: [] })
      const { pages } = yield* textOf(id)
      assert.deepStrictEqual(pages[0]?.lines.map(({ confidence, doubtful, text }) => [text, confidence, doubtful]), [
        ["가나다", 93, false],
        ["abc", 88.3, false]
      ])
      yield* exists(file_key).pipe(Effect.repeat({ until: (there) => !there, schedule: Schedule.spaced("5 millis") }))
      assert.match(yield* mirrored(id), /"status":"DONE"/)
      assert.notInclude(JSON.stringify(yield* jobOf(id)) + (yield* mirrored(id)), "가나다")
    }).pipe(Effect.scoped, Effect.provide(memory(sure)), Effect.provide(world)), 120_000)

  it.live("asks for a review where a line is not sure enough, and says which", () =>
    Effect.gen(function*() {
      const { id } = yield* upload(yield* page)
      yield* recognizing()
      const { errorMessage } = yield* until(id, "REVIEW_REQUIRED")
      assert.include(errorMessage, "3줄 가운데 1줄")
      const summary = yield* summaryOf(id)
      assert.deepStrictEqual(summary.doubtful, [{ page: 1, line: 3, confidence: 41 }])
      assert.deepStrictEqual((yield* textOf(id)).pages[0]?.lines.map(({ doubtful }) => doubtful), [false, false, true])
      assert.match(yield* mirrored(id), /"status":"REVIEW_REQUIRED"/)
    }).pipe(Effect.scoped, Effect.provide(memory([...sure, line("흐림", 41)])), Effect.provide(world)), 120_000)

  it.live("asks for a review of a sheet on which it finds nothing", () =>
    Effect.gen(function*() {
      const { id } = yield* upload(yield* page)
      yield* recognizing()
      yield* until(id, "REVIEW_REQUIRED")
      assert.strictEqual((yield* summaryOf(id)).confidence, null)
    }).pipe(Effect.scoped, Effect.provide(memory([])), Effect.provide(world)), 120_000)

  it.live("is left to a premium job when it costs too much, which reads the same upload without that limit", () =>
    Effect.gen(function*() {
      const { file_key, id } = yield* upload(repeatedPdf(3))
      yield* recognizing({ cpuBudgetMillis: 100 })
      const { result } = yield* until(id, "FALLBACK_TO_GPU")
      const decode = Schema.decodeUnknownEffect(Schema.Struct({ premium_job_id: JobId }))
      const { premium_job_id: premium } = yield* decode(result)
      assert.match(yield* mirrored(id), new RegExp(`"status":"FALLBACK_TO_GPU".*"premium_job_id":"${premium}"`))
      assert.isTrue(yield* exists(file_key))

      const sweeper = yield* Sweeper
      yield* sweeper.sweep
      const ended = yield* until(premium, "DONE")
      assert.deepStrictEqual([ended.tier, ended.attempt], ["premium", 1])
      yield* exists(file_key).pipe(Effect.repeat({ until: (there) => !there, schedule: Schedule.spaced("5 millis") }))
    }).pipe(Effect.scoped, Effect.provide(memory(sure, 60)), Effect.provide(world)), 120_000)

  it.live("is left to a premium job in the middle of a page that costs too much", () =>
    Effect.gen(function*() {
      const { id } = yield* upload(yield* page)
      yield* recognizing({ cpuBudgetMillis: 100 })
      yield* until(id, "FALLBACK_TO_GPU")
    }).pipe(Effect.scoped, Effect.provide(memory(sure, 101, Effect.never)), Effect.provide(world)), 120_000)

  it.live("rejects with a reason what can never be read, and removes it", () =>
    Effect.gen(function*() {
      const uploads = [
        ["not_an_image", Buffer.from("<html>")],
        ["image_too_large", pngHeader(30_000, 30_000)],
        ["encrypted_pdf", encryptedPdf()]
      ] as const
      yield* recognizing()
      for (const [code, bytes] of uploads) {
        const { file_key, id } = yield* upload(bytes)
        const job = yield* until(id, "REJECTED_BAD_INPUT")
        assert.strictEqual(job.errorCode, code)
        assert.match(job.errorMessage ?? "", /[가-힣]/)
        yield* exists(file_key).pipe(Effect.repeat({ until: (there) => !there, schedule: Schedule.spaced("5 millis") }))
        assert.match(yield* mirrored(id), /"status":"REJECTED_BAD_INPUT"/)
      }
    }).pipe(Effect.scoped, Effect.provide(memory(sure)), Effect.provide(world)), 120_000)

  it.live("fails for good without its upload, and leaves the message to nobody", () =>
    Effect.gen(function*() {
      const objects = yield* ObjectStore
      const { file_key, id } = yield* upload(yield* page)
      yield* objects.remove(file_key)
      yield* recognizing()
      assert.strictEqual((yield* until(id, "FAILED")).errorCode, "upload_missing")
      const queue = yield* JobQueue
      assert.deepStrictEqual(yield* queue.receive({ max: 1, waitSeconds: 0, visibilitySeconds: 1 }), [])
    }).pipe(Effect.scoped, Effect.provide(memory(sure)), Effect.provide(world)), 120_000)

  it.live("goes from the queue to the text with the real engine, while its worker goes on breathing", () =>
    Effect.gen(function*() {
      const { id } = yield* upload(yield* Effect.promise(() => jpegSheet(["다음 글을 읽고 물음에 답하시오.", "Read the passage."])))
      yield* recognizing()
      let breaths = 0
      const ended = yield* jobOf(id).pipe(
        Effect.tap(({ status }) => Effect.sync(() => status === "RUNNING" && (breaths += 1))),
        Effect.repeat({
          until: ({ leaseOwner, status }) => leaseOwner === null && status !== "PENDING",
          schedule: Schedule.spaced("5 millis")
        })
      )
      assert.strictEqual(ended.status, "DONE")
      // An engine in this thread would have let nobody look while it read.
      assert.isAbove(breaths, 10)
      const { pages } = yield* textOf(id)
      assert.deepStrictEqual(pages[0]?.lines.map(({ text }) => text), ["다음 글을 읽고 물음에 답하시오.", "Read the passage."])
    }).pipe(Effect.scoped, Effect.provide(TextRecognitionTesseract.layer), Effect.provide(world)), 120_000)
})
