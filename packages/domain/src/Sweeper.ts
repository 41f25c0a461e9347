import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import { EncodeRuntime, type EncodeRuntimeUnavailable, type EncodeRunState } from "./EncodeRuntime.ts"
import { isActive } from "./Job.ts"
import { type DispatchFailure, JobDispatcher } from "./JobDispatcher.ts"
import { JobRecorder } from "./JobRecorder.ts"
import { type JobRef, JobStore, type JobStoreUnavailable, type Undispatched } from "./JobStore.ts"
import { defaultMirrorTimeToLive } from "./ProgressMirror.ts"
import { VideoDeletion, type VideoDeletionFailure } from "./VideoDeletion.ts"

export interface SweeperOptions {
  /** How long a job that was handed over may wait unclaimed before it is handed over again, in milliseconds. */
  readonly redispatchAfterMillis: number
  /** How many rows of each kind one sweep takes in hand. */
  readonly limit: number
}

export interface SweepReport {
  readonly expired: number
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
  ): Layer.Layer<Sweeper, never, JobStore | JobRecorder | JobDispatcher | EncodeRuntime | VideoDeletion> =>
    Layer.effect(
      Sweeper,
      Effect.gen(function*() {
        const store = yield* JobStore
        const recorder = yield* JobRecorder
        const dispatcher = yield* JobDispatcher
        const runtime = yield* EncodeRuntime
        const deletion = yield* VideoDeletion

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

        const end = Effect.fnUntraced(function*(
          row: JobRef & { readonly attempt: number },
          message: string,
          force: boolean
        ) {
          const receipt = yield* store.intervene(row, { _tag: "Expire", attempt: row.attempt, message, force })
          if (receipt === null) return false
          // As a write and not as a repair: a job that is given up here has nobody else to say so (INCIDENTS.md, 6).
          yield* recorder.commit(Effect.succeed(receipt))
          return true
        })

        /** Takes an encode from a run that has ended, if that is the run that holds it: it may have been handed over twice. */
        const reap = Effect.fnUntraced(function*(
          row: JobRef & { readonly attempt: number; readonly externalId: string },
          reason: string
        ) {
          const { job } = yield* store.getJob(row.tenantId, row.jobId)
          return job.leaseOwner === row.externalId && (yield* end(row, `작업 서버가 종료되었습니다: ${reason}`, true))
        })

        const sweep = Effect.fn("Sweeper.sweep")(function*() {
          const failures: Array<string> = []
          const count = (done: ReadonlyArray<boolean>): number => done.filter(Boolean).length

          const expired = yield* Effect.forEach(yield* store.findExpired(options.limit), (row) =>
            attempt(failures, end(row, `작업 서버가 응답 없이 멈췄습니다 (시도 ${row.attempt}회)`, false)))

          const handedOver = yield* store.findDispatchedEncodes(options.limit)
          /** `null`: nothing is known of any run. */
          const states: ReadonlyMap<string, EncodeRunState> | null = handedOver.length === 0
            ? new Map<string, EncodeRunState>()
            : yield* runtime.describe(handedOver.map((row) => row.externalId)).pipe(
              Effect.catchTag("EncodeRuntimeUnavailable", (error: EncodeRuntimeUnavailable) => {
                failures.push(error.message)
                // A describe that failed says nothing about any run (INCIDENTS.md, 16).
                return Effect.as(
                  Effect.logWarning("The sweep could not ask for the encodes", { error: error.message }),
                  null
                )
              })
            )
          const reaped = yield* Effect.forEach(handedOver, (row) => {
            const state = states?.get(row.externalId)
            return state?._tag === "Ended" && isActive(row.status)
              ? attempt(failures, reap(row, state.reason))
              : Effect.succeed(false)
          })

          const runOf = new Map(handedOver.map((row) => [nameOf(row), row.externalId]))
          /** A run that waits for a machine, for hours maybe, is not submitted again (INCIDENTS.md, 18), nor one that nobody could ask for. */
          const hasRun = (job: Undispatched): boolean => {
            const externalId = runOf.get(nameOf(job))
            if (externalId === undefined) return false
            const state = states === null ? "Unasked" : states.get(externalId)?._tag
            return state === "Unasked" || state === "Waiting" || state === "Running"
          }
          const waiting = yield* store.findUndispatched({
            olderThanMillis: options.redispatchAfterMillis,
            limit: options.limit
          })
          const dispatched = yield* Effect.forEach(waiting.filter((job) => !hasRun(job)), (job) =>
            attempt(failures, Effect.as(dispatcher.dispatch(job) satisfies Effect.Effect<void, DispatchFailure>, true)))

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

const nameOf = (ref: JobRef): string => `${ref.tenantId}/${ref.jobId}`
