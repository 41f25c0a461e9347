import { jobSubject, JobId, type Subject, VideoId, videoSubject } from "@lectern/domain"
import { describe, expect, it } from "vitest"
import type { ReadProgress } from "../../src/edge/index.ts"
import { signWatchToken } from "../../src/tokens/index.ts"
import { ask, edgeOver, jobPath, secret, videoPath } from "./edgeSubject.ts"

const video = videoSubject(VideoId.make(42))
const job = jobSubject(JobId.make("job-1"))
const otherVideo = "/api/v1/media/videos/43/progress/"
const otherJob = "/api/v1/jobs/job-2/progress/"

const bearer = async (watch: Subject, tenantId = 7) => ({
  headers: { authorization: `Bearer ${await signWatchToken({ tenantId, watch, secret, expiresInSeconds: 60 })}` }
})

/** A mirror in which everything exists. */
const full = () => {
  const asked: Array<Subject> = []
  const read: ReadProgress = async (_, subjects) => {
    asked.push(...subjects)
    return subjects.map(({ _tag }) => ({ status: JSON.stringify({ status: _tag === "Video" ? "READY" : "DONE" }), progress: null }))
  }
  return { asked, edge: edgeOver(read).handler }
}

const empty = edgeOver(async (_, subjects) => subjects.map(() => ({ status: null, progress: null }))).handler

describe("A watch token", () => {
  for (const [what, watch, own, others] of [
    ["a video", video, videoPath, [otherVideo, jobPath]],
    ["a job", job, jobPath, [otherJob, videoPath]]
  ] as const) {
    it(`reads ${what} that it is for, and of everything else what is said of that which does not exist`, async () => {
      const { edge } = full()
      const init = await bearer(watch)
      expect((await ask(edge, own, init)).body).toMatchObject({ status: what === "a video" ? "READY" : "DONE" })
      for (const other of others) {
        const foreign = await ask(edge, other, init)
        const missing = await ask(empty, other, init)
        const missingForAll = await ask(empty, other)
        expect([foreign.status, foreign.body]).toEqual([missing.status, missing.body])
        expect([foreign.status, foreign.body]).toEqual([missingForAll.status, missingForAll.body])
        expect([...foreign.headers]).toEqual([...missingForAll.headers])
      }
    })
  }

  it("makes the edge read its own subject whatever it asks for, so that time tells nothing", async () => {
    const { asked, edge } = full()
    const init = await bearer(video)
    for (const path of [otherVideo, jobPath, "/api/v1/progress/?videos=43&jobs=job-1"]) await ask(edge, path, init)
    expect(new Set(asked)).toEqual(new Set([video]))
  })

  it("sees in a tray its own subject alone", async () => {
    const { edge } = full()
    const { body } = await ask(edge, "/api/v1/progress/?videos=43,42&jobs=42,job-1", await bearer(video))
    expect(body).toMatchObject({
      videos: [{ id: 43, status: "UNKNOWN" }, { id: 42, status: "READY" }],
      jobs: [{ job_id: "42", status: "UNKNOWN" }, { job_id: "job-1", status: "UNKNOWN" }]
    })
  })

  it("does not make a job of a video by its number", async () => {
    const { edge } = full()
    expect((await ask(edge, "/api/v1/jobs/42/progress/", await bearer(video))).body).toMatchObject({ status: "UNKNOWN" })
  })
})
