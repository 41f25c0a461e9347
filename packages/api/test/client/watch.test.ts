import { describe, expect, it } from "vitest"
import { ProgressWatchError, type Subject } from "../../src/client/index.ts"
import { allOf, clientUnderTest, listener } from "./clientUnderTest.ts"
import { settle } from "./FakeClock.ts"
import { json, unknown, video } from "./ScriptedServer.ts"

const job = (status: string, more: object = {}) => () =>
  json({ job_id: "j", job_type: "excel_import", status, progress: null, error_message: null, ...more })

const refused = (status: number, detail: string, code: string) => () => json({ detail, code }, { status })

describe("A watch", () => {
  it("tells each change once, the end exactly once, and asks no more", async () => {
    const { client, clock, server } = clientUnderTest([
      () => video("UPLOADED"),
      () => video("PROCESSING", 50),
      () => video("PROCESSING", 50),
      () => video("READY", null, { hls_path: "a/master.m3u8", duration: 90 })
    ])
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await clock.advance(600_000)
    expect(told).toEqual(["UPLOADED 10", "PROCESSING 50", "READY 100", "succeeded"])
    expect(server.paths).toEqual(Array.from({ length: 4 }, () => "/api/v1/media/videos/42/progress/"))
    expect(server.asked[0]?.headers.get("authorization")).toBe("Bearer a token")
    expect(clock.pending).toBe(0)
  })

  it("is iterated up to its end, and over after it", async () => {
    const { client, clock } = clientUnderTest([
      () => video("PROCESSING", 50),
      () => video("FAILED", null, { error_reason: "손상된 파일" })
    ])
    const watch = client.watch({ video: 42 })
    const all = allOf(watch)
    await clock.advance(5_000)
    expect((await all).map(({ error, outcome, percent }) => ({ error, outcome, percent }))).toEqual([
      { error: null, outcome: "running", percent: 50 },
      { error: "손상된 파일", outcome: "failed", percent: 50 }
    ])
    expect(await watch.next()).toEqual({ done: true, value: undefined })
  })

  it("gives a slow reader the latest and never loses the end", async () => {
    const { client, clock } = clientUnderTest([
      () => video("PROCESSING", 10),
      () => video("PROCESSING", 20),
      () => video("READY")
    ])
    const watch = client.watch({ video: 42 })
    await clock.advance(1_500)
    expect((await watch.next()).value?.percent).toBe(20)
    await clock.advance(10_000)
    expect((await watch.next()).value?.status).toBe("READY")
    expect((await watch.next()).done).toBe(true)
  })

  it.each([
    ["by its signal", (stop: AbortController) => stop.abort()],
    ["by return()", (_: AbortController, watch: { readonly return: () => Promise<unknown> }) => watch.return()],
    ["by stop()", (_: AbortController, watch: { readonly stop: () => void }) => watch.stop()]
  ])("that is stopped %s holds nothing, asks nothing, tells nothing, and lets its readers go", async (_name, end) => {
    const { client, clock, page, server } = clientUnderTest([() => video("PROCESSING", 5), () => video("READY")])
    const { told, ...callbacks } = listener()
    const controller = new AbortController()
    const watch = client.watch({ video: 42 }, { ...callbacks, signal: controller.signal })
    await settle()
    await watch.next()
    const reading = [watch.next(), watch.next()]
    void end(controller, watch)
    expect((await Promise.all(reading)).map(({ done }) => done)).toEqual([true, true])
    await clock.advance(60_000)
    expect(told).toEqual(["PROCESSING 5"])
    expect([server.asked.length, clock.pending, page.listeners]).toEqual([1, 0, 0])
  })

  it("that was stopped before its start asks nothing", async () => {
    const { client, clock, server } = clientUnderTest([() => video("READY")])
    expect(await allOf(client.watch({ video: 42 }, { signal: AbortSignal.abort() }))).toEqual([])
    await clock.advance(60_000)
    expect(server.asked).toEqual([])
  })

  it("aborts the request that is on its way when it is stopped", async () => {
    const { client, clock, server } = clientUnderTest([() => new Promise<Response>(() => undefined)])
    const watch = client.watch({ video: 42 })
    await settle()
    watch.stop()
    await settle()
    expect([server.asked[0]?.signal.aborted, clock.pending]).toEqual([true, 0])
  })

  it("goes on for the others when one of its callbacks throws, and the fault is not hidden", async () => {
    const { client, clock } = clientUnderTest([() => video("READY")])
    const { told, ...callbacks } = listener()
    const thrown = new Promise((resolve) => {
      const before = process.listeners("uncaughtException")
      process.removeAllListeners("uncaughtException")
      process.once("uncaughtException", (cause) => {
        for (const each of before) process.on("uncaughtException", each)
        resolve(cause)
      })
    })
    const fault = new Error("a fault of the page")
    client.watch({ video: 42 }, {
      onProgress: () => {
        throw fault
      },
      onTerminal: () => void told.push("the end of the first")
    })
    client.watch({ video: 42 }, callbacks)
    await clock.advance(1_000)
    expect(await thrown).toBe(fault)
    expect(told).toEqual(["the end of the first", "READY 100", "succeeded"])
  })
})

