import { describe, expect, it } from "vitest"
import { movingPause, pollPause } from "../../src/edge/pollPause.ts"
import { ask, edgeOver, holding, jobPath, videoPath } from "./edgeSubject.ts"

const status = { status: "PROCESSING", updated_at: 1_000_000, revision: 5, attempt: 1 }
const progress = {
  step: "transcoding",
  percent: 50,
  remaining_seconds: 300,
  step_index: 4,
  step_total: 7,
  step_name: "transcoding",
  step_name_display: "인코딩",
  step_percent: 0,
  tick: 3,
  as_of: 1_060_000,
  revision: 5,
  attempt: 1
}

/** The tag of another answer, and without its quotes. */
const tag1 = "1-5.1"

const answerTo = (
  stored: { readonly status: unknown; readonly progress?: unknown },
  path = videoPath,
  headers: Record<string, string> = {}
) =>
  ask(
    edgeOver(holding({
      status: JSON.stringify(stored.status),
      progress: stored.progress === undefined ? null : JSON.stringify(stored.progress)
    })).handler,
    path,
    { headers }
  )

describe("What an answer says beside the contract", () => {
  it("is when it was true, when silence becomes suspicious, of which revision and attempt it is, and when to ask again", async () => {
    const moving = { asOf: 1_060_000, staleAfter: 1_120_000, revision: 5, attempt: 1, nextPollMs: 6_000 }
    const video = await answerTo({ status, progress })
    expect(video.body).toMatchObject(moving)
    expect(video.headers.get("retry-after")).toBe("6")
    expect((await answerTo({ status: { ...status, status: "RUNNING" }, progress }, jobPath)).body).toMatchObject(moving)
  })

  it("is the revision of a progress that is newer than its status", async () => {
    const { body } = await answerTo({ status, progress: { ...progress, revision: 6, attempt: 2 } })
    expect(body).toMatchObject({ revision: 6, attempt: 2 })
  })

  it("is when it was last changed where nobody is at work yet", async () => {
    for (const [path, waiting] of [[videoPath, "UPLOADED"], [jobPath, "RETRYING"]] as const) {
      const { body } = await answerTo({ status: { ...status, status: waiting }, progress }, path)
      expect(body).toMatchObject({ asOf: 1_000_000, staleAfter: 1_900_000, nextPollMs: pollPause.waiting })
    }
  })

  it("is, at the end, that there is nothing to wait for", async () => {
    for (const [path, end] of [[videoPath, "READY"], [videoPath, "FAILED"], [jobPath, "DONE"], [jobPath, "FALLBACK_TO_GPU"]] as const) {
      const { body, headers } = await answerTo({ status: { ...status, status: end } }, path)
      expect(body).toMatchObject({ asOf: 1_000_000, staleAfter: null, nextPollMs: null })
      expect(headers.get("retry-after")).toBeNull()
    }
  })

  it("is only when to ask again where the writer kept no versions, and where nothing is known", async () => {
    for (const path of [videoPath, jobPath]) {
      for (const old of [{ status: "PENDING" }, null]) {
        const { body, headers } = await answerTo({ status: old }, path)
        expect(body).toHaveProperty("nextPollMs", 3_000)
        for (const field of ["asOf", "staleAfter", "attempt", "revision"]) expect(body).not.toHaveProperty(field)
        expect([headers.get("etag"), headers.get("retry-after")]).toEqual([null, "3"])
      }
    }
  })
})

