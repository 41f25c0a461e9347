/** DESIGN.md, 2.5: whatever the order in which values arrive, the mirror ends with the newest. */
import { assert, describe, it } from "@effect/vitest"
import {
  jobSubject,
  JobRecorder,
  JobStore,
  type MirrorWrite,
  newJobId,
  ProgressMirror,
  ProgressReader,
  type Subject,
  videoSubject
} from "@lectern/domain"
import { MirrorMemory } from "@lectern/domain/memory"
import { TestDomain } from "@lectern/domain/testing"
import { Effect, Layer, Ref } from "effect"
import { claimRun, createEncode, encodeCommands, school } from "./lives.ts"

type Write = Effect.Effect<MirrorWrite, unknown>


const permutations = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  items.length === 0
    ? [[]]
    : items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]))

const collect = Effect.gen(function*() {
  const mirror = yield* ProgressMirror
  const writes = yield* Ref.make<ReadonlyArray<Write>>([])
  const keep = (write: Write) => Effect.as(Ref.update(writes, (kept) => [...kept, write]), "Written" as const)
  const recorders = yield* Layer.build(
    Layer.fresh(JobRecorder.layer).pipe(
      Layer.provide(Layer.succeed(ProgressMirror, {
        publish: (receipt) => keep(mirror.publish(receipt)),
        tick: (receipt, tick) => keep(mirror.tick(receipt, tick)),
        ping: mirror.ping
      }))
    )
  )
  return { recorders, writes: Ref.get(writes) }
})

const shown = (subjects: ReadonlyArray<Subject>) =>
  Effect.flatMap(ProgressReader, (reader) => reader.read(school, subjects))

const replayAll = (writes: ReadonlyArray<Write>, subjects: ReadonlyArray<Subject>) =>
  Effect.gen(function*() {
    const memory = yield* MirrorMemory
    const replay = (order: ReadonlyArray<Write>) =>
      Effect.andThen(memory.flush, Effect.andThen(Effect.forEach(order, (write) => write), shown(subjects)))
    const expected = yield* replay(writes)
    const orders = permutations(writes)
    for (const order of orders) assert.deepStrictEqual(yield* replay(order), expected)
    return { expected, orders: orders.length }
  })

describe("the mirror ends with the newest value", () => {
  it.effect("in every order of the writes of two attempts and a tick of each", () =>
    Effect.gen(function*() {
      const { recorders, writes } = yield* collect
      const { jobId, videoId } = yield* createEncode("1강")
      const life = Effect.gen(function*() {
        const first = yield* claimRun(jobId)
        yield* first.record({ _tag: "Advance", step: "transcoding" })
        yield* first.tick({ fraction: 0.5, remainingSeconds: null })
        yield* Effect.yieldNow
        yield* first.record({ _tag: "Preempt", message: "reclaimed" })
        const second = yield* claimRun(jobId)
        yield* second.record({ _tag: "Advance", step: "probing" })
        yield* second.tick({ fraction: 0.5, remainingSeconds: null })
        yield* Effect.yieldNow
      })
      yield* Effect.provide(life, recorders)
      const subjects = [jobSubject(jobId), videoSubject(videoId)]
      const { expected, orders } = yield* replayAll(yield* writes, subjects)
      assert.strictEqual(orders, 5_040)
      assert.isTrue(expected.every(({ progress }) => progress?.includes("\"step\":\"probing\"") && progress.includes("\"tick\":1")))
    }).pipe(Effect.provide(TestDomain.layer), Effect.scoped), 60_000)

  it.effect("in every order of the writes of an encode that ended, its retry, and the deletion of the video", () =>
    Effect.gen(function*() {
      const { recorders, writes } = yield* collect
      const store = yield* JobStore
      const { jobId, videoId } = yield* createEncode("1강")
      const next = yield* newJobId
      const life = Effect.gen(function*() {
        const recorder = yield* JobRecorder
        const first = yield* claimRun(jobId)
        for (const command of encodeCommands.slice(-1)) yield* first.record(command)
        yield* recorder.commit(store.retryEncode(school, videoId, next))
        yield* claimRun(next)
        yield* recorder.commit(store.beginDelete(school, videoId))
      })
      yield* Effect.provide(life, recorders)
      const { expected, orders } = yield* replayAll(yield* writes, [videoSubject(videoId), jobSubject(jobId), jobSubject(next)])
      assert.strictEqual(orders, 120)
      assert.deepStrictEqual(expected.map(({ status }) => JSON.parse(status ?? "{}").status), ["FAILED", "DONE", "FAILED"])
      assert.isTrue(expected.every(({ progress }) => progress === null))
    }).pipe(Effect.provide(TestDomain.layer), Effect.scoped))

  it.effect("in every order of the writes up to a retry, so that nobody is shown yesterday's result", () =>
    Effect.gen(function*() {
      const { recorders, writes } = yield* collect
      const store = yield* JobStore
      const { jobId, videoId } = yield* createEncode("1강")
      const life = Effect.gen(function*() {
        const recorder = yield* JobRecorder
        const first = yield* claimRun(jobId)
        yield* first.record({ _tag: "Advance", step: "transcoding" })
        for (const command of encodeCommands.slice(-1)) yield* first.record(command)
        yield* recorder.commit(store.retryEncode(school, videoId, yield* newJobId))
      })
      yield* Effect.provide(life, recorders)
      const { expected } = yield* replayAll(yield* writes, [videoSubject(videoId)])
      assert.deepStrictEqual(expected.map(({ progress, status }) => [JSON.parse(status ?? "{}").status, progress]), [
        ["UPLOADED", null]
      ])
    }).pipe(Effect.provide(TestDomain.layer), Effect.scoped))
})

