import {
  exportsPrefix,
  type ImportStepName,
  type InsertedStudents,
  type JobRun,
  type NewStudent,
  ObjectStore,
  ReadingId,
  StudentStore,
  type WorkerCommand
} from "@lectern/domain"
import { Effect, FileSystem, Schema, Stream } from "effect"
import {
  importSpreadsheet,
  jobResult,
  reviewResult,
  type StudentRow,
  type StudentSink,
  unstorableRows,
  writeErrorWorkbook
} from "./import/index.ts"
import { endOfDatabaseFault } from "./databaseEnd.ts"
import { endedEarly } from "./endedEarly.ts"
import type { HandlerEnd, JobHandler } from "./JobHandler.ts"
import { removeUpload } from "./removeUpload.ts"

/** The payload of a `student_import`: names alone, nothing of what the file holds. */
export const StudentImportPayload = Schema.Struct({
  /** Object key of the uploaded spreadsheet. */
  file_key: Schema.String,
  filename: Schema.String,
  dry_run: Schema.Boolean,
  /** What the user has answered to the questions that the file has raised before. */
  readings: Schema.optionalKey(Schema.Array(ReadingId))
})
export type StudentImportPayload = typeof StudentImportPayload.Type

/** How long the download of a result stays valid, in seconds: a week, the most that S3 signs for. */
const downloadValidSeconds = 604_800

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

const temporaryMessage = "일시적인 문제로 명단을 등록하지 못했습니다"

const decodePayload = Schema.decodeUnknownEffect(StudentImportPayload)

type Services = ObjectStore | StudentStore | FileSystem.FileSystem

const toNewStudent = (row: StudentRow): NewStudent => {
  const { guardianPhone, name, row: number, studentPhone, ...others } = row
  const details: Record<string, string> = {}
  for (const [field, value] of Object.entries(others)) if (value !== null) details[field] = value
  return { row: number, name, guardianPhone, studentPhone, details }
}

/** The name under which the workbook with the error column is downloaded: the user's own, marked. */
export const downloadName = (filename: string): string => `${filename.replace(/\.[^.]*$/, "")} (결과).xlsx`

/**
 * The import of a class list as a job: fetch the file, judge every row, write the good ones under the lease, hand back the
 * user's own rows with an error column.
 *
 * The uploaded file is removed when the job is terminal, not before: another attempt needs it (INCIDENTS.md, 39).
 */
export const studentImportJob = (options: { readonly workRoot: string }): JobHandler<Services> => ({
  memoryMiB: 256,
  handle: Effect.fn("StudentImportJob.handle")(function*(run, payload, pulse) {
    const decoded = yield* Effect.result(decodePayload(payload))
    if (decoded._tag === "Failure") {
      const command: WorkerCommand = {
        _tag: "Fail",
        code: "bad_payload",
        message: "작업 정보를 읽을 수 없습니다",
        retryable: false
      }
      return yield* endedEarly(command, decoded.failure.message, Effect.void)
    }
    const { file_key } = decoded.success
    const temporary = (code: string) => (error: { readonly message: string }) =>
      endedEarly(
        { _tag: "Fail", code, message: temporaryMessage, retryable: true },
        error.message,
        removeUpload(file_key)
      )
    return yield* importStudents(run, decoded.success, pulse, options.workRoot).pipe(
      Effect.scoped,
      Effect.catchTags({
        ImportRejected: (error) =>
          endedEarly({ _tag: "Reject", code: error.code, message: error.messageKo }, error.message, removeUpload(file_key)),
        ImportUndecided: (error) =>
          endedEarly(
            { _tag: "RequireReview", result: reviewResult(error), message: error.messageKo },
            error.message,
            removeUpload(file_key)
          ),
        ObjectNotFound: (error) =>
          endedEarly(
            {
              _tag: "Fail",
              code: "upload_missing",
              message: "올린 파일을 찾을 수 없습니다. 다시 올려 주세요",
              retryable: false
            },
            error.message,
            Effect.void
          ),
        ImportFileUnreadable: temporary("work_directory"),
        PlatformError: temporary("work_directory"),
        ObjectStoreUnavailable: temporary("object_store_unavailable"),
        JobStoreUnavailable: (error) =>
          endedEarly(endOfDatabaseFault(error, temporaryMessage), error.message, removeUpload(file_key))
      })
    )
  })
})

const importStudents = Effect.fnUntraced(function*(
  run: JobRun,
  { dry_run, file_key, filename, readings = [] }: StudentImportPayload,
  pulse: Effect.Effect<void>,
  workRoot: string
) {
  const objects = yield* ObjectStore
  const students = yield* StudentStore
  const fs = yield* FileSystem.FileSystem
  let current: ImportStepName | null = null

  const moveTo = Effect.fnUntraced(function*(step: ImportStepName) {
    if (current === step) return
    current = step
    yield* run.record({ _tag: "Advance", step })
  })

  // Until the file is known to hold a list: what is refused before has never run.
  yield* run.record({ _tag: "Validate", step: "downloading" })
  const directory = yield* fs.makeTempDirectoryScoped({ directory: workRoot, prefix: "import-" })
  const file = `${directory}/upload`
  yield* objects.get(file_key).pipe(Stream.tap(() => pulse), Stream.run(fs.sink(file)))

  const write = <E>(insert: Effect.Effect<InsertedStudents, E>) => Effect.andThen(moveTo("creating"), insert)
  const sink = {
    insertBatch: (rows: ReadonlyArray<StudentRow>) =>
      Effect.mapError(write(students.insertBatch(run.lease, rows.map(toNewStudent))), (error) =>
        error._tag === "JobStoreUnavailable" && error.reason === "value"
          ? unstorableRows(rows[0]?.row ?? 0, rows.at(-1)?.row ?? 0)
          : error),
    previewBatch: (rows: ReadonlyArray<StudentRow>) => write(students.findExisting(run.lease, rows.map(toNewStudent)))
  } satisfies StudentSink<unknown>
  const result = yield* importSpreadsheet<Effect.Error<ReturnType<typeof sink.insertBatch>>>({
    file,
    readings,
    sink,
    dryRun: dry_run,
    onProgress: ({ fraction, step }) =>
      (step === "parsing" ? moveTo(step) : Effect.void).pipe(
        Effect.andThen(pulse),
        Effect.andThen(run.tick({ fraction, remainingSeconds: null })),
        Effect.asVoid
      )
  })

  yield* moveTo("creating")
  const workbook = `${directory}/result.xlsx`
  yield* writeErrorWorkbook({ file, readings, output: workbook })
  yield* pulse
  const key = `${exportsPrefix(run.lease.tenantId, run.lease.jobId)}result.xlsx`
  const { size } = yield* fs.stat(workbook)
  yield* objects.put(key, fs.stream(workbook), {
    contentType: workbookType,
    cacheControl: "private, no-store",
    size: Number(size)
  })
  const downloadUrl = yield* objects.presignGet(key, {
    expiresInSeconds: downloadValidSeconds,
    downloadName: downloadName(filename)
  })
  const end: HandlerEnd<Services> = {
    command: { _tag: "Succeed", result: jobResult(result, downloadUrl) },
    afterwards: removeUpload(file_key)
  }
  return end
})