describe("The pause before the next question", () => {
  const value = (fields: Partial<Parameters<typeof movingPause>[0]> = {}) => ({
    percent: 50,
    step: "transcoding",
    remainingSeconds: null,
    drawn: { index: 4, total: 7, name: "a", display: "b", percent: 25 },
    tick: 1,
    asOf: 100_000,
    version: null,
    ...fields
  })

  for (
    const [what, progress, stepStartedAt, millis] of [
      ["a hundredth of what remains", value({ remainingSeconds: 250 }), 0, 5_000],
      ["half of what remains, near the end", value({ percent: 99, remainingSeconds: 6 }), 0, 3_000],
      ["a second, where it goes fast", value({ remainingSeconds: 0 }), 0, 1_000],
      ["ten seconds, where it goes slowly", value({ remainingSeconds: 90_000 }), 0, 10_000],
      ["a hundredth of the step at its speed so far, where what remains is unknown", value(), 0, 4_000],
      ["two seconds, where no speed is known", value(), null, pollPause.unmeasured],
      ["two seconds, where clocks disagree", value(), 200_000, pollPause.unmeasured],
      ["two seconds, where the step has not begun", value({ drawn: null }), 0, pollPause.unmeasured],
      ["two seconds, where there is no progress", null, 0, pollPause.unmeasured]
    ] as const
  ) {
    it(`is ${what}`, () => {
      expect(movingPause(progress, stepStartedAt)).toBe(millis)
    })
  }

  for (const knowsRemaining of [true, false]) {
    it(`makes at most 150 questions of ten minutes, ${knowsRemaining ? "with" : "without"} a remaining time`, () => {
      const total = 600_000
      let questions = 0
      for (let now = 0; now < total;) {
        questions += 1
        const part = now / total
        now += movingPause(
          value({
            percent: 50 + Math.floor(35 * part),
            remainingSeconds: knowsRemaining ? Math.round((total - now) / 1_000) : null,
            drawn: { index: 4, total: 7, name: "a", display: "b", percent: Math.floor(100 * part) },
            asOf: now
          }),
          0
        )
      }
      expect(questions).toBeLessThanOrEqual(150)
      expect(questions).toBeGreaterThan(40)
    })
  }
})

describe("An answer's tag", () => {
  const tagOf = async (stored: Parameters<typeof answerTo>[0], path = videoPath) =>
    (await answerTo(stored, path)).headers.get("etag")

  it("is strong, the same for the same values, and another for every newer one", async () => {
    const tags = await Promise.all([
      tagOf({ status }),
      tagOf({ status: { ...status, revision: 6 } }),
      tagOf({ status: { ...status, attempt: 2 } }),
      tagOf({ status, progress }),
      tagOf({ status, progress: { ...progress, tick: 4 } }),
      tagOf({ status, progress: { ...progress, as_of: 1_060_001 } }),
      tagOf({ status, progress: { ...progress, revision: 6 } })
    ])
    expect(new Set(tags).size).toBe(tags.length)
    for (const tag of tags) expect(tag).toMatch(/^"[0-9a-z.-]+"$/)
    expect(await tagOf({ status, progress })).toBe(tags[3])
    // A leftover is not shown, and so makes no other answer.
    expect(await tagOf({ status, progress: { ...progress, revision: 4 } })).toBe(tags[0])
  })

  it("is missing where a part of the answer has no version", async () => {
    expect(await tagOf({ status, progress: { ...progress, tick: "3" } })).toBeNull()
    expect(await tagOf({ status: { status: "PROCESSING" }, progress })).toBeNull()
  })

  it("that the client has makes a 304 without a body, with what a page needs to ask again", async () => {
    const tag = (await tagOf({ status, progress })) ?? ""
    for (const sent of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
      const { body, headers, status: code } = await answerTo({ status, progress }, videoPath, { "if-none-match": sent })
      expect([code, body, headers.get("etag"), headers.get("retry-after"), headers.get("access-control-allow-origin")])
        .toEqual([304, null, tag, "6", "*"])
    }
  })

  it("that is another's, or that is none, makes the whole answer", async () => {
    for (const sent of ["", `"1-4.1"`, tag1, ",,,", `"${"x".repeat(7_000)}"`, "\t"]) {
      expect((await answerTo({ status, progress }, videoPath, { "if-none-match": sent })).status).toBe(200)
    }
    // UNKNOWN may change at any time: nobody has it already.
    expect((await answerTo({ status: null }, videoPath, { "if-none-match": "*" })).status).toBe(200)
  })
})