describe("The end of a subject", () => {
  it.each<[string, Subject, () => Response, object]>([
    ["READY", { video: 42 }, () => video("READY"), { outcome: "succeeded", error: null, percent: 100 }],
    [
      "FAILED of a video",
      { video: 42 },
      () => video("FAILED", null, { error_reason: "x" }),
      { outcome: "failed", error: "x" }
    ],
    [
      "DONE",
      { job: "j" },
      job("DONE", { result: { created: 3 } }),
      { outcome: "succeeded", result: { created: 3 }, percent: 100 }
    ],
    [
      "DONE with an empty error",
      { job: "j" },
      job("DONE", { error_message: "" }),
      { outcome: "succeeded", error: null }
    ],
    ["DONE with an error", { job: "j" }, job("DONE", { error_message: "3행" }), { outcome: "failed", error: "3행" }],
    ["FAILED", { job: "j" }, job("FAILED", { error_message: "x" }), { outcome: "failed", error: "x" }],
    ["FAILED without a reason", { job: "j" }, job("FAILED"), { outcome: "failed", error: null }],
    ["REJECTED_BAD_INPUT", { job: "j" }, job("REJECTED_BAD_INPUT"), { outcome: "failed" }],
    [
      "FALLBACK_TO_GPU",
      { job: "j" },
      job("FALLBACK_TO_GPU", { result: { job_id: "k" } }),
      { outcome: "failed", result: { job_id: "k" } }
    ],
    ["REVIEW_REQUIRED", { job: "j" }, job("REVIEW_REQUIRED"), { outcome: "failed" }]
  ])("is %s", async (_name, subject, reply, expected) => {
    const { client, clock } = clientUnderTest([reply])
    const all = allOf(client.watch(subject))
    await clock.advance(60_000)
    expect(await all).toMatchObject([expected])
  })

  it.each<[string, Subject, () => Response]>([
    ["PENDING", { video: 42 }, () => video("PENDING")],
    ["ARCHIVING", { video: 42 }, () => video("ARCHIVING", 70)],
    ["DONE of a video", { video: 42 }, () => video("DONE")],
    ["PENDING of a job", { job: "j" }, job("PENDING")],
    ["VALIDATING", { job: "j" }, job("VALIDATING")],
    ["RUNNING", { job: "j" }, job("RUNNING", { error_message: "not yet" })],
    ["RETRYING", { job: "j" }, job("RETRYING", { error_message: "Spot" })],
    ["READY of a job", { job: "j" }, job("READY")]
  ])("is not %s", async (_name, subject, reply) => {
    const { client, clock, server } = clientUnderTest([reply])
    const { told, ...callbacks } = listener()
    const watch = client.watch(subject, callbacks)
    await clock.advance(60_000)
    expect(server.asked.length).toBeGreaterThan(5)
    expect(told).toHaveLength(1)
    watch.stop()
  })
})

