import { Deferred, Effect } from "effect"

/** Hears how much of a piece of work is done, 0 to 1. */
export type StepReport = (fraction: number) => Effect.Effect<void>

/** For work that nobody follows. */
export const unheard: StepReport = () => Effect.void

/** The report of a piece of work that is a part of another: from `from` to `to` of it. */
export const partOf = (report: StepReport, from: number, to: number): StepReport => (fraction) =>
  report(from + (to - from) * Math.min(1, Math.max(0, fraction)))

/** The report of the `index`-th of so many pieces of equal size. */
export const pieceOf = (report: StepReport, index: number, pieces: number): StepReport =>
  partOf(report, index / pieces, (index + 1) / pieces)

/** A step that takes minutes is heard of several times a second, and a short one not at every file. */
const grains = 1_000

/**
 * Runs the work of a step and tells `onProgress` how much of it is done: 0 before, 1 after, in between a thousandth at
 * the least, and never less than before. A failure of `onProgress` ends the work at once and is the step's failure.
 */
export const reported = <A, E, R, E2, R2>(
  onProgress: (fraction: number) => Effect.Effect<void, E2, R2>,
  work: (report: StepReport) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | E2, R | R2> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<R2>()
    const refused = yield* Deferred.make<never, E2>()
    let told = 0
    const report: StepReport = (fraction) => {
      const grain = Math.floor(fraction * grains)
      if (grain <= told || grain >= grains) return Effect.void
      told = grain
      return onProgress(grain / grains).pipe(
        Effect.provideContext(context),
        Effect.catchCause((cause) => Deferred.failCause(refused, cause)),
        Effect.asVoid
      )
    }
    yield* onProgress(0)
    const done = yield* Effect.raceFirst(work(report), Deferred.await(refused))
    yield* onProgress(1)
    return done
  })
