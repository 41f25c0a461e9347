/** DESIGN.md, 2.4: every placement of mirror faults over the whole life of a job leaves the record as it is without faults. */
import { assert, describe, it } from "@effect/vitest"
import {
  isTerminal,
  jobSubject,
  JobStore,
  NewIds,
  ProgressReader,
  Sweeper,
  videoSubject,
  type JobId,
  type VideoId,
  type WorkerCommand
} from "@lectern/domain"
import { EncodeRuns, type Fault, Faults, TestDomain } from "@lectern/domain/testing"
import { type Duration, Effect, Exit, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { claimRun, createEncode, createImport, encodeCommands, importCommands, live, school, work } from "./lives.ts"

/** Only a life that hangs takes as long: half a minute of work, on a machine that is shared by many. */
const hangMillis = 600_000

const mirrorFaults = ["ok", "refused", "timeout", "hang", "defect"] as const satisfies ReadonlyArray<Fault>

/** All words of a length over an alphabet. */
const words = <A>(alphabet: ReadonlyArray<A>, length: number): ReadonlyArray<ReadonlyArray<A>> =>
  length === 0 ? [[]] : words(alphabet, length - 1).flatMap((word) => alphabet.map((letter) => [...word, letter]))

/** The same ids in every world, so that their rows can be compared. */
const sameIds = Layer.sync(NewIds, () => {
  let last = 0
  return { uuid: Effect.sync(() => `00000000-0000-4000-8000-${String(last += 1).padStart(12, "0")}`) }
})

const inAWorldOfItsOwn = <A, E>(life: Effect.Effect<A, E, Layer.Success<typeof TestDomain.layer>>) =>
  Effect.provide(life, Layer.merge(TestDomain.layer, sameIds), { local: true })

/** Runs many lives at once, each in its own world, and lets time pass until all have ended. */
const runAll = <A, E>(
  lives: ReadonlyArray<Effect.Effect<A, E, Layer.Success<typeof TestDomain.layer>>>,
  time: Duration.Input
) =>
  Effect.gen(function*() {
    const results: Array<Exit.Exit<A, E>> = []
    // In portions: each world holds memory until its life has ended.
    for (let start = 0; start < lives.length; start += 250) {
      const fibers = yield* Effect.forEach(
        lives.slice(start, start + 250),
        (life) => Effect.forkChild(inAWorldOfItsOwn(life))
      )
      yield* TestClock.adjust(time)
      results.push(...(yield* Effect.forEach(fibers, Fiber.await)))
    }
    return results
  })

/** What a life leaves behind: its rows without the times, which mirror faults may shift, and what the mirror shows at the end. */
const remains = (jobId: JobId, videoId: VideoId | null) =>
  Effect.gen(function*() {
    const store = yield* JobStore
    const reader = yield* ProgressReader
    const { job, video } = yield* store.getJob(school, jobId)
    const mirror = yield* reader.read(school, [jobSubject(jobId), ...(videoId === null ? [] : [videoSubject(videoId)])])
    const timeless = { createdAt: 0, updatedAt: 0, runAfter: 0, leaseUntil: null }
    return { job: { ...job, ...timeless }, video: video === null ? null : { ...video, ...timeless }, mirror }
  })

type Life = (script: ReadonlyArray<Fault>) => Effect.Effect<
  {
    readonly remains: Effect.Success<ReturnType<typeof remains>>
    readonly outcomes: ReadonlyArray<string>
    readonly taken: number
    readonly last: string
  },
  unknown,
  Layer.Success<typeof TestDomain.layer>
>

const lifeOf = (
  kind: "encode" | "import",
  commands: ReadonlyArray<WorkerCommand>,
  run: (jobId: JobId, commands: ReadonlyArray<WorkerCommand>) => ReturnType<typeof live<unknown, never>>
): Life =>
(script) =>
  Effect.gen(function*() {
    const faults = yield* Faults
    const { jobId, videoId } = kind === "encode"
      ? yield* createEncode("1강")
      : { jobId: yield* createImport("import-1"), videoId: null }
    yield* faults.forget
    yield* faults.mirror(script)
    const outcomes = yield* run(jobId, commands)
    const calls = (yield* faults.calls).filter((call) => call.method.startsWith("ProgressMirror"))
    const left = yield* faults.left("mirror")
    return {
      remains: yield* faults.aside(remains(jobId, videoId)),
      outcomes,
      taken: script.length - left,
      last: calls.at(-1)?.outcome ?? "none"
    }
  })

const recordsOnly = (kind: "encode" | "import", commands: ReadonlyArray<WorkerCommand>): Life =>
  lifeOf(kind, commands, (jobId, said) => live(jobId, said, () => work))

/** Two ticks inside a step: one with all the time to go wrong, one that is still on its way when the job ends. */
const ticksToo: Life = lifeOf("encode", encodeCommands, (jobId) =>
  Effect.gen(function*() {
    const run = yield* claimRun(jobId)
    yield* work
    const outcomes = [yield* run.record({ _tag: "Advance", step: "transcoding" })]
    yield* work
    yield* run.tick({ fraction: 0.2, remainingSeconds: 10 })
    yield* work
    yield* run.tick({ fraction: 0.4, remainingSeconds: 5 })
    yield* Effect.yieldNow
    for (const command of encodeCommands.slice(-1)) outcomes.push(yield* run.record(command))
    return outcomes
  }))

const check = Effect.fnUntraced(function*(life: Life, length: number, mirrorWrites: number) {
  const scripts = words(mirrorFaults, length)
  assert.strictEqual(scripts.length, 5 ** length)
  const [reference, ...results] = yield* runAll([[], ...scripts].map(life), "10 minutes")
  if (reference === undefined || Exit.isFailure(reference)) return assert.fail("The life without faults did not end")
  const expected = reference.value
  assert.deepStrictEqual([expected.remains.job.status, expected.last], ["DONE", "ok"])
  assert.strictEqual(length, mirrorWrites, "the script is as long as the life")

  let ended = 0
  for (const [index, result] of results.entries()) {
    const script = scripts[index] ?? []
    if (Exit.isFailure(result)) return assert.fail(`A life under [${script.join(", ")}] failed: ${String(result.cause)}`)
    const { remains: left, outcomes, last } = result.value
    assert.deepStrictEqual(left.job, expected.remains.job, script.join(", "))
    assert.deepStrictEqual(left.video, expected.remains.video, script.join(", "))
    assert.strictEqual(outcomes.length, expected.outcomes.length)
    assert.strictEqual(outcomes.at(-1) === "Published", last === "ok", script.join(", "))
    if (last === "ok") {
      ended += 1
      const statuses = left.mirror.map(({ status }) => JSON.parse(status ?? "{}").status)
      assert.deepStrictEqual(statuses, left.video === null ? ["DONE"] : ["DONE", "READY"], script.join(", "))
      assert.isTrue(left.mirror.every(({ progress }) => progress === null), script.join(", "))
    }
  }
  // A fifth of all placements leave the last write alone.
  assert.strictEqual(ended, 5 ** (length - 1))
  return results.filter(Exit.isSuccess).filter((result) => result.value.taken === length).length
})

describe("one whole life under every placement of mirror faults", () => {
  it.effect("an encode: 15,625 placements over its six writes", () =>
    Effect.gen(function*() {
      const used = yield* check(recordsOnly("encode", encodeCommands), 6, 1 + encodeCommands.length)
      assert.strictEqual(used, 5 ** 6, "each write takes its fault, whatever befell those before")
    }), hangMillis)

  it.effect("an import: 3,125 placements over its five writes", () =>
    Effect.gen(function*() {
      const used = yield* check(recordsOnly("import", importCommands), 5, 1 + importCommands.length)
      assert.strictEqual(used, 5 ** 5)
    }), hangMillis)

  it.effect("an encode with ticks: 3,125 placements over its three writes and two ticks", () =>
    Effect.gen(function*() {
      const used = yield* check(ticksToo, 5, 5)
      assert.strictEqual(used, 5 ** 5)
    }), hangMillis)
})

const storeFaults = ["refused", "broken", "timeout", "lost", "hang", "defect"] as const satisfies ReadonlyArray<Fault>

/** One run after the other in a container of its own, until the job has ended: what Batch and the sweep do hour by hour. */
const untilEnded = (jobId: JobId) =>
  Effect.gen(function*() {
    const faults = yield* Faults
    const store = yield* JobStore
    const sweeper = yield* Sweeper
    const runs = yield* EncodeRuns
    for (let run = 1; run <= 24; run += 1) {
      yield* Effect.exit(Effect.timeoutOption(sweeper.sweep, "10 minutes"))
      for (const { externalId, state } of yield* runs.all) {
        if (state._tag !== "Waiting") continue
        yield* runs.become(externalId, { _tag: "Running" })
        // A container that hangs is killed by its time limit.
        yield* Effect.exit(Effect.timeoutOption(live(jobId, encodeCommands, () => work), "3 hours"))
        yield* runs.become(externalId, { _tag: "Ended", exitCode: 0, reason: "exit" })
      }
      if (isTerminal((yield* faults.aside(store.getJob(school, jobId))).job.status)) return run
      yield* Effect.sleep("61 minutes")
    }
    return null
  })

const lifeUnderStoreFaults = (script: ReadonlyArray<Fault>) =>
  Effect.gen(function*() {
    const faults = yield* Faults
    const store = yield* JobStore
    const reader = yield* ProgressReader
    const sweeper = yield* Sweeper
    const { jobId, videoId } = yield* createEncode("1강")
    yield* sweeper.sweep
    yield* faults.store(script)
    const rounds = yield* untilEnded(jobId)
    const left = yield* faults.left("store")
    yield* faults.forget
    yield* sweeper.repairMirror
    const { job, video } = yield* store.getJob(school, jobId)
    const mirror = yield* reader.read(school, [videoSubject(videoId)])
    return { left, rounds, job, video, shown: JSON.parse(mirror[0]?.status ?? "{}").status }
  })

describe("one whole life under faults of the database", () => {
  /** What a run without faults asks: the four questions of the sweep before it, its claim, and its five commands. */
  const calls = 4 + 1 + encodeCommands.length
  const placements = storeFaults.flatMap((first) =>
    Array.from({ length: calls }, (_, at) => [...Array<Fault>(at).fill("ok"), first])
      .flatMap((single) => [
        single,
        ...storeFaults.flatMap((second) =>
          Array.from({ length: calls - single.length }, (_, gap) => [...single, ...Array<Fault>(gap).fill("ok"), second]))
      ]))

  it.effect("ends right, by itself or by the sweep, under every single fault and every pair", () =>
    Effect.gen(function*() {
      assert.strictEqual(placements.length, 6 * 10 + 45 * 36)
      const results = yield* runAll(placements.map(lifeUnderStoreFaults), "5 days")
      const needed = new Set<number>()
      let taken = 0
      for (const [index, result] of results.entries()) {
        const placement = placements[index] ?? []
        const script = `under [${placement.join(", ")}]`
        if (Exit.isFailure(result)) return assert.fail(`A life ${script} failed: ${String(result.cause)}`)
        const { left, rounds, job, video, shown } = result.value
        if (left === 0) taken += 1
        assert.isNotNull(rounds, script)
        assert.deepStrictEqual([job.status, video?.status, shown], ["DONE", "READY", "READY"], script)
        // No fault counts for more than one failure, and a lost answer to a command that is said again for none.
        assert.isAtMost(job.failures, placement.filter((fault) => fault !== "ok").length, script)
        assert.strictEqual(job.attempt, job.failures + 1, script)
        if (rounds !== null) needed.add(rounds)
      }
      // Some needed no help, and some needed more than one more run.
      assert.isTrue(needed.has(1) && needed.size >= 3)
      // A fault that shortens a sweep leaves the job fewer calls than the script is long, and few scripts are cut so.
      assert.isAbove(taken, placements.length * 0.8)
    }), hangMillis)

  it.effect("counts no failure when every answer of the database is lost once", () =>
    Effect.gen(function*() {
      const alternating = encodeCommands.flatMap((): ReadonlyArray<Fault> => ["lost", "ok"])
      const [result] = yield* runAll([lifeUnderStoreFaults(["ok", "ok", "ok", "ok", "ok", ...alternating])], "5 days")
      if (result === undefined || Exit.isFailure(result)) return assert.fail("The life did not end")
      assert.deepInclude(result.value, { rounds: 1, left: 0 })
      assert.deepInclude(result.value.job, { status: "DONE", attempt: 1, failures: 0 })
    }))
})
