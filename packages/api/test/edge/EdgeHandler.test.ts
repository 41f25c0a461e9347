import type { Subject, TenantId } from "@lectern/domain"
import { describe, expect, it } from "vitest"
import type { ReadProgress } from "../../src/edge/index.ts"
import { signToken } from "../../src/tokens/index.ts"
import { ask, contractFields, edgeOver, foreignToken, holding, jobPath, secret, token, videoPath } from "./edgeSubject.ts"

const expired = await signToken({ tenantId: 7, secret, expiresInSeconds: 1, now: 0 })

const version = { revision: 5, attempt: 1 }
const step = {
  step: "transcoding",
  percent: 67,
  remaining_seconds: 31,
  step_index: 4,
  step_total: 7,
  step_name: "transcoding",
  step_name_display: "인코딩",
  step_percent: 50,
  tick: 3,
  as_of: 1,
  ...version
}
const emptyVideo = {
  id: 42,
  progress: 0,
  encoding_progress: null,
  encoding_remaining_seconds: null,
  encoding_step_index: null,
  encoding_step_total: null,
  encoding_step_name: null,
  encoding_step_percent: null,
  hls_path: null,
  duration: null,
  error_reason: null
}
const unknownVideo = { ...emptyVideo, status: "UNKNOWN", state: "UNKNOWN", message: "진행 정보가 없습니다" }
const emptyJob = { job_id: "job-1", job_type: null, progress: null, error_message: null }
const unknownJob = { ...emptyJob, status: "UNKNOWN", message: "진행 정보가 없습니다" }

const bodyFor = async (path: string, status: unknown, progress: unknown = null) => {
  const text = (value: unknown) => value === null ? null : typeof value === "string" ? value : JSON.stringify(value)
  const answered = await ask(edgeOver(holding({ status: text(status), progress: text(progress) })).handler, path)
  expect(answered.status).toBe(200)
  return contractFields(answered.body)
}

describe("The progress of a video", () => {
  for (const status of ["PENDING", "UPLOADED"]) {
    it(`that is ${status} has no numbers, whatever was left over`, async () => {
      expect(await bodyFor(videoPath, { status, ...version }, step)).toEqual({ ...emptyVideo, status, state: status })
    })
  }

  it("that is PROCESSING has its percent, its remaining time and its step by the display name", async () => {
    expect(await bodyFor(videoPath, { status: "PROCESSING", ...version }, step)).toEqual({
      ...emptyVideo,
      status: "PROCESSING",
      state: "PROCESSING",
      progress: 67,
      encoding_progress: 67,
      encoding_remaining_seconds: 31,
      encoding_step_index: 4,
      encoding_step_total: 7,
      encoding_step_name: "인코딩",
      encoding_step_percent: 50
    })
  })

  it("that is PROCESSING without a progress says so with null, and 0 in `progress`", async () => {
    expect(await bodyFor(videoPath, { status: "PROCESSING", ...version })).toEqual({
      ...emptyVideo,
      status: "PROCESSING",
      state: "PROCESSING"
    })
  })

  for (const field of ["step_index", "step_total", "step_name", "step_name_display", "step_percent"]) {
    it(`has all fields of the step or none: ${field} is of the wrong type`, async () => {
      expect(await bodyFor(videoPath, { status: "PROCESSING", ...version }, { ...step, [field]: [] })).toEqual({
        ...emptyVideo,
        status: "PROCESSING",
        state: "PROCESSING",
        progress: 67,
        encoding_progress: 67,
        encoding_remaining_seconds: 31
      })
    })
  }

  it("that is READY has its address and its length", async () => {
    const stored = { status: "READY", hls_path: "a/master.m3u8", duration: 61, error_reason: null, job_id: "j", ...version }
    expect(await bodyFor(videoPath, stored, step)).toEqual({
      ...emptyVideo,
      status: "READY",
      state: "READY",
      hls_path: "a/master.m3u8",
      duration: 61
    })
  })

  it("that is FAILED has its reason, and the last good output if there is one", async () => {
    const stored = { status: "FAILED", hls_path: "old/master.m3u8", duration: 61, error_reason: "깨진 파일", ...version }
    expect(await bodyFor(videoPath, stored)).toEqual({
      ...emptyVideo,
      status: "FAILED",
      state: "FAILED",
      hls_path: "old/master.m3u8",
      duration: 61,
      error_reason: "깨진 파일"
    })
  })

  it("of an earlier revision or attempt than its status is not shown", async () => {
    for (const older of [{ revision: 4, attempt: 9 }, { revision: 5, attempt: 0 }]) {
      expect(await bodyFor(videoPath, { status: "PROCESSING", ...version }, { ...step, ...older }))
        .toMatchObject({ encoding_progress: null, encoding_step_index: null })
    }
  })

  it("of a writer that keeps no versions is shown as it always was", async () => {
    expect(await bodyFor(videoPath, { status: "PROCESSING" }, { percent: 12 })).toMatchObject({ encoding_progress: 12 })
  })

  for (
    const garbage of [
      null, "", "garbage", "null", "[]", "7", `"PROCESSING"`, "{}", `{"status":null}`, `{"status":"processing"}`,
      `{"status":"DONE"}`, `{"status":"PROCESSING"`, "\u0000", "[".repeat(100_000)
    ]
  ) {
    it(`is UNKNOWN, with a message, for ${garbage === null ? "nothing" : JSON.stringify(garbage.slice(0, 30))}`, async () => {
      expect(await bodyFor(videoPath, garbage, step)).toEqual(unknownVideo)
    })
  }
})

