import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { MirrorUnavailable, MirrorWrite } from "./ProgressMirror.ts"

export type MirrorOutcome = "Published" | "Skipped"

/** Values that the mirror took. */
export const mirrorPublished = Metric.counter("lectern_mirror_published_total", {
  description: "Values that the progress mirror took",
  incremental: true
})

/** Values that the mirror did not take, by reason: `unavailable`, `timeout`, `stale`, `defect`, `open`. */
export const mirrorSkipped = Metric.counter("lectern_mirror_skipped_total", {
  description: "Values that the progress mirror did not take",
  incremental: true
})

export type SkipReason = "unavailable" | "timeout" | "stale" | "defect" | "open"

export const countSkip = (reason: SkipReason): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(mirrorSkipped, { reason }), 1)

/** How long a job waits for its mirror at most. */
export const defaultMirrorBudget: Duration.Input = "250 millis"

/**
 * Turns whatever a mirror does (success, failure, defect, silence) into `"Published"` or `"Skipped"`, within `budget`.
 *
 * The one place in the repository where a typed failure is dropped. It takes effects that fail with `MirrorUnavailable` alone:
 * a database effect passed here does not compile.
 */
export const bestEffort: {
  <R>(
    publish: Effect.Effect<MirrorWrite, MirrorUnavailable, R>,
    options?: {
      readonly budget?: Duration.Input
      readonly onSkip?: (reason: SkipReason) => Effect.Effect<void>
    }
  ): Effect.Effect<MirrorOutcome, never, R>
} = (publish, options) => {
  const skip = (reason: SkipReason, detail?: unknown): Effect.Effect<MirrorOutcome> =>
    countSkip(reason).pipe(
      Effect.andThen(
        reason === "stale"
          ? Effect.logDebug("The progress mirror holds something newer")
          : Effect.logWarning("The progress mirror was skipped", { reason, ...describe(detail) })
      ),
      Effect.andThen(options?.onSkip === undefined ? Effect.void : options.onSkip(reason)),
      Effect.as<MirrorOutcome>("Skipped")
    )
  return Effect.interruptible(publish).pipe(
    Effect.timeoutOption(options?.budget ?? defaultMirrorBudget),
    Effect.matchCauseEffect({
      onSuccess: (written): Effect.Effect<MirrorOutcome> =>
        written._tag === "None"
          ? skip("timeout")
          : written.value === "Stale"
          ? skip("stale")
          : Effect.as(Metric.update(mirrorPublished, 1), "Published"),
      onFailure: (cause): Effect.Effect<MirrorOutcome> =>
        // A fiber that is interrupted itself passes this handler by. So an interruption that is seen here is the mirror's own (a
        // connection that was closed under it), or one that has to wait for the end of an uninterruptible region.
        skip(Cause.hasFails(cause) && !Cause.hasDies(cause) ? "unavailable" : "defect", Cause.squash(cause))
    })
  )
}

const describe = (detail: unknown): { readonly error?: string } =>
  detail === undefined ? {} : { error: detail instanceof Error ? `${detail.name}: ${detail.message}` : String(detail) }
