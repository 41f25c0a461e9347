import { Job, JobId, JobStatus, type Video, VideoPolicy, VideoStatus } from "@lectern/domain"
import { Result } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { jobId, jobIn, startedAt, tenant, videoId } from "./jobInState.ts"

const now = startedAt + 1_000
const otherJob = JobId.make("another")

const created = VideoPolicy.createVideo(
  tenant,
  videoId,
  { title: "1강", filename: "1.mp4", contentType: "video/mp4", session: null, fileKey: "tenants/7/video/raw/a.mp4" },
  startedAt
)

const videoIn = (status: VideoStatus, fields: Partial<typeof VideoPolicy.Video.Type> = {}): Video =>
  new VideoPolicy.Video({ ...created, status, encodeJobId: status === "PENDING" ? null : jobId, ...fields })

const output = { hls_path: "hls/master.m3u8", thumbnail_path: "hls/thumbnail.jpg", duration: 61, variants: ["1080p"] }

describe("a video's state machine", () => {
  const upload = { jobId, fileSize: 10 }

  it.each([
    ["PENDING", "UPLOADED"],
    ["UPLOADED", "not_awaiting_upload"],
    ["PROCESSING", "not_awaiting_upload"],
    ["READY", "not_awaiting_upload"],
    ["FAILED", "not_awaiting_upload"]
  ] as const)("completes the upload of a video in state %s: %s", (status, expected) => {
    const answer = VideoPolicy.completeUpload(videoIn(status), upload, now)
    expect(Result.isSuccess(answer) ? answer.success.status : answer.failure.reason).toBe(expected)
  })

  it.each([
    ["PENDING", false, "not_uploaded"],
    ["UPLOADED", false, "already_active"],
    ["PROCESSING", false, "already_active"],
    ["READY", true, "UPLOADED"],
    ["FAILED", true, "UPLOADED"]
  ] as const)("in state %s can be encoded again: %s (%s)", (status, allowed, expected) => {
    const answer = VideoPolicy.retryEncode(videoIn(status), otherJob, now)
    expect(VideoPolicy.canRetry(videoIn(status))).toBe(allowed)
    expect(Result.isSuccess(answer) ? answer.success.status : answer.failure.reason).toBe(expected)
  })

  it("keeps its last good output while it is encoded again", () => {
    const ready = videoIn("READY", { hlsPath: "old/master.m3u8", duration: 60, thumbnailPath: "old/thumbnail.jpg" })
    const again = Result.getOrThrow(VideoPolicy.retryEncode(ready, otherJob, now))
    const failed = VideoPolicy.followEncode(again, jobIn("FAILED", { id: otherJob, errorMessage: "broken" }), now)
    expect(failed).toMatchObject({ status: "FAILED", hlsPath: "old/master.m3u8", duration: 60, errorReason: "broken" })
  })

  const followed: Record<JobStatus, VideoStatus | null> = {
    PENDING: null,
    VALIDATING: "PROCESSING",
    RUNNING: "PROCESSING",
    RETRYING: "PROCESSING",
    DONE: "READY",
    FAILED: "FAILED",
    REJECTED_BAD_INPUT: "FAILED",
    FALLBACK_TO_GPU: "FAILED",
    REVIEW_REQUIRED: "FAILED",
    CANCELLED: "FAILED"
  }

  it.each(JobStatus.literals)("follows its encode to state %s", (status) => {
    const job = jobIn(status, { result: status === "DONE" ? output : null, errorMessage: status === "DONE" ? null : "why" })
    expect(VideoPolicy.followEncode(videoIn("PROCESSING"), job, now)?.status ?? null).toBe(followed[status])
  })

  it("takes address, length and picture from the result of its encode", () => {
    expect(VideoPolicy.followEncode(videoIn("PROCESSING"), jobIn("DONE", { result: output }), now)).toMatchObject({
      status: "READY",
      hlsPath: output.hls_path,
      thumbnailPath: output.thumbnail_path,
      duration: 61,
      errorReason: null
    })
  })

  it("keeps with its last good output the rules that it was checked against, its storyboard and what slowed it", () => {
    const rules = [{ number: "7.4", title: "Video segments begin with a key frame", kept: true, measured: "2 of 2" }]
    const result = { ...output, rules, storyboard_path: "hls/storyboard/t.vtt", non_standard_input_reasons: ["no_audio"] }
    const ready = VideoPolicy.followEncode(videoIn("PROCESSING"), jobIn("DONE", { result }), now)
    expect(ready).toMatchObject({
      rules,
      storyboardPath: "hls/storyboard/t.vtt",
      nonStandardInputReasons: ["no_audio"]
    })
    const failed = VideoPolicy.followEncode(
      videoIn("PROCESSING", { rules: ready?.rules ?? null, storyboardPath: ready?.storyboardPath ?? null }),
      jobIn("FAILED", { errorMessage: "broken" }),
      now
    )
    expect(failed).toMatchObject({ status: "FAILED", rules, storyboardPath: "hls/storyboard/t.vtt" })
  })

  it("has no rules where its encode checked none", () => {
    const ready = VideoPolicy.followEncode(videoIn("PROCESSING"), jobIn("DONE", { result: output }), now)
    expect(ready).toMatchObject({ rules: null, storyboardPath: null, nonStandardInputReasons: [] })
  })

  it.each([null, {}, { ...output, duration: "61" }, "READY"])("does not call itself ready with the result %j", (result) => {
    const after = VideoPolicy.followEncode(videoIn("PROCESSING"), jobIn("DONE", { result }), now)
    expect(after).toMatchObject({ status: "FAILED", errorReason: "인코딩 결과를 찾을 수 없습니다" })
  })

  it.each(JobStatus.literals)("does not hear of another encode's state %s, nor after its deletion", (status) => {
    const job = jobIn(status, { result: output })
    expect(VideoPolicy.followEncode(videoIn("UPLOADED", { encodeJobId: otherJob }), job, now)).toBe(null)
    expect(VideoPolicy.followEncode(VideoPolicy.beginDelete(videoIn("PROCESSING"), now), job, now)).toBe(null)
  })

  it("raises its revision with every change, and changes with every change of its encode", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...VideoStatus.literals),
        fc.constantFrom(...JobStatus.literals),
        fc.boolean(),
        fc.boolean(),
        (videoStatus, jobStatus, own, deleted) => {
          const video = videoIn(videoStatus, { encodeJobId: own ? jobId : otherJob, deletedAt: deleted ? now : null })
          const after = VideoPolicy.followEncode(video, new Job({ ...jobIn(jobStatus), errorMessage: "x" }), now)
          if (!own || deleted || jobStatus === "PENDING") expect(after).toBe(null)
          else expect(after?.revision).toBe(video.revision + 1)
          if (after !== null) expect(after.encodeJobId).toBe(video.encodeJobId)
        }
      )
    )
  })
})
