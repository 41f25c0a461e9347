import { assert, describe, it } from "@effect/vitest"
import { bestEffort, mirrorPublished, mirrorSkipped, MirrorUnavailable, type MirrorWrite, type SkipReason } from "@lectern/domain"
import { Cause, Clock, Effect, Exit, Fiber, Metric, Ref } from "effect"
import { TestClock } from "effect/testing"

const unavailable = new MirrorUnavailable({ operation: "publish", cause: new Error("refused") })

const skippedFor = (reason: SkipReason) =>
  Effect.map(Metric.value(Metric.withAttributes(mirrorSkipped, { reason })), (state) => Number(state.count))
const published = Effect.map(Metric.value(mirrorPublished), (state) => Number(state.count))

/** What `bestEffort` made of a publication: its outcome, the milliseconds that it took, what it counted and what it told. */
const observe = (publish: Effect.Effect<MirrorWrite, MirrorUnavailable>, reason: SkipReason) =>
  Effect.gen(function*() {
    const before = { published: yield* published, skipped: yield* skippedFor(reason) }
    const told = yield* Ref.make<ReadonlyArray<SkipReason>>([])
    const startedAt = yield* Clock.currentTimeMillis
    const outcome = yield* bestEffort(publish, { onSkip: (skip) => Ref.update(told, (skips) => [...skips, skip]) })
    return {
      outcome,
      millis: (yield* Clock.currentTimeMillis) - startedAt,
      published: (yield* published) - before.published,
      skipped: (yield* skippedFor(reason)) - before.skipped,
      told: yield* Ref.get(told)
    }
  })

const skipped = (reason: SkipReason, millis = 0) => ({ outcome: "Skipped" as const, millis, published: 0, skipped: 1, told: [reason] })

describe("bestEffort", () => {
  it.effect("says and counts that a value was published", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* observe(Effect.succeed("Written"), "stale"), {
        outcome: "Published",
        millis: 0,
        published: 1,
        skipped: 0,
        told: []
      })
    }))

  it.effect("skips a value that is not newer than what the mirror holds", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* observe(Effect.succeed("Stale"), "stale"), skipped("stale"))
    }))

  it.effect("skips on a failure", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* observe(Effect.fail(unavailable), "unavailable"), skipped("unavailable"))
    }))

  it.effect("skips on a defect", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* observe(Effect.die(new Error("broken")), "defect"), skipped("defect"))
    }))

  it.effect("skips on a mirror that interrupts itself: nobody stopped the job", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* observe(Effect.interrupt, "defect"), skipped("defect"))
    }))

  it.effect("skips on a mirror whose own fiber was interrupted", () =>
    Effect.gen(function*() {
      const closed = yield* Effect.forkChild(Effect.never)
      yield* Fiber.interrupt(closed)
      assert.deepStrictEqual(yield* observe(Fiber.join(closed), "defect"), skipped("defect"))
    }))

  it.effect("waits no longer than its budget for a mirror that hangs", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(observe(Effect.never, "timeout"))
      yield* TestClock.adjust("249 millis")
      assert.strictEqual(fiber.pollUnsafe(), undefined)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* Fiber.join(fiber), skipped("timeout", 250))
    }))

  it.effect("waits no longer than its budget where nothing else can be interrupted", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Effect.uninterruptible(observe(Effect.never, "timeout")))
      yield* TestClock.adjust("250 millis")
      assert.deepStrictEqual(yield* Fiber.join(fiber), skipped("timeout", 250))
    }))

  it.effect("lets the job be interrupted while it waits for the mirror", () =>
    Effect.gen(function*() {
      const reached = yield* Ref.make(false)
      const fiber = yield* Effect.forkChild(Effect.andThen(bestEffort(Effect.never), Ref.set(reached, true)))
      yield* TestClock.adjust("100 millis")
      yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      assert.isFalse(yield* Ref.get(reached))
    }))

  it.effect("comes to its end in a region that must not be interrupted, and is interrupted after it", () =>
    Effect.gen(function*() {
      const inside = yield* Ref.make<string>("nothing")
      const after = yield* Ref.make(false)
      const fiber = yield* Effect.forkChild(
        Effect.uninterruptible(Effect.flatMap(bestEffort(Effect.never), (outcome) => Ref.set(inside, outcome))).pipe(
          Effect.andThen(Ref.set(after, true))
        )
      )
      yield* TestClock.adjust("100 millis")
      const stopping = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust("150 millis")
      yield* Fiber.join(stopping)
      assert.strictEqual(yield* Ref.get(inside), "Skipped")
      assert.isFalse(yield* Ref.get(after))
    }))
})
