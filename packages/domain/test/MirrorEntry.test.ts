import {
  deletedVideoReason,
  type Job,
  JobStatus,
  maxMirroredResultBytes,
  mirrorEntries,
  type MirrorEntry,
  type Sample,
  type Video,
  VideoPolicy
} from "@lectern/domain"
import { describe, expect, it } from "vitest"
import { jobId, jobIn, startedAt, tenant, videoId } from "./jobInState.ts"

const asOf = startedAt + 9_000

const video = new VideoPolicy.Video({
  ...VideoPolicy.createVideo(
    tenant,
    videoId,
    { title: "1강", filename: "1.mp4", contentType: "video/mp4", session: null, fileKey: "tenants/7/video/raw/a.mp4" },
    startedAt
  ),
  status: "PROCESSING",
  encodeJobId: jobId,
  revision: 3
})

const entriesOf = (job: Job | null, of: Video | null, tick = 0, sample: Sample | null = null) =>
  mirrorEntries({ job, video: of }, tick, sample, asOf)

const only = (entries: ReadonlyArray<MirrorEntry>): MirrorEntry => {
  const [entry, ...others] = entries
  if (entry === undefined || others.length > 0) throw new Error(`There are ${entries.length} entries, not one`)
  return entry
}

const resultOf = (entry: MirrorEntry): unknown => JSON.parse(entry.status).result

