import { Effect, FileSystem, Stream } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import {
  JobDispatcher,
  JobRecorder,
  jobSubject,
  JobStore,
  newJobId,
  newUuid,
  ObjectStore,
  spreadsheetKey,
  StudentStore,
  undispatched
} from "@lectern/domain"
import { CurrentPrincipal } from "./Authorization.ts"
import { OriginApi } from "./OriginApi.ts"
import { BadRequest, Conflict, Unavailable, UnsupportedMediaType } from "./Refusal.ts"
import { jobNotFound, unavailable } from "./refusals.ts"
import { isSpreadsheetExtension, looksLike, signatureBytes, spreadsheetTypes } from "./SpreadsheetUpload.ts"
import { extensionOf } from "./VideoUpload.ts"
import { WatchTokens } from "./WatchTokens.ts"

const yes: ReadonlySet<string> = new Set(["true", "True", "1", "on", "yes"])

/** Longer names are cut from the left: what counts is the end with the extension. */
const maxFilenameLength = 255

/** A name that the record can hold: PostgreSQL refuses NUL, and the half of a character that the cut may leave. */
const recordedName = (name: string): string =>
  name.slice(-maxFilenameLength).toWellFormed().replaceAll(/\p{Cc}/gu, "")

/**
 * Accepts class lists.
 *
 * The file goes through a temporary file of this machine, which goes with the request: the object store wants the exact
 * size before the first byte, and multipart says it after the last.
 */
export const StudentHandlers = HttpApiBuilder.group(
  OriginApi,
  "students",
  Effect.fnUntraced(function*(handlers) {
    const store = yield* JobStore
    const recorder = yield* JobRecorder
    const dispatcher = yield* JobDispatcher
    const objects = yield* ObjectStore
    const watchTokens = yield* WatchTokens
    const files = yield* FileSystem.FileSystem
    const students = yield* StudentStore

    const unreadable = (error: { readonly message: string }) =>
      Effect.logError("An uploaded spreadsheet could not be read back from the temporary folder", {
        error: error.message
      }).pipe(
        Effect.andThen(Effect.fail(
          new Unavailable({ detail: "Cannot store the file now; try again later", code: "temporary_unavailable" })
        ))
      )

    return handlers.handleAll({
      bulkCreateFromExcel: Effect.fn("Origin.importStudents")(function*({ payload: { file, dry_run, reading } }) {
        const { tenantId } = yield* CurrentPrincipal
        const extension = extensionOf(file.name)
        if (!isSpreadsheetExtension(extension)) {
          return yield* new UnsupportedMediaType({
            detail: `Cannot import a file with the extension "${extension}": save it in Excel as .xlsx or .csv`,
            code: "unsupported_extension"
          })
        }
        const size = Number((yield* files.stat(file.path).pipe(Effect.catchTag("PlatformError", unreadable))).size)
        if (size === 0) {
          return yield* new BadRequest({ detail: "Cannot import the file: it is empty", code: "empty_file" })
        }
        const start = yield* files.stream(file.path, { bytesToRead: signatureBytes }).pipe(
          Stream.runCollect,
          Effect.map((chunks) => Buffer.concat(chunks)),
          Effect.catchTag("PlatformError", unreadable)
        )
        if (!looksLike(extension, start)) {
          return yield* new UnsupportedMediaType({
            detail: `Cannot import the file: its content is no .${extension}; open it in Excel and save it as .xlsx or .csv`,
            code: "not_a_spreadsheet"
          })
        }

        const fileKey = spreadsheetKey(tenantId, yield* newUuid, extension)
        yield* objects.put(fileKey, files.stream(file.path), {
          contentType: spreadsheetTypes[extension],
          cacheControl: "private, no-store",
          size
        }).pipe(
          Effect.catchTags({ ObjectStoreUnavailable: unavailable("store the file"), PlatformError: unreadable })
        )

        const jobId = yield* newJobId
        const watchToken = yield* watchTokens.field(tenantId, jobSubject(jobId))
        const payload = {
          file_key: fileKey,
          filename: recordedName(file.name),
          dry_run: yes.has(dry_run ?? ""),
          ...(reading === undefined || reading === "" ? {} : { readings: reading.split(",") })
        }
        // Where this fails the object stays: the job may have been committed all the same, and would miss its file.
        yield* recorder.commit(store.createJob(tenantId, { id: jobId, kind: "student_import", payload })).pipe(
          Effect.tap(({ job }) => dispatcher.dispatchSoon(undispatched(job))),
          Effect.uninterruptible,
          Effect.catchTag("JobStoreUnavailable", unavailable("record the import"))
        )
        return { job_id: jobId, status: "PENDING" as const, ...watchToken }
      }),
      undoImport: Effect.fn("Origin.undoImport")(function*({ params }) {
        const { tenantId } = yield* CurrentPrincipal
        return yield* students.undoImport(tenantId, params.job_id).pipe(
          Effect.catchTags({
            JobNotFound: (error) => Effect.fail(jobNotFound(error)),
            ImportNotUndoable: (error) =>
              Effect.fail(new Conflict({ detail: error.message, code: "import_not_undoable" })),
            JobStoreUnavailable: unavailable("undo the import")
          })
        )
      })
    })
  })
)
