import type {
  IllegalTransition,
  JobNotFound,
  JobRun,
  JobStoreUnavailable,
  LeaseLost,
  Sample,
  VideoStepName
} from "@lectern/domain"
import { Effect } from "effect"

/** Why a step cannot be recorded. */
export type RecordFailure = IllegalTransition | JobNotFound | JobStoreUnavailable | LeaseLost

/** How a run says that it moves. */
export interface StepProgress {
  /** Records the next step. */
  readonly begin: (step: VideoStepName) => Effect.Effect<void, RecordFailure>
  /** The step has come so far: renews the lease, and shows it. */
  readonly moved: (sample: Sample) => Effect.Effect<void>
  /** Something moved that the step does not count: renews the lease, and shows again how far the step is. */
  readonly movedAgain: Effect.Effect<void>
}

/** The progress of a claimed run, whose lease `pulse` renews. */
export const stepProgress = (run: JobRun, pulse: Effect.Effect<void>): StepProgress => {
  // `null` between two steps: what is known of the one is not shown as the other's.
  let latest: Sample | null = null
  const movedAgain = Effect.suspend(() =>
    latest === null ? pulse : Effect.asVoid(Effect.andThen(pulse, run.tick(latest)))
  )
  return {
    begin: (step) =>
      Effect.suspend(() => {
        latest = null
        return Effect.asVoid(run.record({ _tag: "Advance", step }))
      }),
    moved: (sample) =>
      Effect.suspend(() => {
        latest = sample
        return movedAgain
      }),
    movedAgain
  }
}
