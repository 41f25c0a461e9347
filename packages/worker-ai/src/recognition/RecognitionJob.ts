import { exportsPrefix, type JobRun, newJobId, ObjectStore, type WorkerCommand } from "@lectern/domain"
import { Effect, Schema, Stream } from "effect"
import { endOfDatabaseFault } from "../databaseEnd.ts"
import { endedEarly } from "../endedEarly.ts"
import type { HandlerEnd, JobHandler } from "../JobHandler.ts"
import { removeUpload } from "../removeUpload.ts"
import { openWorksheet } from "./openWorksheet.ts"
import { defaultRecognitionLimits, type RecognitionLimits } from "./RecognitionLimits.ts"
import { judgePage, RecognitionSummary, RecognitionText, type RecognizedPage, summarize } from "./RecognitionResult.ts"
import { type Recognizer, TextRecognition } from "./TextRecognition.ts"
import { watchCpu } from "./watchCpu.ts"
import type { Worksheet } from "./Worksheet.ts"
import { WorksheetRejected } from "./WorksheetRejected.ts"

/** The payload of an `ocr` job: names alone, nothing of what the sheet holds. */
export const RecognitionPayload = Schema.Struct({
  /** Object key of the upload. */
  file_key: Schema.String,
  filename: Schema.String
})
export type RecognitionPayload = typeof RecognitionPayload.Type

export interface RecognitionOptions {
  readonly limits: RecognitionLimits
  /** Confidence under which a line is doubtful, 0..100. */
  readonly sureFrom: number
  /** Milliseconds of processor time that a job may cost before it is left to a premium one, which has no such limit. */
  readonly cpuBudgetMillis: number
}

export const defaultRecognitionOptions: RecognitionOptions = {
  limits: defaultRecognitionLimits,
  sureFrom: 70,
  cpuBudgetMillis: 120_000
}

/** How long the address of the text stays valid, in seconds: a week, the most that S3 signs for. */
const textValidSeconds = 604_800
const languages = ["kor", "eng"]

const temporaryMessage = "일시적인 문제로 글자를 읽지 못했습니다"

const decodePayload = Schema.decodeUnknownEffect(RecognitionPayload)
const encodeText = Schema.encodeEffect(Schema.fromJsonString(RecognitionText))
const encodeSummary = Schema.encodeEffect(RecognitionSummary)

type Services = ObjectStore | TextRecognition

/** The processor time is used up, or would be before the end. */
class OverBudget extends Schema.TaggedError<OverBudget>()("OverBudget", {
  spentMillis: Schema.Finite,
  pagesRead: Schema.Int,
  pages: Schema.Int
}) {}

/**
 * Reads a worksheet: looks at its limits, reads it page by page, and leaves the text in the object store.
 *
 * A line that is not sure enough makes the job `REVIEW_REQUIRED`. A job that costs too much for a processor is left
 * to a premium job with the same upload, which is therefore removed by the last of them.
 */
export const recognitionJob = (options: RecognitionOptions): JobHandler<Services> => ({
  memoryMiB: 768,
  handle: Effect.fn("RecognitionJob.handle")(function*(run, payload, pulse) {
    const decoded = yield* Effect.result(decodePayload(payload))
    if (decoded._tag === "Failure") {
      return yield* endedEarly(
        { _tag: "Fail", code: "bad_payload", message: "작업 정보를 읽을 수 없습니다", retryable: false },
        decoded.failure.message,
        Effect.void
      )
    }
    const { file_key } = decoded.success
    const temporary = (code: string) => (error: { readonly message: string }) =>
      endedEarly(
        { _tag: "Fail", code, message: temporaryMessage, retryable: true },
        error.message,
        removeUpload(file_key)
      )
    return yield* readWorksheet(run, file_key, pulse, options).pipe(
      Effect.scoped,
      Effect.catchTags({
        WorksheetRejected: (error) =>
          endedEarly({ _tag: "Reject", code: error.code, message: error.messageKo }, error.message, removeUpload(file_key)),
        OverBudget: ({ pages, pagesRead, spentMillis }) =>
          Effect.flatMap(newJobId, (premiumJobId) =>
            endedEarly(
              { _tag: "FallBackToGpu", premiumJobId, message: "처리량이 많아 프리미엄 작업으로 다시 처리합니다" },
              `${pagesRead} of ${pages} pages cost ${Math.round(spentMillis)} ms`,
              // The premium job reads the same upload.
              Effect.void
            )),
        ObjectNotFound: (error) =>
          endedEarly(
            { _tag: "Fail", code: "upload_missing", message: "올린 파일을 찾을 수 없습니다. 다시 올려 주세요", retryable: false },
            error.message,
            Effect.void
          ),
        ObjectStoreUnavailable: temporary("object_store_unavailable"),
        RecognitionUnavailable: temporary("recognition_unavailable"),
        JobStoreUnavailable: (error) =>
          endedEarly(endOfDatabaseFault(error, temporaryMessage), error.message, removeUpload(file_key))
      })
    )
  })
})

