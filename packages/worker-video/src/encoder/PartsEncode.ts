import { fileFault } from "@lectern/domain"
import { Cause, Clock, Effect, Fiber, FileSystem, Path, Queue, Schema, Semaphore } from "effect"
import type { PlatformError } from "effect/PlatformError"
import {
  type EncodedPart,
  filesOfPart,
  hasFinished,
  picturesOf,
  readPart,
  soundOf,
  type TakenPart,
  type TakenRun,
  takePart
} from "./EncodedPart.ts"
import { groupsOf, nextFree, type PartState, soundPart } from "./EncodeGroups.ts"
import type { EncodePlan } from "./EncodePlan.ts"
import type { EncoderUnavailable } from "./EncoderUnavailable.ts"
import type { MediaInfo } from "./MediaInfo.ts"
import type { MediaRejected } from "./MediaRejected.ts"
import type { PartKeeper } from "./PartKeeper.ts"
import { remainingTime } from "./RemainingTime.ts"
import type { StepReport } from "./StepReport.ts"
import { TranscodeFailed, WorkspaceFailed } from "./TranscodeFailed.ts"
import type { Transcoder, TranscodeLimits, TranscodePart, TranscodeProgress } from "./Transcoder.ts"

export interface PartsRequest<E> {
  readonly media: MediaInfo
  readonly plan: EncodePlan
  readonly keeper: PartKeeper<E>
  /** Where the parts go. */
  readonly output: string
  /** Where runs write; on the same file system as `output`. */
  readonly scratch: string
  readonly limits: TranscodeLimits
  /** Hears how much of all parts is done, whoever did it, and how many seconds are left. One call at a time. */
  readonly onProgress: (fraction: number, remainingSeconds: number | null) => Effect.Effect<void, E>
}

/** What was encoded here, by name, and what the programs said. */
export interface EncodedHere {
  readonly local: ReadonlyMap<string, EncodedPart>
  readonly warnings: ReadonlyArray<string>
}

/** How long an end that came too early waits for the finished parts to be kept: Batch kills 30 s after SIGTERM. */
const keepingLimit = "8 seconds"

/** How often the pictures, or the sound, are begun again in one attempt when their program stands still. */
const mostRestarts = 1

const othersInterval = "1 second"

/** Parts that are taken and not kept yet. */
const waitingParts = 4

/** Somebody else has the next group. */
class RowTaken extends Schema.TaggedError<RowTaken>()("RowTaken", {}) {}

/** The names of a plan's parts, in the order of the stream, the sound last. */
const partNames = (plan: EncodePlan): ReadonlyArray<string> => [
  ...groupsOf(plan).map(({ name }) => name),
  ...(plan.audio === null ? [] : [soundPart])
]

const unusable = (path: string) => (error: PlatformError) =>
  new TranscodeFailed({ reason: new WorkspaceFailed({ action: "use", path, detail: fileFault(error) }), retryable: true })

const isStall = (error: unknown): boolean => error instanceof TranscodeFailed && error.reason._tag === "Stalled"

type PartsFailure = EncoderUnavailable | MediaRejected | TranscodeFailed

/**
 * Encodes every part that is free, one run of ffmpeg for as many groups in a row as nobody else has: without kills and
 * without company that is one run from the first frame to the last. Each part is kept as soon as it is finished, beside
 * the encoding of the next.
 *
 * Ends when nothing is free any more: `"All"` then waits for what others hold, and takes it over where they give up. An
 * end that comes too early (a failure, an interruption) stops the programs at once and waits for what is finished to be
 * kept, eight seconds at most.
 */
