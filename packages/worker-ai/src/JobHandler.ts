import type { IllegalTransition, JobNotFound, JobRun, LeaseLost, QueuedKind, WorkerCommand } from "@lectern/domain"
import { Effect } from "effect"
import type { Schema } from "effect"

/**
 * What a kind of job does once it is claimed.
 *
 * A handler ends with the command that ends its attempt, whatever happened; it fails only where the job is no longer
 * its own. It says `pulse` whenever it has moved, which keeps its lease and its message; and `afterwards` runs when
 * the last command is recorded, for what may only happen then (a source file is deleted when its job is terminal, not
 * before: INCIDENTS.md, 39).
 */
export interface JobHandler<R = never> {
  /** What an attempt may hold in memory at its highest, in MiB: a consumer starts what its budget has room for. */
  readonly memoryMiB: number
  readonly handle: (
    run: JobRun,
    payload: Schema.Json,
    pulse: Effect.Effect<void>
  ) => Effect.Effect<HandlerEnd<R>, LeaseLost | JobNotFound | IllegalTransition, R>
}

export interface HandlerEnd<R = never> {
  readonly command: WorkerCommand
  readonly afterwards: Effect.Effect<void, never, R>
}

/** What a worker can do: a kind that is not here is for other workers. */
export type Handlers<R = never> = { readonly [K in QueuedKind]?: JobHandler<R> }

/** A handler that has what it needs, so that handlers of different needs stand beside each other. */
export const withServices = <R>(handler: JobHandler<R>): Effect.Effect<JobHandler, never, R> =>
  Effect.map(Effect.context<R>(), (context) => ({
    memoryMiB: handler.memoryMiB,
    handle: (run, payload, pulse) =>
      handler.handle(run, payload, pulse).pipe(
        Effect.map((end) => ({ command: end.command, afterwards: Effect.provideContext(end.afterwards, context) })),
        Effect.provideContext(context)
      )
  }))
