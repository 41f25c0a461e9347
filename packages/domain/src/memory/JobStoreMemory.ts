import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { type Committed, mint } from "../internal/Committed.ts"
import { epochNow } from "../Epoch.ts"
import {
  applySystemCommand,
  applyWorkerCommand,
  claimJob,
  createJob,
  defaultJobPolicy,
  isActive,
  isTerminal,
  Job,
  type JobId,
  type JobPolicy,
  leaseFault,
  successorOf
} from "../Job.ts"
import { type Claim, JobNotFound, type JobRecord, type JobRef, JobStore, VideoNotFound, type VideoRecord, withJob } from "../JobStore.ts"
import {
  beginSubmission,
  dropSubmission,
  recordSubmission,
  type SubmissionBegun,
  type SubmissionRecorded
} from "../Submission.ts"
import type { TenantId } from "../Tenant.ts"
import * as VideoPolicy from "../Video.ts"
import type { Video } from "../Video.ts"
import { VideoId } from "../VideoId.ts"

/**
 * The job store in this process's memory, with the same decisions as the real one. For tests: it forgets.
 *
 * Every method decides and writes in one synchronous step, which is what makes it a transaction.
 */
export const layerWith = (policy: JobPolicy): Layer.Layer<JobStore> =>
  Layer.sync(JobStore, () => {
    const jobs = new Map<string, Job>()
    const videos = new Map<string, Video>()
    let lastVideoId = 0

    const jobKey = (tenantId: TenantId, id: JobId): string => `${tenantId}/${id}`
    const videoKey = (tenantId: TenantId, id: VideoId): string => `${tenantId}/${id}`

    const transaction = <A, E>(decide: (now: number) => Result.Result<A, E>): Effect.Effect<A, E> =>
      Effect.flatMap(epochNow, (now) => Effect.suspend(() => Effect.fromResult(decide(now))))

    const findJob = (ref: JobRef): Result.Result<JobRecord, JobNotFound> => {
      const job = jobs.get(jobKey(ref.tenantId, ref.jobId))
      return job === undefined
        ? Result.fail(new JobNotFound({ jobId: ref.jobId }))
        : Result.succeed({
          job,
          video: job.videoId === null ? null : videos.get(videoKey(ref.tenantId, job.videoId)) ?? null
        })
    }

    const findVideo = (tenantId: TenantId, videoId: VideoId): Result.Result<VideoRecord, VideoNotFound> => {
      const video = videos.get(videoKey(tenantId, videoId))
      return video === undefined
        ? Result.fail(new VideoNotFound({ videoId }))
        : Result.succeed({
          video,
          job: video.encodeJobId === null ? null : jobs.get(jobKey(tenantId, video.encodeJobId)) ?? null
        })
    }

    const visibleVideo = (tenantId: TenantId, videoId: VideoId): Result.Result<VideoRecord, VideoNotFound> =>
      Result.flatMap(
        findVideo(tenantId, videoId),
        (record) => record.video.deletedAt === null ? Result.succeed(record) : Result.fail(new VideoNotFound({ videoId }))
      )

    const save = <A extends JobRecord | VideoRecord>(record: A): Committed<A> => {
      if (record.job !== null) jobs.set(jobKey(record.job.tenantId, record.job.id), record.job)
      if (record.video !== null) videos.set(videoKey(record.video.tenantId, record.video.id), record.video)
      return mint(record)
    }

    const become = (record: JobRecord, job: Job, now: number): Committed<JobRecord> =>
      job === record.job ? mint(withJob(record, job, now)) : save(withJob(record, job, now))

    const encode = (video: Video, jobId: JobId, now: number): Committed<JobRecord> =>
      save({
        video,
        job: createJob(
          {
            tenantId: video.tenantId,
            id: jobId,
            kind: "video_encode",
            videoId: video.id,
            payload: { file_key: video.fileKey }
          },
          now
        )
      })

    return JobStore.of({
      createVideo: (tenantId, input) =>
        transaction((now) => {
          lastVideoId += 1
          const video = VideoPolicy.createVideo(tenantId, VideoId.make(lastVideoId), input, now)
          return Result.succeed(save({ video, job: null }))
        }),
      completeUpload: (tenantId, videoId, upload) =>
        transaction((now) =>
          Result.gen(function*() {
            const { video } = yield* visibleVideo(tenantId, videoId)
            return encode(yield* VideoPolicy.completeUpload(video, upload, now), upload.jobId, now)
          })
        ),
      retryEncode: (tenantId, videoId, jobId) =>
        transaction((now) =>
          Result.gen(function*() {
            const { video } = yield* visibleVideo(tenantId, videoId)
            return encode(yield* VideoPolicy.retryEncode(video, jobId, now), jobId, now)
          })
        ),
      beginDelete: (tenantId, videoId) =>
        transaction((now) =>
          Result.map(findVideo(tenantId, videoId), (record): Committed<VideoRecord> => {
            if (record.video.deletedAt !== null) return mint(record)
            const cancelled = record.job === null
              ? null
              : applySystemCommand(record.job, { _tag: "Cancel", message: "삭제된 영상입니다" }, now, policy) ?? record.job
            return save({ video: VideoPolicy.beginDelete(record.video, now), job: cancelled })
          })
        ),
      finishDelete: (tenantId, videoId) =>
        Effect.sync(() => {
          if (videos.get(videoKey(tenantId, videoId))?.deletedAt == null) return
          videos.delete(videoKey(tenantId, videoId))
          for (const [key, job] of jobs) if (job.tenantId === tenantId && job.videoId === videoId) jobs.delete(key)
        }),
      createJob: (tenantId, input) =>
        transaction((now) =>
          Result.succeed(save({ job: createJob({ ...input, tenantId, videoId: null }, now), video: null }))
        ),
      claim: (tenantId, jobId, request) =>
        transaction((now) =>
          Result.map(findJob({ tenantId, jobId }), (record): Claim => {
            const decision = claimJob(record.job, request, now, policy)
            switch (decision._tag) {
              case "Claimed":
                return { _tag: "Claimed", lease: decision.lease, receipt: become(record, decision.job, now) }
              case "GaveUp":
                return { _tag: "GaveUp", receipt: become(record, decision.job, now) }
              case "Expired":
                return { _tag: "Expired", until: decision.until, receipt: become(record, decision.job, now) }
              case "Busy":
              case "NotDue":
              case "Finished":
                return decision
            }
          })
        ),
      transition: (lease, command) =>
        transaction((now) =>
          Result.gen(function*() {
            const record = yield* findJob(lease)
            const job = yield* applyWorkerCommand(record.job, lease, command, now, policy)
            const successor = job === record.job ? null : successorOf(job, command, now)
            if (successor === null) return become(record, job, now)
            jobs.set(jobKey(successor.tenantId, successor.id), successor)
            return save({ ...withJob(record, job, now), successor })
          })
        ),
      heartbeat: (lease, leaseMillis) =>
        transaction((now) =>
          Result.flatMap(findJob(lease), ({ job }) => {
            const fault = leaseFault(job, lease)
            if (fault !== null) return Result.fail(fault)
            jobs.set(jobKey(job.tenantId, job.id), new Job({ ...job, leaseUntil: now + leaseMillis }))
            return Result.void
          })
        ),
      intervene: (ref, command) =>
        transaction((now) =>
          Result.map(findJob(ref), (record) => {
            const job = applySystemCommand(record.job, command, now, policy)
            return job === null ? null : become(record, job, now)
          })
        ),
      beginSubmission: (ref, seen, findableAfterMillis) =>
        Effect.map(epochNow, (now): SubmissionBegun => {
          const job = jobs.get(jobKey(ref.tenantId, ref.jobId))
          if (job === undefined) return { _tag: "MovedOn" }
          const { begun, job: next } = beginSubmission(job, seen, findableAfterMillis, now)
          jobs.set(jobKey(ref.tenantId, ref.jobId), next)
          return begun
        }),
      recordSubmission: (ref, submission, runId) =>
        Effect.map(epochNow, (now): SubmissionRecorded => {
          const job = jobs.get(jobKey(ref.tenantId, ref.jobId))
          if (job === undefined) return "Superseded"
          const { job: next, recorded } = recordSubmission(job, submission, runId, now)
          jobs.set(jobKey(ref.tenantId, ref.jobId), next)
          return recorded
        }),
      dropSubmission: (ref, submission) =>
        Effect.sync(() => {
          const job = jobs.get(jobKey(ref.tenantId, ref.jobId))
          if (job !== undefined) jobs.set(jobKey(ref.tenantId, ref.jobId), dropSubmission(job, submission))
        }),
      markDispatched: (ref, attempt, externalId) =>
        Effect.map(epochNow, (now) => {
          const job = jobs.get(jobKey(ref.tenantId, ref.jobId))
          if (job === undefined || isTerminal(job.status) || job.submittingSince !== null) return
          // A run may have claimed the job before its submitter came to note the run's id, but not ended that attempt.
          if (job.attempt !== (isActive(job.status) ? attempt + 1 : attempt)) return
          jobs.set(jobKey(ref.tenantId, ref.jobId), new Job({ ...job, dispatchedAt: now, externalId }))
        }),
      getVideo: (tenantId, videoId) => Effect.suspend(() => Effect.fromResult(visibleVideo(tenantId, videoId))),
      listVideos: (tenantId, query) =>
        Effect.sync(() => {
          const wanted = query.search?.toLowerCase() ?? ""
          const found = [...videos.values()]
            .filter((video) =>
              video.tenantId === tenantId && video.deletedAt === null && video.title.toLowerCase().includes(wanted)
            )
            .sort((a, b) => b.id - a.id)
          return { count: found.length, videos: found.slice(query.offset, query.offset + query.limit) }
        }),
      getJob: (tenantId, jobId) => Effect.suspend(() => Effect.fromResult(findJob({ tenantId, jobId }))),
      findUndispatched: ({ limit, olderThanMillis }) =>
        Effect.map(epochNow, (now) =>
          [...jobs.values()]
            .filter((job) =>
              (job.status === "PENDING" || job.status === "RETRYING") && job.runAfter <= now &&
              (job.dispatchedAt === null || (job.kind !== "video_encode" && job.dispatchedAt <= now - olderThanMillis))
            )
            .sort((a, b) => a.createdAt - b.createdAt)
            .slice(0, limit)
            .map((job) => ({
              tenantId: job.tenantId,
              jobId: job.id,
              kind: job.kind,
              tier: job.tier,
              attempt: job.attempt,
              submissions: job.submissions,
              payload: job.payload,
              createdAt: job.createdAt
            }))),
      findExpired: (limit) =>
        Effect.map(epochNow, (now) =>
          [...jobs.values()]
            .filter((job) => isActive(job.status) && job.leaseUntil !== null && job.leaseUntil <= now)
            .slice(0, limit)
            .map((job) => ({ tenantId: job.tenantId, jobId: job.id, attempt: job.attempt }))),
      findDispatchedEncodes: (limit) =>
        Effect.sync(() =>
          [...jobs.values()].flatMap((job) =>
            job.kind === "video_encode" && !isTerminal(job.status) && job.externalId !== null
              ? [{
                tenantId: job.tenantId,
                jobId: job.id,
                attempt: job.attempt,
                status: job.status,
                externalId: job.externalId
              }]
              : []
          ).slice(0, limit)
        ),
      findGivenUp: (limit) =>
        Effect.sync(() =>
          [...jobs.values()]
            .filter((job) => {
              const video = job.videoId === null ? null : videos.get(videoKey(job.tenantId, job.videoId))
              const isFollowed = video === null || (video?.encodeJobId === job.id && video.deletedAt === null)
              return job.status === "FAILED" && isFollowed
            })
            .toSorted((a, b) => b.updatedAt - a.updatedAt)
            .slice(0, limit)
        ),
      findDeleting: (limit) =>
        Effect.sync(() =>
          [...videos.values()]
            .filter((video) => video.deletedAt !== null)
            .slice(0, limit)
            .map((video): VideoRecord => ({
              video,
              job: video.encodeJobId === null ? null : jobs.get(jobKey(video.tenantId, video.encodeJobId)) ?? null
            }))
        ),
      findLive: ({ changedSince, limit }) =>
        Effect.sync(() => {
          const live = [...jobs.values()].filter((job) => !isTerminal(job.status) || job.updatedAt >= changedSince)
          const followed = new Set(live.map((job) => job.id))
          return [
            ...live.map((job): JobRecord => {
              const video = job.videoId === null ? null : videos.get(videoKey(job.tenantId, job.videoId)) ?? null
              return { job, video: video?.encodeJobId === job.id ? video : null }
            }),
            ...[...videos.values()]
              .filter((video) =>
                (video.encodeJobId === null || !followed.has(video.encodeJobId)) &&
                (video.status === "PENDING" || video.updatedAt >= changedSince)
              )
              .map((video): VideoRecord => ({ video, job: null }))
          ].slice(0, limit).map((record) => mint(record))
        }),
      ping: Effect.void
    })
  })

export const layer: Layer.Layer<JobStore> = layerWith(defaultJobPolicy)
