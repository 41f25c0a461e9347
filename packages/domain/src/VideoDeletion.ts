import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { EncodeRuntime, type EncodeRuntimeUnavailable } from "./EncodeRuntime.ts"
import type { Job } from "./Job.ts"
import { JobRecorder } from "./JobRecorder.ts"
import { JobStore, type JobStoreUnavailable, type VideoNotFound, type VideoRecord } from "./JobStore.ts"
import { hlsPrefix } from "./ObjectKeys.ts"
import { ObjectStore, type ObjectStoreUnavailable } from "./ObjectStore.ts"
import type { TenantId } from "./Tenant.ts"
import type { VideoId } from "./VideoId.ts"

export type VideoDeletionFailure = JobStoreUnavailable | EncodeRuntimeUnavailable | ObjectStoreUnavailable

/**
 * Deletes a video: hide it and cancel its encode, stop the run, remove the raw file and everything published, remove the row.
 *
 * Interrupted anywhere, it is gone on with by `finish`: the row with its mark is what remembers it.
 */
export class VideoDeletion extends Context.Service<VideoDeletion, {
  readonly remove: (
    tenantId: TenantId,
    videoId: VideoId
  ) => Effect.Effect<void, VideoNotFound | VideoDeletionFailure>
  /** Goes on with a deletion that has begun. */
  readonly finish: (record: VideoRecord) => Effect.Effect<void, VideoDeletionFailure>
}>()("@lectern/domain/VideoDeletion") {
  static readonly layer: Layer.Layer<VideoDeletion, never, JobStore | JobRecorder | EncodeRuntime | ObjectStore> = Layer
    .effect(
      VideoDeletion,
      Effect.gen(function*() {
        const store = yield* JobStore
        const recorder = yield* JobRecorder
        const runtime = yield* EncodeRuntime
        const objects = yield* ObjectStore

        /** The run that is known, or those of a submission whose answer was lost. */
        const runsOf = (job: Job) =>
          job.externalId !== null
            ? Effect.succeed([job.externalId])
            : job.submittingSince === null
            ? Effect.succeed([])
            : runtime.find({ tenantId: job.tenantId, jobId: job.id, submission: job.submissions })

        const finish = Effect.fn("VideoDeletion.finish")(function*({ video, job }: VideoRecord) {
          yield* Effect.annotateCurrentSpan({ tenant: video.tenantId, video: video.id })
          yield* Effect.forEach(
            job === null ? [] : yield* runsOf(job),
            (runId) => runtime.terminate(runId, "The video was deleted"),
            { discard: true }
          )
          yield* objects.remove(video.fileKey)
          yield* objects.removePrefix(hlsPrefix(video.tenantId, video.id))
          yield* store.finishDelete(video.tenantId, video.id)
        })

        const remove = Effect.fn("VideoDeletion.remove")(function*(tenantId: TenantId, videoId: VideoId) {
          yield* finish(yield* recorder.commit(store.beginDelete(tenantId, videoId)))
        })

        return VideoDeletion.of({ remove, finish })
      })
    )
}
