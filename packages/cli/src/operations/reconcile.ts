import {
  EncodeMisses,
  EncodeRuntime,
  type EncodeRunState,
  JobRecorder,
  type JobRef,
  type JobStatus,
  JobStore,
  runEnded,
  RunHistory,
  sightingsOf,
  type SystemCommand
} from "@lectern/domain"
import { Cause, Clock, Effect } from "effect"
import { endSupersededRuns } from "./supersededRuns.ts"

/** So many misses in a row, or so long a time of them, say that a run is gone. */
const enoughMisses = 3
const enoughMissedMillis = 30 * 60_000
/** A run that waits longer for a machine is worth a look; it is never touched, because the environment may be scaling. */
const longWaitMillis = 15 * 60_000
const rows = 1_000

export interface ReconcileReport {
  /** Encodes that the database takes for handed over. */
  readonly asked: number
  /** Jobs whose run had ended, or was gone for good: a failure of its holder, or a run that never claimed it. */
  readonly ended: number
  /** Runs that were not found and are given more time. */
  readonly missing: number
  readonly waiting: number
  readonly running: number
  /** Runs that were told to stop, because a later submission has their job. */
  readonly terminated: number
  /** What wants a look and was left alone, as sentences. */
  readonly notes: ReadonlyArray<string>
  /** What could not be done now, as sentences; the next reconciliation tries again. */
  readonly failures: ReadonlyArray<string>
}

type Row = JobRef & { readonly attempt: number; readonly status: JobStatus; readonly externalId: string }
type Outcome = "Ended" | "Missing" | "Waiting" | "Running" | "Left"

/**
 * Compares the record with the runs, once, and acts on what is certain alone.
 *
 * A describe that is refused or fails ends it before anything is changed (INCIDENTS.md, 16). An end is counted by the row
 * itself, for the run that is named, so that whoever else finds the same end counts nothing (25). Runs that wait are never
 * ended (18); those that hang after another was submitted in their place are. What lost its run is submitted again by
 * the sweep. It is harmless beside itself; `singleFlight` only spares the work.
 */
export const reconcile = Effect.gen(function*() {
  const store = yield* JobStore
  const runtime = yield* EncodeRuntime
  const recorder = yield* JobRecorder
  const misses = yield* EncodeMisses
  const history = yield* RunHistory
  const notes: Array<string> = []
  const failures: Array<string> = []

  const tell = Effect.fnUntraced(function*(row: Row, ended: SystemCommand): Effect.fn.Return<Outcome, LookFailure> {
    const receipt = yield* store.intervene(row, ended)
    if (receipt === null) return "Left"
    yield* recorder.commit(Effect.succeed(receipt))
    return "Ended"
  })

  const lost = Effect.fnUntraced(function*(row: Row): Effect.fn.Return<Outcome, LookFailure> {
    const missed = yield* misses.note(row)
    if (missed.count < enoughMisses && missed.sinceMillis < enoughMissedMillis) return "Missing"
    const outcome = yield* tell(row, {
      _tag: "RunEnded",
      runId: row.externalId,
      reason: "작업 서버를 찾을 수 없습니다",
      counted: true
    })
    yield* misses.forget(row)
    return outcome
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
      case "Waiting":
        return waits(row)
      case "Running":
        return Effect.as(misses.forget(row), "Running")
      case "Unknown":
        return lost(row)
      case "Ended":
      case "Vanished":
        return Effect.andThen(misses.forget(row), tell(row, runEnded(row.externalId, state)))
    }
  }

  const handedOver = yield* store.findDispatchedEncodes(rows)
  const states = handedOver.length === 0
    ? new Map<string, EncodeRunState>()
    : yield* runtime.describe(handedOver.map((row) => row.externalId))
  yield* Effect.catchTag(history.note(sightingsOf(handedOver, states)), "JobStoreUnavailable", (error) => {
    failures.push(error.message)
    return Effect.void
  })
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
  const superseded = yield* endSupersededRuns
  failures.push(...superseded.failures)
  const count = (outcome: Outcome): number => outcomes.filter((it) => it === outcome).length
  return {
    asked: handedOver.length,
    ended: count("Ended"),
    missing: count("Missing"),
    waiting: count("Waiting"),
    running: count("Running"),
    terminated: superseded.terminated,
    notes,
    failures
  } satisfies ReconcileReport
}).pipe(Effect.withSpan("Operations.reconcile"))

type LookFailure = Effect.Error<ReturnType<JobStore["Service"]["intervene"]>>
