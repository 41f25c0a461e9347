import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { epochNow } from "../Epoch.ts"
import { type JobRef, JobStore } from "../JobStore.ts"
import {
  RunHistory,
  runHistoryKeptMillis,
  runHistoryRestMillis,
  type RunSighting,
  SeenWords,
  wordsKeptOfARun
} from "../RunHistory.ts"

interface Kept {
  readonly job: JobRef
  readonly seen: SeenWords
}

const isSame = ({ jobId, runId, tenantId, words }: RunSighting) => ({ job, seen }: Kept): boolean =>
  job.tenantId === tenantId && job.jobId === jobId && seen.runId === runId && seen.status === words.status &&
  seen.statusReason === words.statusReason && seen.containerReason === words.containerReason &&
  seen.exitCode === words.exitCode && seen.logStream === words.logStream

/** The history in this process's memory; of a job that is deleted nothing is said any more. */
export const layer: Layer.Layer<RunHistory, never, JobStore> = Layer.effect(
  RunHistory,
  Effect.map(JobStore, (store) => {
    let kept: ReadonlyArray<Kept> = []

    const exists = (ref: JobRef) =>
      Effect.match(store.getJob(ref.tenantId, ref.jobId), { onSuccess: () => true, onFailure: () => false })

    const noteOne = Effect.fnUntraced(function*(sighting: RunSighting) {
      const now = yield* epochNow
      kept = kept.filter(({ seen }) => seen.lastSeenAt > now - runHistoryKeptMillis)
      const same = kept.find(isSame(sighting))
      if (same !== undefined) {
        if (same.seen.lastSeenAt > now - runHistoryRestMillis) return
        kept = kept.map((it) => it === same ? { ...it, seen: new SeenWords({ ...it.seen, lastSeenAt: now }) } : it)
        return
      }
      const ofRun = kept.filter(({ seen }) => seen.runId === sighting.runId)
      if (ofRun.length >= wordsKeptOfARun || !(yield* exists(sighting))) return
      const { jobId, runId, tenantId, words } = sighting
      const seen = new SeenWords({ ...words, runId, firstSeenAt: now, lastSeenAt: now })
      kept = [...kept, { job: { tenantId, jobId }, seen }]
    })

    return RunHistory.of({
      note: (sightings) => Effect.forEach(sightings, noteOne, { discard: true }),
      of: (jobOrRun) =>
        Effect.gen(function*() {
          const meant = kept.filter(({ job, seen }) => job.jobId === jobOrRun || seen.runId === jobOrRun)
          const there = yield* Effect.filter(meant, ({ job }) => exists(job))
          return there.map(({ seen }) => seen)
        })
    })
  })
)
