import {
  JobDispatcher,
  type JobKind,
  JobRecorder,
  jobSubject,
  JobStore,
  newJobId,
  newUuid,
  ObjectStore,
  type TenantId,
  undispatched
} from "@lectern/domain"
import { Effect, FileSystem, type Schema, Stream } from "effect"
import type { Multipart } from "effect/http"
import { BadRequest, Unavailable } from "./Refusal.ts"
import { unavailable } from "./refusals.ts"
import { WatchTokens } from "./WatchTokens.ts"

export interface FileIntakeOptions {
  /** The job that a file is accepted for. */
  readonly kind: JobKind
  /** What the file is: "An uploaded ... could not be read". */
  readonly noun: string
  /** What it is for: "Cannot ... the file". */
  readonly verb: string
  /** The job: "Cannot record the ...". */
  readonly work: string
  readonly keyOf: (tenantId: TenantId, uuid: string, extension: string) => string
}

/** What a file is kept as; `size` in bytes. */
export interface AcceptedAs {
  readonly extension: string
  readonly contentType: string
  readonly size: number
}

/** Longer names are cut from the left: what counts is the end with the extension. */
const maxFilenameLength = 255

/** A name that the record can hold: PostgreSQL refuses NUL, and the half of a character that the cut may leave. */
const recordedName = (name: string): string =>
  name.slice(-maxFilenameLength).toWellFormed().replaceAll(/\p{Cc}/gu, "")

/**
 * How a file that a job is made for is accepted.
 *
 * It goes through a temporary file of this machine, which goes with the request: the object store wants the exact size
 * before the first byte, and multipart says it after the last.
 */
export const makeFileIntake = Effect.fnUntraced(function*({ keyOf, kind, noun, verb, work }: FileIntakeOptions) {
  const store = yield* JobStore
  const recorder = yield* JobRecorder
  const dispatcher = yield* JobDispatcher
  const objects = yield* ObjectStore
  const watchTokens = yield* WatchTokens
  const files = yield* FileSystem.FileSystem

  const unreadable = (error: { readonly message: string }) =>
    Effect.logError(`An uploaded ${noun} could not be read back from the temporary folder`, {
      error: error.message
    }).pipe(
      Effect.andThen(Effect.fail(
        new Unavailable({ detail: "Cannot store the file now; try again later", code: "temporary_unavailable" })
      ))
    )

  /** The size of the file and its first `count` bytes, or all that it has; an empty one is refused. */
  const look = Effect.fnUntraced(function*(file: Multipart.PersistedFile, count: number) {
    const size = Number((yield* files.stat(file.path).pipe(Effect.catchTag("PlatformError", unreadable))).size)
    if (size === 0) {
      return yield* new BadRequest({ detail: `Cannot ${verb} the file: it is empty`, code: "empty_file" })
    }
    const chunks = yield* files.stream(file.path, { bytesToRead: count }).pipe(
      Stream.runCollect,
      Effect.catchTag("PlatformError", unreadable)
    )
    return { size, start: Buffer.concat(chunks) }
  })

  /** Stores the file and makes its job, whose payload says `details` too. */
  const accept = Effect.fnUntraced(function*(
    tenantId: TenantId,
    file: Multipart.PersistedFile,
    { contentType, extension, size }: AcceptedAs,
    details: Readonly<Record<string, Schema.Json>> = {}
  ) {
    const fileKey = keyOf(tenantId, yield* newUuid, extension)
    yield* objects.put(fileKey, files.stream(file.path), {
      contentType,
      cacheControl: "private, no-store",
      size
    }).pipe(Effect.catchTags({ ObjectStoreUnavailable: unavailable("store the file"), PlatformError: unreadable }))

    const jobId = yield* newJobId
    const watchToken = yield* watchTokens.field(tenantId, jobSubject(jobId))
    const payload = { file_key: fileKey, filename: recordedName(file.name), ...details }
    // Where this fails the object stays: the job may have been committed all the same, and would miss its file.
    yield* recorder.commit(store.createJob(tenantId, { id: jobId, kind, payload })).pipe(
      Effect.tap(({ job }) => dispatcher.dispatchSoon(undispatched(job))),
      Effect.uninterruptible,
      Effect.catchTag("JobStoreUnavailable", unavailable(`record the ${work}`))
    )
    return { job_id: jobId, status: "PENDING" as const, ...watchToken }
  })

  return { look, accept }
})
