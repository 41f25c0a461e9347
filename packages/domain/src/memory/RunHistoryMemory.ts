import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { epochNow } from "../Epoch.ts"
import { type JobRef, JobStore } from "../JobStore.ts"
import { RunHistory, runHistoryKeptMillis, runHistoryRestMillis, type RunSighting, SeenWords, wordsKeptOfARun } from "../RunHistory.ts"

interface Kept {
  readonly job: JobRef
  readonly seen: SeenWords
}

const isSame = ({ jobId, runId, tenantId, words }: RunSighting) => ({ job, seen }: Kept): boolean =>
  job.tenantId === tenantId && job.jobId === jobId && seen.runId === runId && seen.status === words.status &&
  seen.statusReason === words.statusReason && seen.containerReason === words.containerReason &&
  seen.exitCode === words.exitCode && seen.logStream === words.logStream

/** The history in this process's memory. A job that is deleted takes its own along when something is noted the next time. */
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
      kept = [...kept, { job: { tenantId, jobId }, seen: new SeenWords({ ...words, runId, firstSeenAt: now, lastSeenAt: now }) }]
    })

    return RunHistory.of({
      note: (sightings) => Effect.forEach(sightings, noteOne, { discard: true }),
      of: (jobOrRun) =>
        Effect.gen(function*() {
          const jobs = new Set<string>()
          for (const { job } of kept) if (yield* exists(job)) jobs.add(`${job.tenantId}/${job.jobId}`)
          return kept
            .filter(({ job, seen }) => jobs.has(`${job.tenantId}/${job.jobId}`) && (job.jobId === jobOrRun || seen.runId === jobOrRun))
            .map(({ seen }) => seen)
        })
    })
  })
)
