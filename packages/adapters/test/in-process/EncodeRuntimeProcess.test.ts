import { assert, describe, it } from "@effect/vitest"
import { EncodeRuntime, JobId, type EncodeSubmission, TenantId } from "@lectern/domain"
import { temporaryFolder } from "@lectern/harness"
import { Context, Effect, Exit, Layer, Logger, References, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { randomUUID } from "node:crypto"
import { fileURLToPath } from "node:url"
import { EncodeRuntimeProcess, type EncodeRuntimeProcessOptions } from "../../src/in-process/index.ts"
import { encodeRuntimeSuite, jobThat, stateWhen } from "../conformance/EncodeRuntimeSuite.ts"
import { isAlive, report, when } from "./liveness.ts"

const program = fileURLToPath(new URL("fixtures/worker.ts", import.meta.url))

const options = (folder: string, more: Partial<EncodeRuntimeProcessOptions> = {}): EncodeRuntimeProcessOptions => ({
  command: process.execPath,
  args: [program],
  env: { REPORTS: folder },
  concurrency: 2,
  ...more
})

const job = (id: string): EncodeSubmission => ({ tenantId: TenantId.make(7), jobId: JobId.make(id), submission: 1 })

const withRuntime = (more: Partial<EncodeRuntimeProcessOptions> = {}) =>
  Layer.unwrap(Effect.map(temporaryFolder("runs"), (folder) => EncodeRuntimeProcess.layer(options(folder, more))))

encodeRuntimeSuite("Child processes", withRuntime())

describe("EncodeRuntimeProcess", () => {
  it.live("gives a run the container's environment and nothing else of ours", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder("runs")
      process.env["LECTERN_TEST_SECRET"] = "not for the worker"
      const ref = jobThat("exits-0")
      const runId = yield* Effect.gen(function*() {
        const runtime = yield* EncodeRuntime
        const id = yield* runtime.submit(ref)
        yield* stateWhen(id, "Ended")
        return id
      }).pipe(Effect.provide(EncodeRuntimeProcess.layer(options(folder))))
      delete process.env["LECTERN_TEST_SECRET"]
      const environment = yield* report(folder, `${ref.jobId}.env`, Schema.Record(Schema.String, Schema.String))
      assert.strictEqual(environment["VIDEO_JOB_ID"], ref.jobId)
      assert.strictEqual(environment["VIDEO_TENANT_ID"], "7")
      assert.strictEqual(environment["AWS_BATCH_JOB_ATTEMPT"], "1")
      assert.strictEqual(environment["AWS_BATCH_JOB_ID"], runId)
      const ours = new Set([
        "PATH",
        "HOME",
        "REPORTS",
        "VIDEO_JOB_ID",
        "VIDEO_TENANT_ID",
        "AWS_BATCH_JOB_ATTEMPT",
        "AWS_BATCH_JOB_ID"
      ])
      // The two that Node itself sets for a child with a channel, which it takes away again when it reads them.
      const nodes = new Set(["NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"])
      assert.deepStrictEqual(Object.keys(environment).filter((name) => !ours.has(name) && !nodes.has(name)), [])
    }))

  it.live("forwards every line of a run to the log, with the id of its job", () =>
    Effect.gen(function*() {
      const lines: Array<{ readonly text: string; readonly job: unknown }> = []
      const logger = Logger.make<unknown, void>(({ fiber, message }) => {
        const annotations = fiber.getRef(References.CurrentLogAnnotations)
        lines.push({ text: String(message), job: annotations["job"] })
      })
      const ref = jobThat("exits-0")
      yield* Effect.gen(function*() {
        const runtime = yield* EncodeRuntime
        yield* stateWhen(yield* runtime.submit(ref), "Ended")
      }).pipe(Effect.provide(Layer.provide(withRuntime(), Logger.layer([logger]))))
      assert.deepInclude(lines, { text: `line of ${ref.jobId}`, job: ref.jobId })
      assert.deepInclude(lines, { text: "a line of errors", job: ref.jobId })
    }))

  it.live("runs no more at once than it may, and the next when one has ended", () =>
    Effect.gen(function*() {
      const runtime = yield* EncodeRuntime
      const first = yield* runtime.submit(jobThat("waits"))
      const second = yield* runtime.submit(jobThat("exits-0"))
      yield* stateWhen(first, "Running")
      assert.strictEqual((yield* runtime.describe([second])).get(second)?._tag, "Waiting")
      yield* runtime.terminate(first, "make room")
      yield* stateWhen(second, "Ended")
    }).pipe(Effect.provide(withRuntime({ concurrency: 1 }))))

  it.live("refuses a submission beyond its room", () =>
    Effect.gen(function*() {
      const runtime = yield* EncodeRuntime
      yield* stateWhen(yield* runtime.submit(jobThat("waits")), "Running")
      const ref = jobThat("exits-0")
      const waiting = yield* runtime.submit(ref)
      const refusal = yield* Effect.flip(runtime.submit(jobThat("exits-0")))
      assert.deepInclude(refusal, { _tag: "EncodeRuntimeUnavailable", retryable: true })
      yield* runtime.terminate(waiting, "no longer wanted")
      assert.deepStrictEqual((yield* runtime.describe([waiting])).get(waiting), {
        _tag: "Ended",
        exitCode: null,
        reason: "no longer wanted"
      })
    }).pipe(Effect.provide(withRuntime({ concurrency: 1, maxWaiting: 1 }))))

  it.live("says of a run of an earlier process that it went with that, and nothing of one that was never started", () =>
    Effect.gen(function*() {
      const runtime = yield* EncodeRuntime
      const own = yield* runtime.submit(jobThat("exits-0"))
      const earlier = `process-${randomUUID()}-1`
      const future = own.replace(/-1$/, "-99")
      const states = yield* runtime.describe([earlier, future])
      assert.deepStrictEqual(states.get(earlier), { _tag: "Vanished", reason: "the machine was restarted" })
      assert.deepStrictEqual(states.get(future), { _tag: "Unknown" })
    }).pipe(Effect.provide(withRuntime())))

  it.live("forgets the exit codes of old runs, not that they have ended", () =>
    Effect.gen(function*() {
      const runtime = yield* EncodeRuntime
      const ids = yield* Effect.forEach([1, 2], () =>
        Effect.tap(runtime.submit(jobThat("exits-3")), (id) => stateWhen(id, "Ended")))
      const states = yield* runtime.describe(ids)
      const [old, recent] = ids.map((id) => states.get(id))
      assert.strictEqual(old?._tag === "Ended" ? old.exitCode : undefined, null)
      assert.strictEqual(recent?._tag === "Ended" ? recent.exitCode : undefined, 3)
    }).pipe(Effect.provide(withRuntime({ history: 1 }))))

  it.live("says so when the program cannot be started", () =>
    Effect.gen(function*() {
      const runtime = yield* EncodeRuntime
      const end = yield* stateWhen(yield* runtime.submit(jobThat("exits-0")), "Ended")
      assert.strictEqual(end?._tag === "Ended" ? end.exitCode : undefined, null)
      assert.include(end?._tag === "Ended" ? end.reason : "", "ENOENT")
    }).pipe(Effect.provide(withRuntime({ command: "/nowhere/at/all" }))))

  it.live("takes every run and all that the run has started down with its scope", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder("runs")
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(EncodeRuntimeProcess.layer(options(folder)), scope)
      yield* Context.get(context, EncodeRuntime).submit(job("family"))
      const pids = yield* report(folder, "family.pids", Schema.Struct({ child: Schema.Int, grandchild: Schema.Int }))
      assert.isTrue(isAlive(pids.child) && isAlive(pids.grandchild))
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(isAlive(pids.child))
      yield* when(() => !isAlive(pids.grandchild))
    }))

  it.effect("asks a terminated run to end, and kills it after half a minute", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder("runs")
      const live = TestClock.withLive
      yield* Effect.gen(function*() {
        const runtime = yield* EncodeRuntime
        const id = yield* runtime.submit(job("stubborn"))
        const { child } = yield* live(report(folder, "stubborn.pids", Schema.Struct({ child: Schema.Int })))
        yield* runtime.terminate(id, "too long")
        yield* live(report(folder, "stubborn.asked", Schema.Boolean))
        yield* TestClock.adjust("29 seconds")
        assert.isTrue(isAlive(child))
        yield* TestClock.adjust("1 seconds")
        assert.deepStrictEqual(yield* live(stateWhen(id, "Ended")), { _tag: "Ended", exitCode: 137, reason: "too long" })
      }).pipe(Effect.provide(EncodeRuntimeProcess.layer(options(folder))))
    }))
})