describe("The progress of a job", () => {
  for (const status of ["PENDING", "VALIDATING", "RETRYING"]) {
    it(`that is ${status} has no progress`, async () => {
      expect(await bodyFor(jobPath, { status, job_type: "student_import", ...version }, step))
        .toEqual({ ...emptyJob, status, job_type: "student_import" })
    })
  }

  it("that is RUNNING has its percent and its step", async () => {
    expect(await bodyFor(jobPath, { status: "RUNNING", job_type: "video_encode", ...version }, step)).toEqual({
      ...emptyJob,
      status: "RUNNING",
      job_type: "video_encode",
      progress: {
        step: "transcoding",
        percent: 67,
        step_index: 4,
        step_total: 7,
        step_name: "transcoding",
        step_name_display: "인코딩",
        step_percent: 50
      }
    })
  })

  for (const status of ["DONE", "FAILED", "REJECTED_BAD_INPUT", "FALLBACK_TO_GPU", "REVIEW_REQUIRED"]) {
    it(`that is ${status} has its result and its error message, both`, async () => {
      const stored = { status, job_type: "student_import", error_message: "3행을 읽지 못했습니다", result: { created: 2 }, ...version }
      expect(await bodyFor(jobPath, stored, step)).toEqual({
        ...emptyJob,
        status,
        job_type: "student_import",
        error_message: "3행을 읽지 못했습니다",
        result: { created: 2 }
      })
    })
  }

  it("whose result did not fit has none", async () => {
    expect(await bodyFor(jobPath, { status: "DONE", ...version })).toEqual({ ...emptyJob, status: "DONE" })
  })

  it("that is no status of a job is UNKNOWN, so that a client goes on asking only for what can come", async () => {
    for (const garbage of [null, "garbage", { status: "CANCELLED" }, { status: "READY" }]) {
      expect(await bodyFor(jobPath, garbage)).toEqual(unknownJob)
    }
  })
})