export const encodeParts = <E>(
  transcoder: typeof Transcoder.Service,
  request: PartsRequest<E>,
  until: "All" | "NoneFree"
): Effect.Effect<EncodedHere, PartsFailure | E, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const { keeper, limits, media, output, plan } = request
    const fileSystem = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const groups = groupsOf(plan)
    const names = partNames(plan)
    const local = new Map<string, EncodedPart>()
    const warnings = new Set<string>()
    const finished = yield* Queue.bounded<{ readonly part: EncodedPart; readonly claim: number }, Cause.Done>(waitingParts)
    const oneReport = yield* Semaphore.make(1)
    let sourceEnded = false
    let restarts = 0
    let runs = 0

    const states: Effect.Effect<ReadonlyMap<string, PartState>, E> = Effect.map(keeper.states, (kept) => {
      const all = new Map(kept)
      for (const name of local.keys()) all.set(name, "Finished")
      return all
    })
    const framesIn = (known: ReadonlyMap<string, PartState>): number =>
      groups.reduce((sum, { frames, name }) => (known.get(name) === "Finished" ? sum + frames : sum), 0)
    const frames = plan.video?.frames ?? 0

    let highest = frames === 0 ? 0 : framesIn(yield* states) / frames
    const remaining = remainingTime(yield* Clock.currentTimeMillis, highest)
    const report = (fraction: number) =>
      oneReport.withPermits(1)(
        Effect.gen(function* () {
          highest = Math.min(1, Math.max(highest, fraction))
          yield* keeper.renew
          yield* request.onProgress(highest, remaining(yield* Clock.currentTimeMillis, highest))
        })
      )

    const stemOf = (claim: number): string => `${keeper.token}-${claim}`

    /** Runs the transcoder in a directory of its own, which is gone afterwards. */
    const transcode = <E2>(
      part: TranscodePart,
      firstSegment: number,
      onProgress: (run: TakenRun, progress: TranscodeProgress) => Effect.Effect<void, E2>
    ) =>
      Effect.gen(function* () {
        const directory = paths.join(request.scratch, `run-${runs++}`)
        const run: TakenRun = { plan, directory, output, firstSegment }
        yield* Effect.acquireRelease(
          Effect.mapError(fileSystem.makeDirectory(directory, { recursive: true }), unusable(directory)),
          () => Effect.orDie(fileSystem.remove(directory, { recursive: true, force: true }))
        )
        const job = { input: media.path, demuxers: media.demuxers, outDir: directory, plan, part, limits }
        const said = yield* transcoder.transcode(job, (progress) => onProgress(run, progress))
        for (const warning of said.warnings) warnings.add(warning)
        return run
      })

    const files = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
    const taken = (run: TakenRun, part: TakenPart) =>
      takePart(run, part).pipe(
        Effect.catchTag("PlatformError", (error) => Effect.fail(unusable(run.directory)(error))),
        Effect.tap((found) => Effect.sync(() => local.set(part.name, found))),
        Effect.provideContext(files)
      )
    const take = (run: TakenRun, part: TakenPart, claim: number) =>
      Effect.flatMap(taken(run, part), (found) => Queue.offer(finished, { part: found, claim }))
    const isFinished = (run: TakenRun, part: TakenPart, ended: boolean) =>
      hasFinished(run, part, ended).pipe(Effect.mapError(unusable(run.directory)), Effect.provideContext(files))

    /** One run over a row of groups, from the claimed one to the first that somebody else has. */
    const encodeRow = Effect.fnUntraced(function* (from: number, claimed: number) {
      const before = yield* states
      const behind = groups.findIndex(({ name }, index) => index > from && before.has(name))
      const end = behind < 0 ? groups.length : behind
      const here = new Set<string>()
      let elsewhere = framesIn(before)
      let index = from
      let claim = claimed

      const takeFinished = Effect.fnUntraced(function* (run: TakenRun, ended: boolean) {
        while (true) {
          const group = index < end ? groups[index] : undefined
          if (group === undefined) return
          const part = picturesOf(group, stemOf(claim))
          if (!(yield* isFinished(run, part, ended))) return
          yield* take(run, part, claim)
          here.add(group.name)
          index++
          const following = index < end ? groups[index] : undefined
          if (following === undefined) return
          const next = yield* keeper.claim(following.name)
          if (next === null) return yield* new RowTaken()
          claim = next
          elsewhere = framesIn(new Map([...(yield* states)].filter(([name]) => !here.has(name))))
        }
      })

      const first = groups[from]
      const run = yield* transcode(
        {
          _tag: "Pictures",
          fromFrame: first?.firstFrame ?? 0,
          toFrame: groups[end]?.firstFrame ?? null
        },
        first?.firstSegment ?? 0,
        (current, progress) =>
          Effect.andThen(takeFinished(current, false), report((elsewhere + (progress.frame ?? 0)) / frames))
      )
      yield* takeFinished(run, true)
      const unfinished = index < end ? groups[index] : undefined
      if (unfinished === undefined) return
      // The source is shorter than its header says: the part stays here, for the validator to judge.
      sourceEnded = true
      if (yield* isFinished(run, { ...picturesOf(unfinished, stemOf(claim)), segments: 1 }, true)) {
        yield* taken(run, picturesOf(unfinished, stemOf(claim)))
      }
    }, Effect.scoped)

    const pictures = Effect.gen(function* () {
      while (true) {
        if (sourceEnded) return
        const next = nextFree(groups, yield* states)
        const group = next === null ? undefined : groups[next]
        if (next === null || group === undefined) return
        const claim = yield* keeper.claim(group.name)
        if (claim === null) continue
        yield* encodeRow(next, claim).pipe(
          Effect.catchIf(
            (error) => error instanceof RowTaken,
            () => Effect.logDebug("Somebody else has the next group")
          ),
          Effect.catchIf(
            (error) => isStall(error) && restarts++ < mostRestarts,
            () => Effect.logWarning("The program stood still and is started again")
          )
        )
      }
    })

    const sound = Effect.gen(function* () {
      if (plan.audio === null || (yield* states).has(soundPart)) return
      const claim = yield* keeper.claim(soundPart)
      if (claim === null) return
      const run = yield* transcode({ _tag: "Sound" }, 0, (_, { outTimeMicros }) =>
        report(plan.video === null ? (outTimeMicros ?? 0) / 1_000_000 / plan.durationSeconds : 0)
      )
      const part = soundOf(stemOf(claim))
      if (yield* isFinished(run, part, true)) yield* take(run, part, claim)
      else sourceEnded = true
    }).pipe(Effect.scoped, Effect.retry({ times: mostRestarts, while: isStall }))

    const missing = Effect.map(states, (known) => names.filter((name) => known.get(name) !== "Finished"))

    const work = Effect.gen(function* () {
      while (true) {
        yield* Effect.all([pictures, sound], { concurrency: "unbounded", discard: true })
        if (until === "NoneFree" || sourceEnded || (yield* missing).length === 0) return
        yield* Effect.sleep(othersInterval)
        yield* report(frames === 0 ? 0 : framesIn(yield* states) / frames)
      }
    })

    const keepFinished = Effect.gen(function* () {
      while (true) {
        const next = yield* Effect.catchIf(Queue.take(finished), Cause.isDone, () => Effect.succeed(null))
        if (next === null) return
        yield* keeper.keep(next.part.name, next.claim, output, filesOfPart(next.part))
      }
    })

    yield* Effect.acquireUseRelease(
      Effect.forkDetach(Effect.interruptible(keepFinished)),
      (keeping) =>
        Effect.raceFirst(work, Effect.andThen(Fiber.join(keeping), Effect.never)).pipe(
          Effect.andThen(Queue.end(finished)),
          Effect.andThen(Fiber.join(keeping))
        ),
      (keeping) =>
        Queue.end(finished).pipe(
          Effect.andThen(Effect.timeoutOption(Fiber.await(keeping), keepingLimit)),
          Effect.andThen(Fiber.interrupt(keeping))
        )
    )
    return { local, warnings: [...warnings] }
  })

/**
 * Every part of a plan that there is, in the order of the stream: what is not here is fetched. `report` hears how many
 * of them are here.
 */
export const gatherParts = <E>(
  { keeper, output, plan }: PartsRequest<E>,
  { local }: EncodedHere,
  report: StepReport
): Effect.Effect<ReadonlyArray<EncodedPart>, PartsFailure | E, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const known = yield* keeper.states
    const names = partNames(plan)
    const parts = yield* Effect.forEach(names, (name, index) =>
      Effect.gen(function* () {
        yield* report(index / names.length)
        const here = local.get(name)
        if (here !== undefined) return [here]
        if (known.get(name) !== "Finished") return []
        const files = yield* keeper.fetch(name, output)
        const part = yield* Effect.catchTag(readPart(output, name, files), "PlatformError", (error) =>
          Effect.fail(unusable(output)(error))
        )
        return [part]
      })
    )
    return parts.flat()
  }).pipe(Effect.withSpan("PartsEncode.gather"))
