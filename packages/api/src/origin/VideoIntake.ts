import {
  JobDispatcher,
  JobRecorder,
  JobStore,
  newJobId,
  newUuid,
  ObjectStore,
  PlaybackUrls,
  rawVideoKey,
  type TenantId,
  undispatched,
  type Video,
  VideoConflict,
  type VideoId,
  videoSubject
} from "@lectern/domain"
import { Effect } from "effect"
import { unknownEncoding } from "./EncodingFields.ts"
import { BadRequest } from "./Refusal.ts"
import { conflict, unavailable, videoNotFound } from "./refusals.ts"
import type { UploadAccepted } from "./UploadAccepted.ts"
import { extensionOf, uploadContentType, type UploadRequest, videoExtensions, videoTypeOf } from "./VideoUpload.ts"
import { videoView } from "./VideoView.ts"
import { WatchTokens } from "./WatchTokens.ts"

const badRequest = (code: string, detail: string) => new BadRequest({ code, detail })

/** Where the file of an upload goes, and as what. */
export interface UploadTarget {
  readonly fileKey: string
  readonly contentType: string
}

/** How every upload of a video begins and ends, whatever way its bytes take. */
export const makeVideoIntake = Effect.gen(function*() {
  const store = yield* JobStore
  const recorder = yield* JobRecorder
  const dispatcher = yield* JobDispatcher
  const objects = yield* ObjectStore
  const playback = yield* PlaybackUrls
  const watchTokens = yield* WatchTokens

  const target = Effect.fnUntraced(function*(tenantId: TenantId, payload: UploadRequest) {
    const extension = extensionOf(payload.filename)
    const extensionType = videoTypeOf(extension)
    if (extensionType === null) {
      return yield* badRequest(
        "unsupported_extension",
        `Cannot accept a file with the extension "${extension}": upload one of ${videoExtensions.join(", ")}`
      )
    }
    const contentType = uploadContentType(extensionType, payload.content_type ?? null)
    if (contentType === null) {
      return yield* badRequest(
        "unsupported_content_type",
        "Cannot accept \"content_type\": it is neither a video type nor application/octet-stream"
      )
    }
    const found: UploadTarget = { contentType, fileKey: rawVideoKey(tenantId, yield* newUuid, extension) }
    return found
  })

  const register = Effect.fnUntraced(function*(tenantId: TenantId, payload: UploadRequest, file: UploadTarget) {
    const { video } = yield* recorder.commit(store.createVideo(tenantId, {
      title: payload.title,
      filename: payload.filename,
      session: payload.session === undefined || payload.session === null ? null : String(payload.session),
      ...file
    })).pipe(
      Effect.uninterruptible,
      Effect.catchTag("JobStoreUnavailable", unavailable("register the video"))
    )
    return yield* videoView(playback, video, unknownEncoding)
  })

  const find = (tenantId: TenantId, videoId: VideoId) =>
    store.getVideo(tenantId, videoId).pipe(
      Effect.map(({ video }) => video),
      Effect.catchTags({
        VideoNotFound: (error) => Effect.fail(videoNotFound(error)),
        JobStoreUnavailable: unavailable("look up the video")
      })
    )

  /** The video, if its file has not been handed in yet. */
  const awaiting = Effect.fnUntraced(function*(tenantId: TenantId, videoId: VideoId) {
    const video = yield* find(tenantId, videoId)
    return video.status === "PENDING" ? video : yield* Effect.fail(refuse(video, "not_awaiting_upload"))
  })

  /** Bytes of the uploaded file. */
  const uploadedSize = Effect.fnUntraced(function*(video: Video) {
    const head = yield* objects.head(video.fileKey).pipe(
      Effect.catchTags({
        ObjectNotFound: () => Effect.fail(refuse(video, "object_missing")),
        ObjectStoreUnavailable: unavailable("look for the uploaded file")
      })
    )
    return head.size === 0 ? yield* Effect.fail(refuse(video, "object_empty")) : head.size
  })

  /** The file is there: the encode is on its way. */
  const accept = Effect.fnUntraced(function*(tenantId: TenantId, video: Video) {
    const fileSize = yield* uploadedSize(video)
    const jobId = yield* newJobId
    // Before the commit: what is committed must be answered for.
    const watchToken = yield* watchTokens.field(tenantId, videoSubject(video.id))
    const record = yield* recorder.commit(store.completeUpload(tenantId, video.id, { jobId, fileSize })).pipe(
      Effect.tap(({ job }) => dispatcher.dispatchSoon(undispatched(job))),
      Effect.uninterruptible,
      Effect.catchTags({
        VideoNotFound: (error) => Effect.fail(videoNotFound(error)),
        VideoConflict: (error) => Effect.fail(conflict(error)),
        JobStoreUnavailable: unavailable("record the encode")
      })
    )
    const accepted: UploadAccepted = {
      ...yield* videoView(playback, record.video ?? video, unknownEncoding),
      ...watchToken
    }
    return accepted
  })

  return { target, register, find, awaiting, accept }
})

const refuse = (video: Video, reason: VideoConflict["reason"]) =>
  conflict(new VideoConflict({ videoId: video.id, status: video.status, reason }))