describe("Who may ask", () => {
  const edge = edgeOver(holding({ status: `{"status":"READY"}` })).handler

  for (
    const [what, headers, status, code] of [
      ["no token", { authorization: "" }, 401, "token_missing"],
      ["half a token", { authorization: "Bearer abc" }, 401, "token_malformed"],
      ["a forged token", { authorization: `Bearer ${token.slice(0, -4)}AAAA` }, 401, "token_invalid"],
      ["an expired token", { authorization: `Bearer ${expired}` }, 401, "token_expired"],
      ["another tenant's code", { "x-tenant-code": "8" }, 403, "tenant_mismatch"]
    ] as const
  ) {
    it(`is refused with ${what}, in words that a page can read`, async () => {
      for (const path of [videoPath, jobPath, "/api/v1/media/videos/zero/progress/"]) {
        const answered = await ask(edge, path, { headers })
        expect(answered.status).toBe(status)
        expect(answered.body).toEqual({ detail: expect.any(String), code })
        expect(answered.headers.get("access-control-allow-origin")).toBe("*")
        expect(answered.headers.get("www-authenticate")).toBe(status === 401 ? "Bearer" : null)
      }
    })
  }

  it("is asked for the tenant of the token and for no other", async () => {
    const asked: Array<readonly [TenantId, ReadonlyArray<Subject>]> = []
    const read: ReadProgress = async (tenantId, subjects) => {
      asked.push([tenantId, subjects])
      return subjects.map(() => ({ status: null, progress: null }))
    }
    const { handler } = edgeOver(read)
    await ask(handler, `${videoPath}?tenant=7`, { headers: { authorization: `Bearer ${foreignToken}` } })
    expect(asked).toEqual([[8, [{ _tag: "Video", id: 42 }]]])
  })
})

describe("Every answer", () => {
  const edge = edgeOver(holding({ status: `{"status":"READY"}` })).handler

  for (
    const [what, path, init, status] of [
      ["known", videoPath, {}, 200],
      ["bad id", "/api/v1/media/videos/-1/progress/", {}, 400],
      ["long job id", `/api/v1/jobs/${"x".repeat(65)}/progress/`, {}, 400],
      ["no token", jobPath, { headers: { authorization: "" } }, 401],
      ["missing slash", videoPath.slice(0, -1), {}, 404],
      ["another path", "/api/v1/media/videos/", {}, 404],
      ["another method", jobPath, { method: "POST" }, 405],
      ["DELETE", videoPath, { method: "DELETE" }, 405]
    ] as const
  ) {
    it(`is JSON, for pages of any origin, and kept by nobody: ${what}`, async () => {
      const answered = await ask(edge, path, init)
      expect(answered.status).toBe(status)
      expect(answered.headers.get("content-type")).toBe("application/json; charset=utf-8")
      expect(answered.headers.get("cache-control")).toBe("no-store")
      expect(answered.headers.get("access-control-allow-origin")).toBe("*")
      if (status !== 200) expect(answered.body).toMatchObject({ detail: expect.any(String) })
      if (status === 405) expect(answered.headers.get("allow")).toBe("GET, HEAD, OPTIONS")
    })
  }

  it("to HEAD is that to GET without its body", async () => {
    const head = await ask(edge, videoPath, { method: "HEAD" })
    expect([head.status, head.body, head.headers.get("content-type")]).toEqual([200, null, "application/json; charset=utf-8"])
  })

  it("to a preflight allows what a page has to send, without a token", async () => {
    const preflight = await ask(edge, videoPath, { method: "OPTIONS", headers: { authorization: "" } })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization")
    expect(preflight.headers.get("access-control-allow-headers")).toContain("x-tenant-code")
  })

  it("allows the pages that are configured and no other, and tells caches that it depends on them", async () => {
    const { handler } = edgeOver(holding({}), { allowedOrigins: ["https://a.school", "https://b.school"] })
    const allowFor = async (page: string) => {
      const { headers } = await ask(handler, videoPath, { headers: { origin: page } })
      return [headers.get("access-control-allow-origin"), headers.get("vary")]
    }
    expect(await allowFor("https://b.school")).toEqual(["https://b.school", "origin"])
    expect(await allowFor("https://c.school")).toEqual([null, "origin"])
  })
})

