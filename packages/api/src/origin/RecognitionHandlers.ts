import {
  JobDispatcher,
  JobRecorder,
  jobSubject,
  JobStore,
  newJobId,
  newUuid,
  ObjectStore,
  undispatched,
  worksheetKey
} from "@lectern/domain"
import { Effect, FileSystem, Stream } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { CurrentPrincipal } from "./Authorization.ts"
import { OriginApi } from "./OriginApi.ts"
import { BadRequest, Unavailable, UnsupportedMediaType } from "./Refusal.ts"
import { unavailable } from "./refusals.ts"
import { WatchTokens } from "./WatchTokens.ts"
import { worksheetSignatureBytes, worksheetType } from "./WorksheetUpload.ts"

/** Longer names are cut from the left: what counts is the end with the extension. */
const maxFilenameLength = 255

/** Accepts worksheets, by way of a temporary file as class lists are. */
export const RecognitionHandlers = HttpApiBuilder.group(
  OriginApi,
  "recognition",
  Effect.fnUntraced(function*(handlers) {
    const store = yield* JobStore
    const recorder = yield* JobRecorder
    const dispatcher = yield* JobDispatcher
    const objects = yield* ObjectStore
    const watchTokens = yield* WatchTokens
    const files = yield* FileSystem.FileSystem

    const unreadable = (error: { readonly message: string }) =>
      Effect.logError("An uploaded worksheet could not be read back from the temporary folder", {
        error: error.message
      }).pipe(
        Effect.andThen(Effect.fail(
          new Unavailable({ detail: "Cannot store the file now; try again later", code: "temporary_unavailable" })
        ))
      )

    return handlers.handleAll({
      recognize: Effect.fn("Origin.recognize")(function*({ payload: { file } }) {
        const { tenantId } = yield* CurrentPrincipal
        const size = Number((yield* files.stat(file.path).pipe(Effect.catchTag("PlatformError", unreadable))).size)
        if (size === 0) {
          return yield* new BadRequest({ detail: "Cannot read the file: it is empty", code: "empty_file" })
        }
        const start = yield* files.stream(file.path, { bytesToRead: worksheetSignatureBytes }).pipe(
          Stream.runCollect,
          Effect.map((chunks) => Buffer.concat(chunks)),
          Effect.catchTag("PlatformError", unreadable)
        )
        const type = worksheetType(start)
        if (type === null) {
          return yield* new UnsupportedMediaType({
            detail: "Cannot read the file: it is neither a PNG nor a JPEG nor a PDF",
            code: "not_a_worksheet"
          })
        }
        const fileKey = worksheetKey(tenantId, yield* newUuid, type.extension)
        yield* objects.put(fileKey, files.stream(file.path), {
          contentType: type.contentType,
          cacheControl: "private, no-store",
          size
        }).pipe(Effect.catchTags({ ObjectStoreUnavailable: unavailable("store the file"), PlatformError: unreadable }))

        const jobId = yield* newJobId
        const watchToken = yield* watchTokens.field(tenantId, jobSubject(jobId))
        const payload = { file_key: fileKey, filename: file.name.slice(-maxFilenameLength) }
        // Where this fails the object stays: the job may have been committed all the same, and would miss its file.
        yield* recorder.commit(store.createJob(tenantId, { id: jobId, kind: "ocr", payload })).pipe(
          Effect.tap(({ job }) => dispatcher.dispatchSoon(undispatched(job))),
          Effect.uninterruptible,
          Effect.catchTag("JobStoreUnavailable", unavailable("record the recognition"))
        )
        return { job_id: jobId, status: "PENDING" as const, ...watchToken }
      })
    })
  })
)
