/** The client against the endpoints that it is for: the real handler, over what the real mirror would hold. */
import type { StoredProgress, Subject } from "@lectern/domain"
import { describe, expect, it } from "vitest"
import { makeEdgeHandler } from "../../src/edge/index.ts"
import { createProgressClient } from "../../src/client/index.ts"
import { makeTokenVerifier, signToken } from "../../src/tokens/index.ts"
import { listener } from "./clientUnderTest.ts"
import { FakeClock } from "./FakeClock.ts"
import { FakePage } from "./FakePage.ts"

const secret = "the secret of the client's tests, long enough"
const verify = makeTokenVerifier({ secrets: [secret] })
const version = { revision: 3, attempt: 1 }
const nothing: StoredProgress = { status: null, progress: null }

/** The mirror's samples, one a second: `second` is since the start of the step. */
const step = (percent: number, second = percent, remaining = 30) =>
  JSON.stringify({
    step: "transcoding",
    percent,
    remaining_seconds: remaining,
    step_index: 4,
    step_total: 7,
    step_name: "transcoding",
    step_name_display: "인코딩",
    step_percent: 20,
    tick: second + 1,
    as_of: 1_000 * second,
    ...version
  })

/** An edge over a mirror of tenant 7, asked without a network. */
const edge = async (token?: string) => {
  const clock = new FakeClock()
  const mirror = new Map<string, StoredProgress>()
  const keyOf = (tenantId: number, { _tag, id }: Subject) => `${tenantId} ${_tag} ${id}`
  const handler = makeEdgeHandler({
    verify,
    read: async (tenantId, subjects) => subjects.map((subject) => mirror.get(keyOf(tenantId, subject)) ?? nothing)
  })
  let requests = 0
  /** Read while the clock stands still: a body is a stream, and takes turns of its own. */
  const answer = async (request: Request): Promise<Response> => {
    requests += 1
    const response = await handler(request)
    return response.status === 200 ? new Response(await response.text(), response) : response
  }
  const client = createProgressClient({
    baseUrl: "https://edge.school.example/",
    token: token ?? await signToken({ tenantId: 7, secret, expiresInSeconds: 60 }),
    fetch: (input, init) => clock.during(answer(new Request(input, init))),
    clock,
    page: new FakePage(),
    tabs: null
  })
  return { client, clock, mirror, requests: () => requests }
}

describe("The client at the edge", () => {
  it("follows a video from its upload to its end, over a loss of everything that Redis held", async () => {
    const { client, clock, mirror } = await edge()
    const { told, ...callbacks } = listener()
    const set = (status: string, progress: string | null = null, more: object = {}) =>
      mirror.set("7 Video 42", { status: JSON.stringify({ status, updated_at: 1, ...version, ...more }), progress })
    set("UPLOADED")
    client.watch({ video: 42 }, callbacks)
    await clock.advance(30_000)
    set("PROCESSING", step(57))
    await clock.advance(30_000)
    mirror.clear()
    await clock.advance(60_000)
    set("PROCESSING", step(58))
    await clock.advance(60_000)
    set("READY", null, { revision: 4, hls_path: "tenants/7/video/hls/42/master.m3u8", duration: 90 })
    await clock.advance(30_000)
    expect(told).toEqual(["UPLOADED 10", "PROCESSING 57", "PROCESSING 58", "READY 100", "succeeded"])
    expect(clock.pending).toBe(0)
  })

  it.each([
    ["as it asks for", (second: number) => 600 - second],
    ["though its estimate is wrong all the time", () => 20]
  ])("costs it at most 150 requests for a job of ten minutes, %s", async (_name, remainingAt) => {
    const { client, clock, mirror, requests } = await edge()
    const { told, ...callbacks } = listener()
    const status = (status: string, revision: number) => JSON.stringify({ status, updated_at: 0, attempt: 1, revision })
    client.watch({ video: 42 }, callbacks)
    for (let second = 0; second < 600; second += 1) {
      const percent = 5 + Math.floor(second * 0.15)
      mirror.set("7 Video 42", { status: status("PROCESSING", 3), progress: step(percent, second, remainingAt(second)) })
      await clock.advance(1_000)
    }
    mirror.set("7 Video 42", { status: status("READY", 4), progress: null })
    await clock.advance(7_000)
    expect(told.at(-1)).toBe("succeeded")
    expect(told.length).toBeGreaterThan(50)
    expect(requests()).toBeLessThanOrEqual(150)
  })

  it("ends a job that was done with an error as a failure", async () => {
    const { client, clock, mirror } = await edge()
    const status = {
      status: "DONE",
      job_type: "excel_import",
      error_message: "3행: 이름이 없습니다",
      result: { created: 2 },
      updated_at: 1
    }
    mirror.set("7 Job job 1/반", { status: JSON.stringify({ ...status, ...version }), progress: null })
    const watch = client.watch({ job: "job 1/반" })
    await clock.advance(1_000)
    expect((await watch.next()).value).toMatchObject({
      outcome: "failed",
      error: "3행: 이름이 없습니다",
      result: { created: 2 }
    })
  })

  it("ends with a typed error for a token that is none", async () => {
    const { client, clock } = await edge("no token")
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await clock.advance(1_000)
    expect(told).toEqual(["Unauthorized"])
  })
})
