import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import { EncodeRuntime, type EncodeRunState } from "./EncodeRuntime.ts"
import type { SystemCommand } from "./Job.ts"
import { type Dispatched, type DispatchFailure, JobDispatcher } from "./JobDispatcher.ts"
import { JobRecorder } from "./JobRecorder.ts"
import { type JobRef, JobStore, type JobStoreUnavailable } from "./JobStore.ts"
import { defaultMirrorTimeToLive } from "./ProgressMirror.ts"
import { RunHistory, sightingsOf } from "./RunHistory.ts"
import { VideoDeletion, type VideoDeletionFailure } from "./VideoDeletion.ts"

export interface SweeperOptions {
  /** How long a job that was put into a queue may wait unclaimed before it is sent again, in milliseconds. */
  readonly redispatchAfterMillis: number
  /** How many rows of each kind one sweep takes in hand. */
  readonly limit: number
}

export interface SweepReport {
  readonly expired: number
  /** Jobs that held, or waited for, a run that had ended. */
  readonly reaped: number
  readonly dispatched: number
  readonly deleted: number
  /** What could not be done now, as sentences; the next sweep tries again. */
  readonly failures: ReadonlyArray<string>
}

/**
 * Finds what stopped half-way and moves it on: leases that ended, encodes whose run is over, jobs that were never handed over,
 * deletions that were interrupted. Every decision is made again under the row's lock, so that sweeps of several processes may
 * overlap; those of one process take turns.
 */
export class Sweeper extends Context.Service<Sweeper, {
  readonly sweep: Effect.Effect<SweepReport, JobStoreUnavailable>
  /** Publishes again what a poller may be watching, for a mirror that was flushed or missed a write. Answers how many were. */
  readonly repairMirror: Effect.Effect<{ readonly looked: number; readonly published: number }, JobStoreUnavailable>
}>()("@lectern/domain/Sweeper") {
  static readonly layer = (
    options: SweeperOptions
  ): Layer.Layer<Sweeper, never, JobStore | JobRecorder | JobDispatcher | EncodeRuntime | RunHistory | VideoDeletion> =>
    Layer.effect(
      Sweeper,
      Effect.gen(function*() {
        const store = yield* JobStore
        const recorder = yield* JobRecorder
        const dispatcher = yield* JobDispatcher
        const runtime = yield* EncodeRuntime
        const deletion = yield* VideoDeletion
        const history = yield* RunHistory

        const turns = yield* Semaphore.make(1)

        /** One faulty row must not keep the others from being looked at, not even by a defect. */
        const attempt = <E extends { readonly message: string }>(
          failures: Array<string>,
          work: Effect.Effect<boolean, E>
        ): Effect.Effect<boolean> =>
          Effect.matchCauseEffect(work, {
            onSuccess: Effect.succeed,
            onFailure: (cause) => {
              const error = Cause.squash(cause)
              const message = error instanceof Error ? error.message : String(error)
              failures.push(message)
              return Effect.as(Effect.logWarning("The sweep could not move a row on", { error: message }), false)
            }
          })

        const intervene = Effect.fnUntraced(function*(ref: JobRef, command: SystemCommand) {
          const receipt = yield* store.intervene(ref, command)
          if (receipt === null) return false
          // As a write and not as a repair: a job that is given up here has nobody else to say so (INCIDENTS.md, 6).
          yield* recorder.commit(Effect.succeed(receipt))
          return true
        })

        /** What is known of the runs; nothing where they cannot be asked for (INCIDENTS.md, 16). */
        const statesOf = (runIds: ReadonlyArray<string>, failures: Array<string>) =>
          runIds.length === 0
            ? Effect.succeed<ReadonlyMap<string, EncodeRunState>>(new Map())
            : Effect.catchTag(runtime.describe(runIds), "EncodeRuntimeUnavailable", (error) => {
              failures.push(error.message)
              return Effect.as(
                Effect.logWarning("The sweep could not ask for the encodes", { error: error.message }),
                new Map<string, EncodeRunState>()
              )
            })

        const sweep = Effect.fn("Sweeper.sweep")(function*() {
          const failures: Array<string> = []
          const count = (done: ReadonlyArray<boolean>): number => done.filter(Boolean).length

          const expired = yield* Effect.forEach(yield* store.findExpired(options.limit), (row) =>
            attempt(failures, intervene(row, { _tag: "Expire", attempt: row.attempt, message: silent(row.attempt) })))

          const handedOver = yield* store.findDispatchedEncodes(options.limit)
          const states = yield* statesOf(handedOver.map((row) => row.externalId), failures)
          yield* attempt(failures, Effect.as(history.note(sightingsOf(handedOver, states)), true))
          // A run that waits for a machine, for hours maybe, is left alone (INCIDENTS.md, 18); so is one that is not
          // known: that it is gone takes more than one look (see `EncodeMisses`).
          const reaped = yield* Effect.forEach(handedOver, (row) => {
            const state = states.get(row.externalId)
            return state?._tag === "Ended" || state?._tag === "Vanished"
              ? attempt(failures, intervene(row, runEnded(row.externalId, state)))
              : Effect.succeed(false)
          })

          const waiting = yield* store.findUndispatched({
            olderThanMillis: options.redispatchAfterMillis,
            limit: options.limit
          })
          const dispatched = yield* Effect.forEach(waiting, (job) =>
            attempt(failures, Effect.map(
              dispatcher.dispatch(job) satisfies Effect.Effect<Dispatched, DispatchFailure>,
              (outcome) => outcome === "Dispatched"
            )))

          const deleted = yield* Effect.forEach(yield* store.findDeleting(options.limit), (record) =>
            attempt(failures, Effect.as(deletion.finish(record) satisfies Effect.Effect<void, VideoDeletionFailure>, true)))

          return {
            expired: count(expired),
            reaped: count(reaped),
            dispatched: count(dispatched),
            deleted: count(deleted),
            failures
          }
        })

        const repairMirror = Effect.fn("Sweeper.repairMirror")(function*() {
          const now = yield* Clock.currentTimeMillis
          const receipts = yield* store.findLive({
            changedSince: now - defaultMirrorTimeToLive.terminal * 1000,
            limit: 10_000
          })
          let published = 0
          for (const receipt of receipts) {
            if ((yield* recorder.republish(receipt)) === "Published") published += 1
          }
          return { looked: receipts.length, published }
        })

        return Sweeper.of({ sweep: turns.withPermits(1)(sweep()), repairMirror: repairMirror() })
      })
    )
}

const silent = (attempt: number): string => `작업 서버가 응답 없이 멈췄습니다 (시도 ${attempt}회)`

/** What the end of a run has to tell its job. */
export const runEnded = (
  runId: string,
  end: Extract<EncodeRunState, { readonly _tag: "Ended" | "Vanished" }>
): SystemCommand => ({ _tag: "RunEnded", runId, reason: end.reason, counted: end._tag === "Ended" })
