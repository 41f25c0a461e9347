/** What must not compile, and the exact failures of what does (DESIGN.md, 2.1 to 2.3). */
import {
  bestEffort,
  type ClaimedRun,
  type Committed,
  type IllegalTransition,
  type JobNotFound,
  JobRecorder,
  type JobRecord,
  type JobRun,
  type JobStore,
  type JobStoreUnavailable,
  type LeaseLost,
  type MirrorOutcome,
  ProgressMirror,
  type MirrorUnavailable,
  type MirrorWrite,
  type TickOutcome
} from "@lectern/domain"
import { TestDomain } from "@lectern/domain/testing"
import { type Effect, Layer, type Schema } from "effect"
import { describe, expectTypeOf, it } from "vitest"

declare const record: JobRecord
declare const receipt: Committed<JobRecord>
declare const mirror: ProgressMirror["Service"]
declare const recorder: JobRecorder["Service"]
declare const fromDatabase: Effect.Effect<MirrorWrite, JobStoreUnavailable>
declare const fromBoth: Effect.Effect<MirrorWrite, JobStoreUnavailable | MirrorUnavailable>
declare const fromMirror: Effect.Effect<MirrorWrite, MirrorUnavailable>
declare const written: Effect.Effect<JobRecord, JobStoreUnavailable>
declare const committed: Effect.Effect<Committed<JobRecord>, JobStoreUnavailable>

type ErrorOf<T> = T extends Effect.Effect<unknown, infer E, unknown> ? E : never

describe("the failures that are dropped", () => {
  it("are those of the mirror alone", () => {
    expectTypeOf(bestEffort(fromMirror)).toEqualTypeOf<Effect.Effect<MirrorOutcome>>()
    // @ts-expect-error a failure of the database is nobody's to drop
    void bestEffort(fromDatabase)
    // @ts-expect-error not in company either
    void bestEffort(fromBoth)
    // @ts-expect-error and not as a side effect of the skip
    void bestEffort(fromMirror, { onSkip: () => fromDatabase })
  })
})

describe("what is published", () => {
  it("was committed", () => {
    expectTypeOf(mirror.publish(receipt)).toEqualTypeOf<Effect.Effect<MirrorWrite, MirrorUnavailable>>()
    // @ts-expect-error a row is no receipt
    void mirror.publish(record)
    // @ts-expect-error nor for a tick
    void mirror.tick(record, { fraction: 0, remainingSeconds: null, tick: 1 })
    // @ts-expect-error nor for a repair
    void recorder.republish(record)
    // @ts-expect-error a write that answers with a row has not said that it is committed
    void recorder.commit(written)
    expectTypeOf(recorder.commit(committed)).toEqualTypeOf<Effect.Effect<JobRecord, JobStoreUnavailable>>()
  })

  it("cannot be forged or looked into by anybody else", () => {
    // @ts-expect-error a literal is no receipt
    const forged: Committed<JobRecord> = {}
    void forged
    // @ts-expect-error a receipt shows nothing of its record
    void receipt.job
    // @ts-expect-error and is none
    expectTypeOf(receipt).toExtend<JobRecord>()
    // @ts-expect-error what makes and opens receipts cannot be imported
    expectTypeOf<typeof import("@lectern/domain/internal/Committed.ts")>().toBeObject()
    expectTypeOf<Extract<keyof typeof import("@lectern/domain"), "open" | "mint" | "commit">>().toEqualTypeOf<never>()
    expectTypeOf<keyof typeof import("@lectern/domain/committed")>().toEqualTypeOf<"commit">()
  })
})

describe("the failures of the recorder", () => {
  it("are exactly those of the database and of the job itself", () => {
    expectTypeOf<ErrorOf<ReturnType<typeof recorder.claim>>>().toEqualTypeOf<JobNotFound | JobStoreUnavailable>()
    expectTypeOf<ErrorOf<ReturnType<typeof recorder.republish>>>().toEqualTypeOf<never>()
    expectTypeOf<ErrorOf<ReturnType<JobRun["record"]>>>().toEqualTypeOf<
      LeaseLost | IllegalTransition | JobNotFound | JobStoreUnavailable
    >()
    expectTypeOf<ErrorOf<ReturnType<JobRun["tick"]>>>().toEqualTypeOf<never>()
    expectTypeOf<ErrorOf<JobRun["heartbeat"]>>().toEqualTypeOf<LeaseLost | JobNotFound | JobStoreUnavailable>()
    expectTypeOf<ErrorOf<JobRun["current"]>>().toEqualTypeOf<never>()
  })

  it("stand beside exactly these answers", () => {
    expectTypeOf(recorder.claim).returns.toEqualTypeOf<Effect.Effect<ClaimedRun, JobNotFound | JobStoreUnavailable>>()
    expectTypeOf(recorder.republish).returns.toEqualTypeOf<Effect.Effect<MirrorOutcome>>()
    expectTypeOf<JobRun["tick"]>().returns.toEqualTypeOf<Effect.Effect<TickOutcome>>()
    expectTypeOf<JobRun["record"]>().returns.toEqualTypeOf<
      Effect.Effect<MirrorOutcome, LeaseLost | IllegalTransition | JobNotFound | JobStoreUnavailable>
    >()
    expectTypeOf<JobRun["current"]>().toEqualTypeOf<Effect.Effect<JobRecord>>()
    expectTypeOf<keyof JobRun>().toEqualTypeOf<"lease" | "current" | "record" | "tick" | "heartbeat">()
    expectTypeOf<keyof JobRecorder["Service"]>().toEqualTypeOf<"commit" | "claim" | "republish">()
  })
})

describe("the start of a worker", () => {
  const lazyMirror: Layer.Layer<ProgressMirror> = Layer.succeed(ProgressMirror, mirror)
  const eagerMirror: Layer.Layer<ProgressMirror, Schema.SchemaError> = lazyMirror

  it("has no failure of the mirror in its type", () => {
    expectTypeOf(JobRecorder.layer).toEqualTypeOf<Layer.Layer<JobRecorder, never, JobStore | ProgressMirror>>()
    expectTypeOf(Layer.provide(JobRecorder.layer, lazyMirror)).toEqualTypeOf<Layer.Layer<JobRecorder, never, JobStore>>()
    expectTypeOf(TestDomain.layer).toEqualTypeOf<Layer.Layer<TestDomain>>()
  })

  it("does not compile over a mirror that can fail at the start", () => {
    // @ts-expect-error a mirror that connects when it is built would keep a worker from starting
    const boot: Layer.Layer<JobRecorder, never, JobStore> = Layer.provide(JobRecorder.layer, eagerMirror)
    void boot
  })
})
