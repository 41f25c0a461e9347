import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Schema } from "effect"
import * as fc from "fast-check"
import { partOf, pieceOf, reported, type StepReport } from "../../src/encoder/StepReport.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

/** What is told of work that reports these fractions. */
const told = (fractions: ReadonlyArray<number>, shape: (report: StepReport) => StepReport = (report) => report) =>
  Effect.gen(function* () {
    const heard: Array<number> = []
    yield* reported(
      (fraction) => Effect.sync(() => void heard.push(fraction)),
      (report) => Effect.forEach(fractions, shape(report), { discard: true })
    )
    return heard
  })

describe("a step that says how much of it is done", () => {
  it.effect("begins with 0, ends with 1, and never falls, whatever its work says", () =>
    Effect.promise(() =>
      fc.assert(fc.asyncProperty(fc.array(fc.double({ min: -1, max: 2 })), async (fractions) => {
        const heard = await Effect.runPromise(told(fractions))
        assert.strictEqual(heard.at(0), 0)
        assert.strictEqual(heard.at(-1), 1)
        assert.deepStrictEqual(heard, [...new Set(heard)].toSorted((a, b) => a - b))
      }))
    ))

  it.effect("is told of in thousandths, however many files it reads", () =>
    Effect.gen(function* () {
      const files = 24_000
      const heard = yield* told(Array.from({ length: files }, (_, index) => index / files))
      assert.lengthOf(heard, 1_001)
      assert.deepStrictEqual(heard.slice(0, 3), [0, 0.001, 0.002])
    }))

  it.effect("is one whole of its parts and pieces", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* told([0.5, 1, 7], (report) => partOf(report, 0.2, 0.6)), [0, 0.4, 0.6, 1])
      assert.deepStrictEqual(yield* told([0, 0.5], (report) => pieceOf(report, 2, 4)), [0, 0.5, 0.625, 1])
    }))

  it.effect("ends at once where nobody wants to hear of it any more, and fails with that", () =>
    Effect.gen(function* () {
      const stopped = yield* Deferred.make<void>()
      const failure = yield* Effect.flip(reported(
        (fraction) => (fraction === 0 ? Effect.void : Effect.fail(new Refused())),
        (report) =>
          Effect.andThen(report(0.5), Effect.never).pipe(Effect.onInterrupt(() => Deferred.succeed(stopped, undefined)))
      ))
      assert.instanceOf(failure, Refused)
      assert.isTrue(yield* Deferred.isDone(stopped))
    }))

  it.effect("fails as its work does, and does not say that it is done", () =>
    Effect.gen(function* () {
      const heard: Array<number> = []
      const failure = yield* Effect.flip(reported(
        (fraction) => Effect.sync(() => void heard.push(fraction)),
        (report) => Effect.andThen(report(0.5), new Refused())
      ))
      assert.instanceOf(failure, Refused)
      assert.deepStrictEqual(heard, [0, 0.5])
    }))
})
