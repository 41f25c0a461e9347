import * as Layer from "effect/Layer"
import { type EncodeArray, oneContainer } from "../EncodeArray.ts"
import type { EncodeRuntime } from "../EncodeRuntime.ts"
import { defaultJobPolicy, type JobPolicy } from "../Job.ts"
import { JobDispatcher } from "../JobDispatcher.ts"
import type { JobQueue } from "../JobQueue.ts"
import { JobRecorder, type JobRecorderOptions } from "../JobRecorder.ts"
import type { JobStore } from "../JobStore.ts"
import { JobStoreMemory, MessageLedgerMemory, type MirrorMemory, ProgressMirrorMemory, RunHistoryMemory } from "../memory/index.ts"
import type { MessageLedger } from "../MessageLedger.ts"
import type { ObjectStore } from "../ObjectStore.ts"
import type { ProgressMirror } from "../ProgressMirror.ts"
import type { ProgressReader } from "../ProgressReader.ts"
import type { RunHistory } from "../RunHistory.ts"
import type { StudentStore } from "../Student.ts"
import { Sweeper, type SweeperOptions } from "../Sweeper.ts"
import { VideoDeletion } from "../VideoDeletion.ts"
import * as EncodeRuntimeMemory from "./EncodeRuntimeMemory.ts"
import { Faults } from "./Faults.ts"
import {
  faultyEncodeRuntime,
  faultyJobQueue,
  faultyJobStore,
  faultyMessageLedger,
  faultyObjectStore,
  faultyProgressMirror,
  faultyProgressReader,
  faultyStudentStore
} from "./FaultyPorts.ts"
import * as JobQueueMemory from "./JobQueueMemory.ts"
import * as ObjectStoreMemory from "./ObjectStoreMemory.ts"
import * as StudentStoreMemory from "../memory/StudentStoreMemory.ts"

/** Everything that `TestDomain` provides. */
export type TestDomain =
  | EncodeRuntime
  | EncodeRuntimeMemory.EncodeRuns
  | Faults
  | JobDispatcher
  | JobQueue
  | JobQueueMemory.QueueContents
  | JobRecorder
  | JobStore
  | MessageLedger
  | MirrorMemory
  | ObjectStore
  | ProgressMirror
  | ProgressReader
  | RunHistory
  | StudentStore
  | Sweeper
  | VideoDeletion

export interface TestDomainOptions {
  readonly policy?: JobPolicy
  readonly recorder?: Partial<JobRecorderOptions>
  readonly sweeper?: Partial<SweeperOptions>
  readonly array?: EncodeArray
}

const layerWith = (options: TestDomainOptions): Layer.Layer<TestDomain> => {
  const ports = Layer.mergeAll(
    faultyJobStore,
    faultyStudentStore,
    faultyMessageLedger,
    faultyProgressMirror,
    faultyProgressReader,
    faultyJobQueue,
    faultyEncodeRuntime,
    faultyObjectStore
  ).pipe(
    Layer.provideMerge(Layer.merge(StudentStoreMemory.layer, MessageLedgerMemory.layer)),
    Layer.provideMerge(RunHistoryMemory.layer),
    Layer.provideMerge(Layer.mergeAll(
      Faults.layer,
      JobStoreMemory.layerWith(options.policy ?? defaultJobPolicy),
      ProgressMirrorMemory.layer,
      JobQueueMemory.layer,
      EncodeRuntimeMemory.layer,
      ObjectStoreMemory.layer
    ))
  )
  return Sweeper.layer({ redispatchAfterMillis: 60_000, limit: 100, ...options.sweeper }).pipe(
    Layer.provideMerge(VideoDeletion.layer),
    Layer.provideMerge(Layer.merge(
      JobRecorder.layerWith(options.recorder ?? {}),
      JobDispatcher.layerWith(options.array ?? oneContainer)
    )),
    Layer.provideMerge(ports)
  )
}

/**
 * The whole domain in memory, for testing code that uses it: the real recorder, dispatcher, deletion and sweeper over ports that
 * hold everything in memory and fail on demand.
 *
 * Time is the `Clock`'s: under `it.effect` nothing moves until the test moves it. Every build of the layer is a world of its own.
 * Besides the ports there are `Faults` (what fails, and what was called), `MirrorMemory` (flush it), `EncodeRuns` (what was
 * submitted, and what became of it) and `QueueContents`.
 *
 * **Example** (an import that ends, though the mirror answers nothing and the database once)
 *
 * ```ts
 * import { JobId, JobRecorder, JobStore, TenantId } from "@lectern/domain"
 * import { Faults, TestDomain } from "@lectern/domain/testing"
 * import { assert, it } from "@effect/vitest"
 * import { Effect, Fiber } from "effect"
 * import { TestClock } from "effect/testing"
 *
 * it.effect("an import ends whatever the mirror does", () =>
 *   Effect.gen(function*() {
 *     const faults = yield* Faults
 *     const recorder = yield* JobRecorder
 *     const store = yield* JobStore
 *     const tenant = TenantId.make(1)
 *     const id = JobId.make("import-1")
 *     yield* recorder.commit(store.createJob(tenant, { id, kind: "student_import", payload: {} }))
 *
 *     yield* faults.mirror(["refused", "hang", "defect"])
 *     yield* faults.store(["ok", "lost"])
 *     const fiber = yield* Effect.forkChild(Effect.gen(function*() {
 *       const claimed = yield* recorder.claim(tenant, id, { owner: "me", leaseMillis: 60_000 })
 *       if (claimed._tag !== "Claimed") return claimed._tag
 *       yield* claimed.run.record({ _tag: "Advance", step: "creating" })
 *       return yield* claimed.run.record({ _tag: "Succeed", result: { created: 3 } })
 *     }))
 *     yield* TestClock.adjust("10 seconds")
 *
 *     assert.strictEqual(yield* Fiber.join(fiber), "Skipped")
 *     const { job } = yield* faults.aside(store.getJob(tenant, id))
 *     assert.strictEqual(job.status, "DONE")
 *     assert.deepStrictEqual((yield* faults.calls).slice(2), [
 *       { method: "JobStore.claim", outcome: "ok" },
 *       { method: "ProgressMirror.publish", outcome: "refused" },
 *       { method: "JobStore.transition", outcome: "lost" },
 *       { method: "JobStore.transition", outcome: "ok" },
 *       { method: "ProgressMirror.publish", outcome: "hang" },
 *       { method: "JobStore.transition", outcome: "ok" },
 *       { method: "ProgressMirror.publish", outcome: "defect" }
 *     ])
 *   }).pipe(Effect.provide(TestDomain.layer)))
 * ```
 */
export const TestDomain: {
  readonly layer: Layer.Layer<TestDomain>
  readonly layerWith: (options: TestDomainOptions) => Layer.Layer<TestDomain>
} = { layer: layerWith({}), layerWith }
