import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { ProgressView } from "../src/ApiClient.ts"
import type { BarState, ProgressBoard } from "../src/ProgressBoard.ts"
import { videoEnds, type WatchedEnd, watchJob } from "../src/watchJob.ts"

const view = (status: string, percent: number | null = null, error: string | null = null): ProgressView => ({
  status,
  percent,
  step: null,
  remainingSeconds: null,
  error
})

const scene = (answers: ReadonlyArray<ProgressView>, detail: WatchedEnd) => {
  const drawn: Array<BarState> = []
  const board: ProgressBoard = { update: (_label, state) => drawn.push(state), above: () => {}, finish: () => {} }
  let polls = 0
  let details = 0
  const run = watchJob(board, {
    label: "video",
    ...videoEnds,
    progress: Effect.sync(() => answers[Math.min(polls++, answers.length - 1)] ?? view("UNKNOWN")),
    detail: Effect.sync(() => {
      details += 1
      return detail
    })
  })
  return { drawn, run, counts: () => ({ polls, details }) }
}

const runFor = <A, E>(effect: Effect.Effect<A, E>, seconds: number) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect)
    yield* TestClock.adjust(`${seconds} seconds`)
    return yield* Fiber.join(fiber)
  })

describe("watchJob", () => {
  it.effect("polls the progress endpoint alone while it knows", () =>
    Effect.gen(function*() {
      const { counts, drawn, run } = scene([view("UPLOADED"), view("PROCESSING", 50), view("READY")], {
        status: "unused",
        error: null
      })
      const end = yield* runFor(run, 10)
      assert.strictEqual(end.status, "READY")
      assert.deepStrictEqual(counts(), { polls: 3, details: 0 })
      assert.deepStrictEqual(drawn.map((state) => state.percent), [0, 50, 100])
    }))

  it.effect("shows an unknown progress as unknown, and learns of the end from the detail endpoint", () =>
    Effect.gen(function*() {
      const { counts, drawn, run } = scene([view("UNKNOWN")], { status: "READY", error: null })
      const end = yield* runFor(run, 10)
      assert.strictEqual(end.status, "READY")
      assert.deepStrictEqual(counts(), { polls: 3, details: 1 })
      assert.strictEqual(drawn[0]?.percent, null)
      assert.match(drawn[0]?.note ?? "", /unknown/)
    }))

  it.effect("takes a failure for a failure", () =>
    Effect.gen(function*() {
      const { drawn, run } = scene([view("FAILED", null, "원본이 손상되었습니다")], { status: "x", error: null })
      assert.strictEqual((yield* runFor(run, 1)).status, "FAILED")
      assert.strictEqual(drawn.at(-1)?.end, "bad")
    }))

  it.effect("never lets the bar fall", () =>
    Effect.gen(function*() {
      const { drawn, run } = scene([view("PROCESSING", 60), view("PROCESSING", 25), view("READY")], {
        status: "x",
        error: null
      })
      yield* runFor(run, 10)
      assert.deepStrictEqual(drawn.map((state) => state.percent), [60, 60, 100])
    }))
})
