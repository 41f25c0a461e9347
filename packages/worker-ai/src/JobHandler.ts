import type { Effect, Schema } from "effect"
import type { IllegalTransition, JobNotFound, JobRun, LeaseLost, WorkerCommand } from "@lectern/domain"

/**
 * What a kind of job does once it is claimed.
 *
 * A handler ends with the command that ends its attempt, whatever happened; it fails only where the job is
 * no longer its own. It says `pulse` whenever it has
 * moved, which keeps its lease and its message; and `afterwards` runs when the last command is recorded, for what may only
 * happen then (a source file is deleted when its job is terminal, not before: INCIDENTS.md, 39).
 */
export interface JobHandler<R> {
  readonly handle: (
    run: JobRun,
    payload: Schema.Json,
    pulse: Effect.Effect<void>
  ) => Effect.Effect<HandlerEnd<R>, LeaseLost | JobNotFound | IllegalTransition, R>
}

export interface HandlerEnd<R> {
  readonly command: WorkerCommand
  readonly afterwards: Effect.Effect<void, never, R>
}
