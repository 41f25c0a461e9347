import type {
  EncodeRuntimeUnavailable,
  JobNotFound,
  JobStoreUnavailable,
  ObjectStoreUnavailable,
  VideoConflict,
  VideoNotFound
} from "@lectern/domain"
import { Effect } from "effect"
import { BadRequest, Conflict, NotFound, Unavailable } from "./Refusal.ts"

const conflictDetail: Record<VideoConflict["reason"], string> = {
  not_awaiting_upload: "The upload of this video is complete already",
  already_active: "This video is being encoded already",
  not_uploaded: "This video has not been uploaded yet",
  object_missing: "The file has not been uploaded yet",
  object_empty: "The uploaded file is empty"
}

export const videoNotFound = (error: VideoNotFound): NotFound =>
  new NotFound({ detail: error.message, code: "video_not_found" })

export const jobNotFound = (error: JobNotFound): NotFound =>
  new NotFound({ detail: error.message, code: "job_not_found" })

export const conflict = (error: VideoConflict): Conflict =>
  new Conflict({ detail: conflictDetail[error.reason], code: error.reason })

/** A retry of what was never there is a mistake of the caller, not a state that passes (CONTRACT.md, section 3). */
export const retryRefused = (error: VideoConflict): Conflict | BadRequest =>
  error.reason === "not_uploaded"
    ? new BadRequest({ detail: conflictDetail[error.reason], code: error.reason })
    : conflict(error)

type Away = JobStoreUnavailable | ObjectStoreUnavailable | EncodeRuntimeUnavailable

const partOf: Record<Away["_tag"], { readonly name: string; readonly code: string }> = {
  JobStoreUnavailable: { name: "the database", code: "database_unavailable" },
  ObjectStoreUnavailable: { name: "the object store", code: "objects_unavailable" },
  EncodeRuntimeUnavailable: { name: "the encode runtime", code: "encoder_unavailable" }
}

/** What the same request would meet again, which is no reason to send it again; `null` for what may pass. */
const lasting = (action: string, error: Away): Effect.Effect<never, BadRequest> | null => {
  if (error._tag !== "JobStoreUnavailable") return null
  switch (error.reason) {
    case "away":
      return null
    case "value":
      return Effect.fail(
        new BadRequest({
          detail: `Cannot ${action}: the request has a value that the database cannot keep`,
          code: "unstorable_value"
        })
      )
    case "bug":
      return Effect.die(error)
  }
}

/**
 * Logs what failed, which a client has no business with, and says what could not be done: `action` completes "Cannot
 * ...". A value that only the database refused is the caller's all the same; a fault of ours is a defect.
 */
export const unavailable = (action: string) => (error: Away): Effect.Effect<never, BadRequest | Unavailable> =>
  Effect.logError("A request failed because a service did not do its part", {
    action,
    error: error.message,
    cause: String(error.cause)
  }).pipe(
    Effect.andThen(
      lasting(action, error) ?? Effect.fail(
        new Unavailable({
          detail: `Cannot ${action}: ${partOf[error._tag].name} is unavailable; try again later`,
          code: partOf[error._tag].code
        })
      )
    )
  )
