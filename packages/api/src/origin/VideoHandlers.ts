import { Effect } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import {
  JobDispatcher,
  JobRecorder,
  JobStore,
  newJobId,
  ObjectStore,
  PlaybackUrls,
  type TenantId,
  undispatched,
  type Video,
  VideoDeletion,
  videoSubject
} from "@lectern/domain"
import { CurrentPrincipal } from "./Authorization.ts"
import { unknownEncoding } from "./EncodingFields.ts"
import { MirroredDetail } from "./MirroredDetail.ts"
import { OriginApi, pageSize } from "./OriginApi.ts"
import { pageLinks } from "./pageLinks.ts"
import { retryRefused, unavailable, videoNotFound } from "./refusals.ts"
import { makeVideoIntake } from "./VideoIntake.ts"
import { uploadValiditySeconds } from "./VideoUpload.ts"
import { videoView } from "./VideoView.ts"
import { WatchTokens } from "./WatchTokens.ts"

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
    const intake = yield* makeVideoIntake

    const view = Effect.fnUntraced(function*(tenantId: TenantId, video: Video) {
      const [encoding] = yield* mirror.encodings(tenantId, [video])
      return yield* videoView(playback, video, encoding ?? unknownEncoding)
    })

    return handlers.handleAll({
      initUpload: Effect.fn("Origin.initUpload")(function*({ payload }) {
        const { tenantId } = yield* CurrentPrincipal
        const file = yield* intake.target(tenantId, payload)
        const uploadUrl = yield* objects.presignPut(file.fileKey, {
          contentType: file.contentType,
          expiresInSeconds: uploadValiditySeconds
        }).pipe(Effect.catchTag("ObjectStoreUnavailable", unavailable("prepare the upload")))
        return {
          video: yield* intake.register(tenantId, payload, file),
          upload_url: uploadUrl,
          file_key: file.fileKey,
          content_type: file.contentType
        }
      }),

      // Said twice, it is a 409 as in any other wrong state: the contract knows no other answer. A client that lost
      // the first answer finds in the detail that the upload is complete.
      completeUpload: Effect.fn("Origin.completeUpload")(function*({ params }) {
        const { tenantId } = yield* CurrentPrincipal
        return yield* intake.accept(tenantId, yield* intake.awaiting(tenantId, params.id))
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
        return yield* view(tenantId, yield* intake.find(tenantId, params.id))
      }),

      rules: Effect.fn("Origin.videoRules")(function*({ params }) {
        const { tenantId } = yield* CurrentPrincipal
        const { rules } = yield* intake.find(tenantId, params.id)
        return {
          id: params.id,
          rules,
          checked: rules?.length ?? 0,
          broken: rules?.filter(({ kept }) => !kept).length ?? 0
        }
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
