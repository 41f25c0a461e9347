import { assert, describe, it } from "@effect/vitest"
import { holdLease, JobStore, longestDeafnessMillis } from "@lectern/domain"
import { Faults, TestDomain } from "@lectern/domain/testing"
import { Effect, Fiber, Ref } from "effect"
import { TestClock } from "effect/testing"
import { claimRun, createImport, school, worker } from "./lives.ts"

const lease = worker.leaseMillis

const heartbeats = Effect.gen(function*() {
  const faults = yield* Faults
  return (yield* faults.calls).filter(({ method }) => method === "JobStore.heartbeat").length
})

describe("work under a lease", () => {
  it.effect("renews a short one four times at most, however often it moves", () =>
    Effect.gen(function*() {
      const short = 12_000
      const run = yield* claimRun(yield* createImport("import-1"))
      const fiber = yield* Effect.forkChild(holdLease(run, short, (pulse) =>
        Effect.forEach(Array.from({ length: 60 }), () => Effect.andThen(Effect.sleep(short / 60), pulse), { discard: true })))
      yield* TestClock.adjust(short)
      yield* Fiber.join(fiber)
      assert.strictEqual(yield* heartbeats, 4)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("does not renew it while it stands still", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const run = yield* claimRun(yield* createImport("import-1"))
      const fiber = yield* Effect.forkChild(holdLease(run, lease, () => Effect.never))
      yield* TestClock.adjust(lease)
      assert.strictEqual(yield* heartbeats, 0)
      assert.lengthOf(yield* store.findExpired(10), 1)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("is interrupted when the lease is lost", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const run = yield* claimRun(yield* createImport("import-1"))
      const ended = yield* Ref.make(false)
      const fiber = yield* Effect.forkChild(Effect.flip(holdLease(run, lease, (pulse) =>
        Effect.forever(Effect.andThen(Effect.sleep("1 minute"), pulse)).pipe(Effect.ensuring(Ref.set(ended, true))))))
      yield* TestClock.adjust("10 minutes")
      yield* store.intervene({ tenantId: school, jobId: run.lease.jobId }, { _tag: "Cancel", message: "deleted" })
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "LeaseLost")
      assert.isTrue(yield* Ref.get(ended))
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("hears of a cancellation within five seconds, however long its lease is", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const run = yield* claimRun(yield* createImport("import-1"))
      const fiber = yield* Effect.forkChild(Effect.flip(holdLease(run, lease, (pulse) =>
        Effect.forever(Effect.andThen(Effect.sleep("1 second"), pulse)))))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* heartbeats, 12)
      yield* store.intervene({ tenantId: school, jobId: run.lease.jobId }, { _tag: "Cancel", message: "deleted" })
      yield* TestClock.adjust(longestDeafnessMillis)
      assert.isAtMost(longestDeafnessMillis, 5_000)
      assert.strictEqual(fiber.pollUnsafe()?._tag, "Success")
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("goes on over a heartbeat that the database did not take, and sends the next", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const store = yield* JobStore
      const run = yield* claimRun(yield* createImport("import-1"))
      yield* faults.store(["refused", "hang", "ok"])
      const fiber = yield* Effect.forkChild(holdLease(run, lease, (pulse) =>
        Effect.forEach(Array.from({ length: 60 }), () => Effect.andThen(Effect.sleep(lease / 60), pulse), { discard: true })))
      yield* TestClock.adjust(lease * 2)
      yield* Fiber.join(fiber)
      const outcomes = (yield* faults.calls).filter(({ method }) => method === "JobStore.heartbeat").map(({ outcome }) => outcome)
      assert.deepStrictEqual(outcomes.slice(0, 3), ["refused", "hang", "ok"])
      assert.lengthOf(yield* store.findExpired(10), 0)
    }).pipe(Effect.provide(TestDomain.layer)))
})
