/** Whole lives of jobs, as a worker lives them through `JobRecorder`, for every test that runs them under faults. */
import { JobId, JobRecorder, type JobRun, JobStore, newJobId, type MirrorOutcome, TenantId, type WorkerCommand } from "@lectern/domain"
import { Effect, Schema } from "effect"

export const school = TenantId.make(3)
export const worker = { owner: "worker-1", leaseMillis: 3_600_000 }

/** The pause between two commands: longer than the rest of a mirror that was found hanging, so that each write tries it. */
export const work = Effect.sleep("15 seconds")

export class NotClaimed extends Schema.TaggedError<NotClaimed>()("NotClaimed", { claim: Schema.String }) {}

export const createEncode = (title: string) =>
  Effect.gen(function*() {
    const store = yield* JobStore
    const recorder = yield* JobRecorder
    const { video } = yield* recorder.commit(store.createVideo(school, {
      title,
      filename: "1.mp4",
      contentType: "video/mp4",
      session: null,
      fileKey: "tenants/3/video/raw/1.mp4"
    }))
    const jobId = yield* newJobId
    yield* recorder.commit(store.completeUpload(school, video.id, { jobId, fileSize: 1 }))
    return { jobId, videoId: video.id }
  })

export const createImport = (id: string) =>
  Effect.gen(function*() {
    const store = yield* JobStore
    const recorder = yield* JobRecorder
    const jobId = JobId.make(id)
    yield* recorder.commit(store.createJob(school, { id: jobId, kind: "student_import", payload: {} }))
    return jobId
  })

export const encodeCommands: ReadonlyArray<WorkerCommand> = [
  { _tag: "Validate", step: "probing" },
  { _tag: "Advance", step: "transcoding" },
  { _tag: "Advance", step: "thumbnail" },
  { _tag: "Advance", step: "uploading" },
  {
    _tag: "Succeed",
    result: { hls_path: "hls/master.m3u8", thumbnail_path: "hls/thumbnail.jpg", duration: 61, variants: ["720p"] }
  }
]

export const importCommands: ReadonlyArray<WorkerCommand> = [
  { _tag: "Advance", step: "downloading" },
  { _tag: "Advance", step: "parsing" },
  { _tag: "Advance", step: "creating" },
  { _tag: "Succeed", result: { created: 2 }, errorMessage: "1행이 거부되었습니다" }
]

export const claimRun = (jobId: JobId) =>
  Effect.gen(function*() {
    const recorder = yield* JobRecorder
    const claimed = yield* recorder.claim(school, jobId, worker)
    if (claimed._tag !== "Claimed") return yield* new NotClaimed({ claim: claimed._tag })
    return claimed.run
  })

/** Claims a job and says its commands; answers what became of each in the mirror. `between` is done after each but the last. */
export const live = <E, R>(
  jobId: JobId,
  commands: ReadonlyArray<WorkerCommand>,
  between: (run: JobRun) => Effect.Effect<unknown, E, R>
) =>
  Effect.gen(function*() {
    const run = yield* claimRun(jobId)
    const outcomes: Array<MirrorOutcome> = []
    for (const command of commands) {
      yield* between(run)
      outcomes.push(yield* run.record(command))
    }
    return outcomes
  })