describe("A mirror that fails", () => {
  const unreachable = { ...unknownVideo, message: "지금은 진행 정보를 확인할 수 없습니다" }

  for (
    const [what, read] of [
      ["rejects", () => Promise.reject(new Error("away"))],
      ["throws", () => {
        throw new Error("away")
      }],
      ["answers too little", async () => []]
    ] as ReadonlyArray<readonly [string, ReadProgress]>
  ) {
    it(`is UNKNOWN with 200 where it ${what}`, async () => {
      const answered = await ask(edgeOver(read).handler, videoPath)
      expect([answered.status, contractFields(answered.body)]).toEqual([200, unreachable])
    })
  }

  it("is UNKNOWN with 200 where it hangs, and its late answer is nobody's", async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    let calls = 0
    const read: ReadProgress = async (_, subjects) => {
      calls += 1
      if (calls === 1) await promise
      return subjects.map(() => ({ status: `{"status":"${calls === 1 ? "FAILED" : "READY"}"}`, progress: null }))
    }
    const { counts, handler } = edgeOver(read, { readTimeoutMillis: 5 })
    expect(contractFields((await ask(handler, videoPath)).body)).toEqual(unreachable)
    const second = ask(handler, videoPath)
    resolve()
    expect((await second).body).toMatchObject({ status: "READY" })
    expect(counts()).toEqual({ answers: 2, unknown: 0, unreadable: 1, refused: 0, limited: 0, failed: 0 })
  })

  it("fails with 500 and its cause in the log where a defect of ours is the reason, and never rejects", async () => {
    const causes: Array<unknown> = []
    const { handler } = edgeOver(holding({}), {
      verify: () => {
        throw new Error("a defect")
      },
      accessLog: { record: ({ cause }) => causes.push(cause), flush: () => undefined }
    })
    const answered = await ask(handler, videoPath)
    expect([answered.status, answered.headers.get("access-control-allow-origin")]).toEqual([500, "*"])
    expect(JSON.stringify(answered.body)).not.toContain("a defect")
    expect(causes).toEqual([new Error("a defect")])
  })
})

describe("Reads that come together", () => {
  const counting = () => {
    const calls: Array<ReadonlyArray<Subject>> = []
    const tenants: Array<TenantId> = []
    const read: ReadProgress = async (tenantId, subjects) => {
      calls.push(subjects)
      tenants.push(tenantId)
      return subjects.map((subject) => ({ status: JSON.stringify({ status: "READY", duration: Number(subject.id) }), progress: null }))
    }
    return { calls, tenants, read }
  }
  const path = (id: number) => `/api/v1/media/videos/${id}/progress/`

  it("go out in one round trip, identical ones once, and each gets its own answer", async () => {
    const { calls, read } = counting()
    const { handler } = edgeOver(read, { defer: setImmediate })
    await ask(handler, path(1))
    const ids = [1, 2, 3, 2, 1, 2]
    const answers = await Promise.all(ids.map((id) => ask(handler, path(id))))
    expect(answers.map(({ body }) => body)).toEqual(ids.map((id) => expect.objectContaining({ id, duration: id })))
    expect(calls.slice(1).map((subjects) => subjects.map(({ id }) => id))).toEqual([[1, 2, 3]])
  })

  it("share a read that is on its way already", async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    let calls = 0
    const { handler } = edgeOver(async (_, subjects) => {
      calls += 1
      started.resolve()
      await promise
      return subjects.map(() => ({ status: `{"status":"READY"}`, progress: null }))
    })
    const first = ask(handler, videoPath)
    await started.promise
    const second = ask(handler, videoPath)
    // The second question is on its way when the first answer comes.
    await new Promise(setImmediate)
    resolve()
    expect([(await first).status, (await second).status, calls]).toEqual([200, 200, 1])
  })

  it("never mix tenants", async () => {
    const { calls, read, tenants } = counting()
    const { handler } = edgeOver(read, { defer: setImmediate })
    const foreign = { headers: { authorization: `Bearer ${foreignToken}` } }
    await Promise.all([ask(handler, path(1)), ask(handler, path(1), foreign)])
    await Promise.all([ask(handler, path(1)), ask(handler, path(1), foreign)])
    expect(tenants.slice(2).sort()).toEqual([7, 8])
    expect(calls.every((subjects) => subjects.length === 1)).toBe(true)
  })

  it("are at most 256 to a round trip", async () => {
    const { calls, read } = counting()
    const { handler } = edgeOver(read, { defer: setImmediate })
    await ask(handler, path(1))
    await Promise.all(Array.from({ length: 600 }, (_, index) => ask(handler, path(index + 1))))
    expect(calls.slice(1).map(({ length }) => length).sort((a, b) => b - a)).toEqual([256, 256, 88])
  })
})