const readWorksheet = Effect.fnUntraced(function*(
  run: JobRun,
  fileKey: string,
  pulse: Effect.Effect<void>,
  options: RecognitionOptions
) {
  const { job } = yield* run.current
  yield* run.record({ _tag: "Validate", step: "downloading" })
  const bytes = yield* download(fileKey, pulse, options.limits.maxBytes)
  yield* run.record({ _tag: "Validate", step: "validating" })
  const worksheet = yield* openWorksheet(bytes, options.limits, pulse)
  const recognition = yield* TextRecognition
  const recognizer = yield* recognition.open
  yield* pulse

  yield* run.record({ _tag: "Advance", step: "recognizing" })
  const budgetMillis = job.tier === "premium" ? Number.POSITIVE_INFINITY : options.cpuBudgetMillis
  const pages = yield* readPages(run, worksheet, recognizer, pulse, budgetMillis, options.sureFrom)
  return yield* finish(run, pages, fileKey)
})

const download = Effect.fnUntraced(function*(key: string, pulse: Effect.Effect<void>, maxBytes: number) {
  const objects = yield* ObjectStore
  const { size } = yield* objects.head(key)
  if (size > maxBytes) {
    return yield* new WorksheetRejected({
      code: "file_too_large",
      detail: `it has ${size} bytes, and ${maxBytes} are the most`
    })
  }
  const chunks = yield* objects.get(key).pipe(Stream.tap(() => pulse), Stream.runCollect)
  return new Uint8Array(Buffer.concat(chunks))
})

const readPages = Effect.fnUntraced(function*(
  run: JobRun,
  worksheet: Worksheet,
  recognizer: Recognizer,
  pulse: Effect.Effect<void>,
  budgetMillis: number,
  sureFrom: number
) {
  const pages: Array<RecognizedPage> = []
  const startedAt = yield* recognizer.cpuMillis
  const spent = Effect.map(recognizer.cpuMillis, (now) => now - startedAt)
  const overBudget = (spentMillis: number) =>
    new OverBudget({ spentMillis, pagesRead: pages.length, pages: worksheet.pages })

  /** The engine's own processor time is what keeps the job: one that stands still loses it. */
  const watch = Effect.flatMap(watchCpu(spent, budgetMillis, pulse), (cost) => Effect.fail(overBudget(cost)))

  for (let number = 1; number <= worksheet.pages; number += 1) {
    const image = yield* worksheet.page(number)
    yield* pulse
    const lines = yield* Effect.raceFirst(recognizer.recognize(image), watch)
    pages.push(judgePage(number, image, lines, sureFrom))
    const cost = yield* spent
    // What cannot be ended within the budget is not gone on with.
    if (number < worksheet.pages && cost / number * worksheet.pages > budgetMillis) return yield* overBudget(cost)
    yield* run.tick({
      fraction: number / worksheet.pages,
      remainingSeconds: cost / number * (worksheet.pages - number) / 1000
    })
  }
  return pages
}, Effect.catchTag("PageUnreadable", (error) =>
  Effect.fail(new WorksheetRejected({ code: "unreadable_image", detail: error.message }))))

/** Why somebody has to look at it; `null` for a result that is sure enough. */
const doubtOf = ({ doubtful_lines, lines }: RecognitionSummary): string | null =>
  lines === 0
    ? "글자를 찾지 못했습니다. 올린 파일을 확인해 주세요"
    : doubtful_lines === 0
    ? null
    : `${lines}줄 가운데 ${doubtful_lines}줄이 확실하지 않습니다. 표시된 줄을 확인해 주세요`

const finish = Effect.fnUntraced(function*(run: JobRun, pages: ReadonlyArray<RecognizedPage>, fileKey: string) {
  const objects = yield* ObjectStore
  const key = `${exportsPrefix(run.lease.tenantId, run.lease.jobId)}text.json`
  const text = Buffer.from(yield* Effect.orDie(encodeText({ languages, pages })))
  yield* objects.put(key, Stream.make(new Uint8Array(text)), {
    contentType: "application/json",
    cacheControl: "private, no-store",
    size: text.length
  })
  const summary = summarize(pages, yield* objects.presignGet(key, { expiresInSeconds: textValidSeconds }))
  const result = yield* Effect.orDie(encodeSummary(summary))
  const doubt = doubtOf(summary)
  const command: WorkerCommand = doubt === null
    ? { _tag: "Succeed", result }
    : { _tag: "RequireReview", result, message: doubt }
  const end: HandlerEnd<Services> = { command, afterwards: removeUpload(fileKey) }
  return end
})