describe("what the mirror holds", () => {
  it("of a running encode: one entry for the video and one for the job, with the step as the contract has it", () => {
    const job = jobIn("RUNNING", { step: "transcoding" })
    const stem = `"tick":12,"as_of":${asOf},`
    const step = `"step":"transcoding","percent":67,"remaining_seconds":31,"step_index":4,"step_total":7,` +
      `"step_name":"transcoding","step_name_display":"인코딩","step_percent":50,`
    expect(entriesOf(job, video, 12, { fraction: 0.5, remainingSeconds: 30.6 })).toEqual([
      {
        subject: { _tag: "Video", id: 42 },
        keys: { status: "tenant:7:video:42:status", progress: "tenant:7:video:42:progress" },
        version: { revision: 3, attempt: 1, tick: 12 },
        terminal: false,
        status: `{"status":"PROCESSING","job_id":"${jobId}","updated_at":${startedAt},"revision":3,"attempt":1}`,
        progress: `{${step}${stem}"revision":3,"attempt":1}`
      },
      {
        subject: { _tag: "Job", id: jobId },
        keys: { status: `tenant:7:job:${jobId}:status`, progress: `tenant:7:job:${jobId}:progress` },
        version: { revision: 5, attempt: 1, tick: 12 },
        terminal: false,
        status: `{"status":"RUNNING","job_type":"video_encode","updated_at":${startedAt},"revision":5,"attempt":1}`,
        progress: `{${step}${stem}"revision":5,"attempt":1}`
      }
    ])
  })

  it("of a transition is the start of its step", () => {
    const entry = only(entriesOf(jobIn("VALIDATING", { step: "probing", videoId: null }), null))
    expect(JSON.parse(entry.progress ?? "")).toMatchObject({ step_percent: 0, percent: 25, remaining_seconds: null, tick: 0 })
  })

  it("of a ready video: its address and its length, and no progress", () => {
    const ready = new VideoPolicy.Video({ ...video, status: "READY", hlsPath: "hls/42/master.m3u8", duration: 61, revision: 9 })
    const [ofVideo] = entriesOf(jobIn("DONE", { step: "done" }), ready)
    expect(ofVideo).toMatchObject({
      terminal: true,
      progress: null,
      status: `{"status":"READY","hls_path":"hls/42/master.m3u8","duration":61,"error_reason":null,"job_id":"${jobId}",` +
        `"updated_at":${startedAt},"revision":9,"attempt":1}`
    })
  })

  it("of a failed video: why", () => {
    const failed = new VideoPolicy.Video({ ...video, status: "FAILED", errorReason: "영상이 아닙니다" })
    expect(only(entriesOf(null, failed)).status).toBe(
      `{"status":"FAILED","hls_path":null,"duration":null,"error_reason":"영상이 아닙니다","job_id":"${jobId}",` +
        `"updated_at":${startedAt},"revision":3,"attempt":0}`
    )
  })

  it("of a deleted video is an end, whatever it was before, with nothing of its old output", () => {
    for (const status of VideoPolicy.VideoStatus.literals) {
      const deleted = VideoPolicy.beginDelete(
        new VideoPolicy.Video({ ...video, status, hlsPath: "hls/42/master.m3u8", duration: 61 }),
        asOf
      )
      const entry = only(entriesOf(null, deleted))
      expect(JSON.parse(entry.status)).toMatchObject({
        status: "FAILED",
        hls_path: null,
        duration: null,
        error_reason: deletedVideoReason
      })
      expect([entry.terminal, entry.progress, entry.version.revision]).toEqual([true, null, 4])
    }
  })

  it("of a waiting video carries no field of an ended one", () => {
    for (const status of ["PENDING", "UPLOADED", "PROCESSING"] as const) {
      const entry = only(entriesOf(null, new VideoPolicy.Video({ ...video, status, hlsPath: "old", duration: 1 })))
      expect(Object.keys(JSON.parse(entry.status))).toEqual(["status", "job_id", "updated_at", "revision", "attempt"])
      expect(entry.terminal).toBe(false)
    }
  })

  it.each(JobStatus.literals)("of a job in state %s says a status of the contract, and progress only while somebody works", (status) => {
    const job = jobIn(status, { videoId: null, step: "probing", errorMessage: "why" })
    const entry = only(entriesOf(job, null))
    expect(JSON.parse(entry.status)).toMatchObject({
      status: status === "CANCELLED" ? "FAILED" : status,
      job_type: "video_encode",
      error_message: "why"
    })
    expect(entry.progress !== null).toBe(status === "RUNNING" || status === "VALIDATING")
    expect(entry.terminal).toBe(!["PENDING", "VALIDATING", "RUNNING", "RETRYING"].includes(status))
  })

  it("of a job without a step, or with one that its kind does not have, has no progress and still a status", () => {
    for (const step of [null, "parsing"]) {
      const entry = only(entriesOf(jobIn("RUNNING", { videoId: null, step }), null))
      expect([entry.progress, JSON.parse(entry.status).status]).toEqual([null, "RUNNING"])
    }
  })

  it("holds a result that an ended job left, up to 10,000 bytes of UTF-8, and leaves out a longer one", () => {
    const done = (result: string) => only(entriesOf(jobIn("DONE", { videoId: null, result }), null))
    // The two quotation marks belong to the JSON.
    const ascii = "a".repeat(maxMirroredResultBytes - 2)
    expect(resultOf(done(ascii))).toBe(ascii)
    expect(resultOf(done(`${ascii}a`))).toBe(undefined)
    // 3 bytes each, and 4 for a pair of surrogates; 2 for é.
    const korean = "가".repeat(3_332)
    expect(resultOf(done(`${korean}ab`))).toBe(`${korean}ab`)
    expect(resultOf(done(`${korean}abc`))).toBe(undefined)
    const emoji = "😀".repeat(2_499)
    expect(resultOf(done(`${emoji}aé`))).toBe(undefined)
    expect(resultOf(done(`${emoji}é`))).toBe(`${emoji}é`)
    for (const text of [ascii, korean, emoji]) {
      expect(Buffer.byteLength(JSON.stringify(text))).toBeLessThanOrEqual(maxMirroredResultBytes)
    }
  })

  it("holds no cell of a class list: neither what was refused nor the previews of what is asked", () => {
    const result = {
      failed: [{ cell: "B3", value: "010-1234-5678", reason: "없는 번호" }],
      readings: [{ id: "guardian:B", ko: "학부모 번호", preview: [{ row: 2, cells: { 이름: "김가온" } }] }],
      total: 2
    }
    const entry = only(entriesOf(jobIn("REVIEW_REQUIRED", { videoId: null, kind: "student_import", result }), null))
    expect(resultOf(entry)).toEqual({
      failed: [{ cell: "B3", reason: "없는 번호" }],
      readings: [{ id: "guardian:B", ko: "학부모 번호" }],
      total: 2
    })
  })

  it("leaves the rules of a stream to the details, so that the rest of the result finds room", () => {
    const rule = { number: "7.4", title: "Video segments begin with a key frame", kept: true, measured: "x".repeat(400) }
    const result = { hls_path: "hls/master.m3u8", rules: Array.from({ length: 44 }, () => rule) }
    expect(resultOf(only(entriesOf(jobIn("DONE", { result }), null)))).toEqual({ hls_path: "hls/master.m3u8" })
  })

  it("holds which cells of a class list were refused and why, and nothing of what stands in them", () => {
    const cell = { row: 47, cell: "C47", reason: "전화번호의 자릿수가 모자랍니다" }
    const result = { created: 235, failed: [{ ...cell, value: "010-12-345" }], total: 240 }
    const fields = { kind: "student_import" as const, videoId: null, result }
    const entry = only(entriesOf(jobIn("DONE", fields), null))
    expect(resultOf(entry)).toEqual({ created: 235, failed: [cell], total: 240 })
    expect(entry.status).not.toContain("010-12-345")
  })

  it("holds no result of a job that has not ended", () => {
    expect(resultOf(only(entriesOf(jobIn("RETRYING", { videoId: null, result: { left: 1 } }), null)))).toBe(undefined)
  })

  it.each([Number.NaN, Infinity, -Infinity])("calls a remaining time of %s unknown", (remainingSeconds) => {
    const entry = only(entriesOf(jobIn("RUNNING", { videoId: null, step: "probing" }), null, 1, { fraction: 0, remainingSeconds }))
    expect(JSON.parse(entry.progress ?? "").remaining_seconds).toBe(null)
  })

  it("never tells of a remaining time below zero", () => {
    const entry = only(entriesOf(jobIn("RUNNING", { videoId: null, step: "probing" }), null, 1, { fraction: 1, remainingSeconds: -3 }))
    expect(JSON.parse(entry.progress ?? "").remaining_seconds).toBe(0)
  })
})
