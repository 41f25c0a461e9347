import { Effect } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
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
  VideoDeletion,
  videoSubject
} from "@lectern/domain"
import { CurrentPrincipal } from "./Authorization.ts"
import { unknownEncoding } from "./EncodingFields.ts"
import { MirroredDetail } from "./MirroredDetail.ts"
import { OriginApi, pageSize } from "./OriginApi.ts"
import { pageLinks } from "./pageLinks.ts"
import { BadRequest } from "./Refusal.ts"
import { conflict, retryRefused, unavailable, videoNotFound } from "./refusals.ts"
import { extensionOf, uploadContentType, uploadValiditySeconds, videoExtensions, videoTypeOf } from "./VideoUpload.ts"
import { videoView } from "./VideoView.ts"
import { WatchTokens } from "./WatchTokens.ts"

const badRequest = (code: string, detail: string) => new BadRequest({ code, detail })

/**
 * Uploads, details, retry and deletion of videos.
 *
 * What changes the database runs on when the client hangs up: a commit without its publication and dispatch would wait
 * for the sweep for no reason.
 */
export const VideoHandlers = HttpApiBuilder.group(
  OriginApi,
  "videos",
  Effect.fnUntraced(function*(handlers) {
    const store = yield* JobStore
    const recorder = yield* JobRecorder
    const dispatcher = yield* JobDispatcher
    const objects = yield* ObjectStore
    const playback = yield* PlaybackUrls
    const deletion = yield* VideoDeletion
    const mirror = yield* MirroredDetail
    const watchTokens = yield* WatchTokens

    const view = Effect.fnUntraced(function*(tenantId: TenantId, video: Video) {
      const [encoding] = yield* mirror.encodings(tenantId, [video])
      return yield* videoView(playback, video, encoding ?? unknownEncoding)
    })

    /** Bytes of the uploaded file. */
    const uploadedSize = Effect.fnUntraced(function*(video: Video) {
      const refuse = (reason: VideoConflict["reason"]) =>
        conflict(new VideoConflict({ videoId: video.id, status: video.status, reason }))
      if (video.status !== "PENDING") return yield* Effect.fail(refuse("not_awaiting_upload"))
      const head = yield* objects.head(video.fileKey).pipe(
        Effect.catchTags({
          ObjectNotFound: () => Effect.fail(refuse("object_missing")),
          ObjectStoreUnavailable: unavailable("look for the uploaded file")
        })
      )
      if (head.size === 0) return yield* Effect.fail(refuse("object_empty"))
      return head.size
    })

    return handlers.handleAll({
      initUpload: Effect.fn("Origin.initUpload")(function*({ payload }) {
        const { tenantId } = yield* CurrentPrincipal
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
        const fileKey = rawVideoKey(tenantId, yield* newUuid, extension)
        const uploadUrl = yield* objects.presignPut(fileKey, { contentType, expiresInSeconds: uploadValiditySeconds })
          .pipe(Effect.catchTag("ObjectStoreUnavailable", unavailable("prepare the upload")))
        const { video } = yield* recorder.commit(store.createVideo(tenantId, {
          title: payload.title,
          filename: payload.filename,
          contentType,
          session: payload.session === undefined || payload.session === null ? null : String(payload.session),
          fileKey
        })).pipe(
          Effect.uninterruptible,
          Effect.catchTag("JobStoreUnavailable", unavailable("register the video"))
        )
        return {
          video: yield* videoView(playback, video, unknownEncoding),
          upload_url: uploadUrl,
          file_key: fileKey,
          content_type: contentType
        }
      }),

      // Said twice, it is a 409 as in any other wrong state: the contract knows no other answer. A client that lost
      // the first answer finds in the detail that the upload is complete.
      completeUpload: Effect.fn("Origin.completeUpload")(function*({ params }) {
        const { tenantId } = yield* CurrentPrincipal
        const { video } = yield* store.getVideo(tenantId, params.id).pipe(
          Effect.catchTags({
            VideoNotFound: (error) => Effect.fail(videoNotFound(error)),
            JobStoreUnavailable: unavailable("look up the video")
          })
        )
        const fileSize = yield* uploadedSize(video)
        const jobId = yield* newJobId
        // Before the commit: what is committed must be answered for.
        const watchToken = yield* watchTokens.field(tenantId, videoSubject(params.id))
        const record = yield* recorder.commit(store.completeUpload(tenantId, params.id, { jobId, fileSize })).pipe(
          Effect.tap(({ job }) => dispatcher.dispatchSoon(undispatched(job))),
          Effect.uninterruptible,
          Effect.catchTags({
            VideoNotFound: (error) => Effect.fail(videoNotFound(error)),
            VideoConflict: (error) => Effect.fail(conflict(error)),
            JobStoreUnavailable: unavailable("record the encode")
          })
        )
        return { ...yield* videoView(playback, record.video ?? video, unknownEncoding), ...watchToken }
      }),

      list: Effect.fn("Origin.listVideos")(function*({ query }) {
        const { tenantId } = yield* CurrentPrincipal
        const request = yield* HttpServerRequest.HttpServerRequest
        const page = query.page ?? 1
        const search = query.search?.trim() ?? ""
        const found = yield* store.listVideos(tenantId, {
          search: search === "" ? null : search,
          limit: pageSize,
          offset: (page - 1) * pageSize
        }).pipe(Effect.catchTag("JobStoreUnavailable", unavailable("list the videos")))
        const encodings = yield* mirror.encodings(tenantId, found.videos)
        return {
          count: found.count,
          ...pageLinks({ url: request.originalUrl, page, search, count: found.count }),
          results: yield* Effect.forEach(
            found.videos,
            (video, index) => videoView(playback, video, encodings[index] ?? unknownEncoding)
          )
        }
      }),

      detail: Effect.fn("Origin.videoDetail")(function*({ params }) {
        const { tenantId } = yield* CurrentPrincipal
        const { video } = yield* store.getVideo(tenantId, params.id).pipe(
          Effect.catchTags({
            VideoNotFound: (error) => Effect.fail(videoNotFound(error)),
            JobStoreUnavailable: unavailable("look up the video")
          })
        )
        return yield* view(tenantId, video)
      }),

      retry: Effect.fn("Origin.retryVideo")(function*({ params }) {
        const { tenantId } = yield* CurrentPrincipal
        const jobId = yield* newJobId
        const watchToken = yield* watchTokens.field(tenantId, videoSubject(params.id))
        yield* recorder.commit(store.retryEncode(tenantId, params.id, jobId)).pipe(
          Effect.tap(({ job }) => dispatcher.dispatchSoon(undispatched(job))),
          Effect.uninterruptible,
          Effect.catchTags({
            VideoNotFound: (error) => Effect.fail(videoNotFound(error)),
            VideoConflict: (error) => Effect.fail(retryRefused(error)),
            JobStoreUnavailable: unavailable("record the encode")
          })
        )
        return { detail: "The encode is on its way", job_id: jobId, ...watchToken }
      }),

      remove: Effect.fn("Origin.removeVideo")(function*({ params }) {
        const { tenantId } = yield* CurrentPrincipal
        yield* deletion.remove(tenantId, params.id).pipe(
          Effect.uninterruptible,
          Effect.catchTags({
            VideoNotFound: (error) => Effect.fail(videoNotFound(error)),
            JobStoreUnavailable: unavailable("delete the video"),
            EncodeRuntimeUnavailable: unavailable("stop the encode of the video"),
            ObjectStoreUnavailable: unavailable("delete the files of the video")
          })
        )
      })
    })
  })
)