describe("What is shown", () => {
  it("is clamped as the first poller clamps it, with the step that has all four fields", async () => {
    const step = {
      encoding_step_index: 7,
      encoding_step_total: 7,
      encoding_step_name: "업로드",
      encoding_step_percent: 40
    }
    const { client, clock } = clientUnderTest([
      () => video("PROCESSING", 0),
      () => video("PROCESSING", 100, step),
      () => video("PROCESSING", 100, { ...step, encoding_step_total: null, encoding_remaining_seconds: 9 })
    ])
    const watch = client.watch({ video: 42 })
    const first = await watch.next()
    await clock.advance(1_000)
    const second = await watch.next()
    await clock.advance(1_000)
    const third = await watch.next()
    watch.stop()
    expect([first, second, third].map(({ value }) => [value?.percent, value?.step, value?.remainingSeconds])).toEqual([
      [1, null, null],
      [99, { index: 7, total: 7, name: "업로드", percent: 40 }, null],
      [99, null, 9]
    ])
  })

  it("of a job is its percent and the display name of its step", async () => {
    const progress = {
      step: "parsing",
      percent: 30,
      step_index: 2,
      step_total: 4,
      step_name: "parsing",
      step_name_display: "파싱",
      step_percent: 50
    }
    const { client } = clientUnderTest([job("RUNNING", { progress })])
    const watch = client.watch({ job: "반/1" })
    expect((await watch.next()).value).toMatchObject({
      percent: 30,
      step: { index: 2, total: 4, name: "파싱", percent: 50 },
      body: { job_type: "excel_import" }
    })
    watch.stop()
  })
})

describe("A refusal", () => {
  it.each([
    [400, "BadSubject"],
    [401, "Unauthorized"],
    [403, "Forbidden"]
  ])("with %s ends the watch with a typed error", async (status, reason) => {
    const { client, clock, page, server } = clientUnderTest([
      () => video("PROCESSING", 3),
      refused(status, "no such right", "a_code")
    ])
    const { told, ...callbacks } = listener()
    const watch = client.watch({ video: 42 }, callbacks)
    await clock.advance(120_000)
    expect(told).toEqual(["PROCESSING 3", reason])
    expect([server.asked.length, clock.pending, page.listeners]).toEqual([2, 0, 0])
    expect((await watch.next()).value?.percent).toBe(3)
    const thrown: unknown = await watch.next().catch((cause: unknown) => cause)
    expect(thrown).toBeInstanceOf(ProgressWatchError)
    expect(thrown).toMatchObject({ reason, code: "a_code", message: "Cannot watch video:42: no such right" })
    expect((await watch.next()).done).toBe(true)
  })

  it("of an id that has no address is told without a request", async () => {
    const { client, clock, server } = clientUnderTest([() => video("READY")])
    const { told, ...callbacks } = listener()
    for (const subject of [
      { video: 0 },
      { video: 1.5 },
      { video: NaN },
      { job: "" },
      { job: ".." },
      { job: "x".repeat(65) },
      { job: "\ud800" }
    ]) {
      client.watch(subject, callbacks)
    }
    await clock.advance(1_000)
    expect(told).toEqual(Array.from({ length: 7 }, () => "BadSubject"))
    expect(server.asked).toEqual([])
  })

  it("of the detail ends the watch when the database has no such subject", async () => {
    const { client, clock, server } = clientUnderTest([
      unknown,
      unknown,
      unknown,
      refused(404, "There is no such video", "video_not_found")
    ])
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await clock.advance(120_000)
    expect(told).toEqual(["NotFound"])
    expect(server.paths.at(-1)).toBe("/api/v1/media/videos/42/")
    expect(server.asked).toHaveLength(4)
  })

  it("of a path that has no details does not end the watch", async () => {
    const { client, clock } = clientUnderTest([
      unknown,
      unknown,
      unknown,
      refused(404, "There is no such path", "no_such_path"),
      () => video("READY")
    ])
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await clock.advance(10_000)
    expect(told).toEqual(["READY 100", "succeeded"])
  })

  it("of the detail to a narrow token does not end the watch", async () => {
    const { client, clock } = clientUnderTest([
      unknown,
      unknown,
      unknown,
      refused(403, "A watch token", "narrow"),
      () => video("READY")
    ])
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await clock.advance(10_000)
    expect(told).toEqual(["READY 100", "succeeded"])
  })
})
