import {
  EncodeMisses,
  EncodeRuntime,
  type EncodeRunState,
  isActive,
  JobDispatcher,
  JobRecorder,
  type JobRef,
  type JobStatus,
  JobStore,
  undispatched
} from "@lectern/domain"
import { Cause, Clock, Effect } from "effect"

/** So many misses in a row, or so long a time of them, say that a run is gone. */
const enoughMisses = 3
const enoughMissedMillis = 30 * 60_000
/** A run that waits longer for a machine is worth a look; it is never touched, because the environment may be scaling. */
const longWaitMillis = 15 * 60_000
const rows = 1_000

export interface ReconcileReport {
  /** Encodes that the database takes for handed over. */
  readonly asked: number
  /** Failures that were counted now, each once: the run of a job's holder had ended, or was gone for good. */
  readonly expired: number
  /** Jobs whose run was gone before it began, handed over again. */
  readonly resubmitted: number
  /** Runs that were not found and are given more time. */
  readonly missing: number
  readonly waiting: number
  readonly running: number
  /** What wants a look and was left alone, as sentences. */
  readonly notes: ReadonlyArray<string>
  /** What could not be done now, as sentences; the next reconciliation tries again. */
  readonly failures: ReadonlyArray<string>
}

type Row = JobRef & { readonly attempt: number; readonly status: JobStatus; readonly externalId: string }
type Outcome = "Expired" | "Resubmitted" | "Missing" | "Waiting" | "Running" | "Left"

/**
 * Compares the record with the runs, once, and acts on what is certain alone.
 *
 * A describe that is refused or fails ends it before anything is changed (INCIDENTS.md, 16). A failure is counted by the row
 * itself, for the attempt that is named, so that whoever else finds the same end counts nothing (25). Runs that wait are never
 * ended (18). Runs beside itself are harmless; `singleFlight` only spares the work.
 */
export const reconcile = Effect.gen(function*() {
  const store = yield* JobStore
  const runtime = yield* EncodeRuntime
  const recorder = yield* JobRecorder
  const dispatcher = yield* JobDispatcher
  const misses = yield* EncodeMisses
  const notes: Array<string> = []
  const failures: Array<string> = []

  const expire = Effect.fnUntraced(function*(row: Row, reason: string) {
    const { job } = yield* store.getJob(row.tenantId, row.jobId)
    // Handed over twice, it may be in the hands of the other run; the lease of one that has no name ends by itself.
    if (job.leaseOwner !== row.externalId) return false
    const receipt = yield* store.intervene(row, { _tag: "Expire", attempt: row.attempt, message: reason, force: true })
    if (receipt === null) return false
    yield* recorder.commit(Effect.succeed(receipt))
    return true
  })

  const lost = Effect.fnUntraced(function*(row: Row): Effect.fn.Return<Outcome, LookFailure> {
    const missed = yield* misses.note(row)
    if (missed.count < enoughMisses && missed.sinceMillis < enoughMissedMillis) return "Missing"
    if (isActive(row.status)) {
      if (!(yield* expire(row, "작업 서버를 찾을 수 없습니다"))) return "Left"
      yield* misses.forget(row)
      return "Expired"
    }
    const { job } = yield* store.getJob(row.tenantId, row.jobId)
    // Somebody has handed it over again since it was asked for.
    if (job.externalId !== row.externalId || isActive(job.status)) return "Left"
    yield* dispatcher.dispatch(undispatched(job))
    yield* misses.forget(row)
    return "Resubmitted"
  })

  const waits = Effect.fnUntraced(function*(row: Row): Effect.fn.Return<Outcome, LookFailure> {
    yield* misses.forget(row)
    const { job } = yield* store.getJob(row.tenantId, row.jobId)
    const minutes = Math.floor(((yield* Clock.currentTimeMillis) - (job.dispatchedAt ?? Infinity)) / 60_000)
    if (minutes * 60_000 >= longWaitMillis) {
      notes.push(`Job "${row.jobId}" has waited ${minutes} min for a machine; lectern doctor ${row.jobId} says why`)
    }
    return "Waiting"
  })

  const look = (row: Row, state: EncodeRunState): Effect.Effect<Outcome, LookFailure> => {
    switch (state._tag) {
      case "Unknown":
        return lost(row)
      case "Waiting":
        return waits(row)
      case "Running":
        return Effect.as(misses.forget(row), "Running")
      case "Ended":
        return Effect.gen(function*() {
          yield* misses.forget(row)
          if (isActive(row.status)) {
            return (yield* expire(row, `작업 서버가 종료되었습니다: ${state.reason}`)) ? "Expired" : "Left"
          }
          notes.push(
            `Job "${row.jobId}" is not claimed and its run "${row.externalId}" ended: ${state.reason}; the sweep hands it over again`
          )
          return "Left"
        })
    }
  }

  const handedOver = yield* store.findDispatchedEncodes(rows)
  const states = handedOver.length === 0
    ? new Map<string, EncodeRunState>()
    : yield* runtime.describe(handedOver.map((row) => row.externalId))
  const outcomes = yield* Effect.forEach(handedOver, (row) => {
    const state = states.get(row.externalId)
    if (state === undefined) return Effect.succeed<Outcome>("Left")
    // One faulty row must not keep the others from being looked at.
    return Effect.catchCause(look(row, state), (cause) => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.failCause<never>(Cause.interrupt())
      const error = Cause.squash(cause)
      failures.push(error instanceof Error ? error.message : String(error))
      return Effect.succeed<Outcome>("Left")
    })
  })
  const count = (outcome: Outcome): number => outcomes.filter((it) => it === outcome).length
  return {
    asked: handedOver.length,
    expired: count("Expired"),
    resubmitted: count("Resubmitted"),
    missing: count("Missing"),
    waiting: count("Waiting"),
    running: count("Running"),
    notes,
    failures
  } satisfies ReconcileReport
}).pipe(Effect.withSpan("Operations.reconcile"))

type LookFailure =
  | Effect.Error<ReturnType<JobStore["Service"]["intervene"]>>
  | Effect.Error<ReturnType<JobDispatcher["Service"]["dispatch"]>>
