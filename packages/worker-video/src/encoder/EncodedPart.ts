import { Effect, FileSystem, Path } from "effect"
import type { PlatformError } from "effect/PlatformError"
import type { EncodePlan, VideoPlan } from "./EncodePlan.ts"
import { type SegmentGroup, segmentFrames, soundPart } from "./EncodeGroups.ts"
import { initName, renditionsOf, segmentName } from "./FfmpegCommandLine.ts"
import { completeFirstSegment } from "./FirstSegment.ts"
import { readInit, readSegment } from "./FragmentedMp4.ts"
import { shiftFragments } from "./FragmentShift.ts"
import type { ListedSegment } from "./MediaPlaylist.ts"
import type { Fault } from "./Rendition.ts"
import { OutputInvalid, TranscodeFailed } from "./TranscodeFailed.ts"

/** What a part holds of one rendition. */
export interface PartRendition {
  /** Folder below the output. */
  readonly name: string
  /** Names in that folder. */
  readonly initUri: string
  readonly segments: ReadonlyArray<ListedSegment>
}

/** A finished part, its files in their place below the output under the names that they are published by. */
export interface EncodedPart {
  readonly name: string
  readonly renditions: ReadonlyArray<PartRendition>
}

/** Paths of a part's files below the output. */
export const filesOfPart = ({ renditions }: EncodedPart): ReadonlyArray<string> =>
  renditions.flatMap(({ initUri, name, segments }) => [
    `${name}/${initUri}`,
    ...segments.map(({ uri }) => `${name}/${uri}`)
  ])

/** One run of the transcoder and what is taken from it. */
export interface TakenRun {
  readonly plan: EncodePlan
  /** Where the run writes. */
  readonly directory: string
  /** Where finished parts go. */
  readonly output: string
  /** Which segment of the whole the run began with. */
  readonly firstSegment: number
}

/** A part of a run, and the start of its files' names. */
export interface TakenPart {
  readonly name: string
  readonly firstSegment: number
  /** `null`: all that there are. */
  readonly segments: number | null
  readonly stem: string
}

export const soundOf = (stem: string): TakenPart => ({ name: soundPart, firstSegment: 0, segments: null, stem })

export const picturesOf = ({ firstSegment, name, segments }: SegmentGroup, stem: string): TakenPart => ({
  name,
  firstSegment,
  segments,
  stem
})

const invalid = (faults: ReadonlyArray<Fault>) =>
  new TranscodeFailed({ reason: new OutputInvalid({ faults }), retryable: true })

const initEnd = "_init.mp4"

const renditionsIn = ({ plan }: TakenRun, { name }: TakenPart): ReadonlyArray<string> =>
  renditionsOf(plan, name === soundPart ? { _tag: "Sound" } : { _tag: "Pictures", fromFrame: 0, toFrame: null })

/**
 * Whether a run has finished a part: its last segment is there in every rendition. The init file is complete before the
 * first segment has its name.
 */
export const hasFinished = (
  run: TakenRun,
  part: TakenPart,
  ended: boolean
): Effect.Effect<boolean, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    if (part.segments === null && !ended) return false
    const fileSystem = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const last = part.firstSegment - run.firstSegment + (part.segments ?? 1) - 1
    const found = yield* Effect.forEach(renditionsIn(run, part), (name) =>
      fileSystem.exists(paths.join(run.directory, name, segmentName(last)))
    )
    return found.every(Boolean)
  })

/**
 * Moves the segments of a part from the run's directory to the output, to their time and their place in the whole.
 * Takes what is there of a part that the run did not come to the end of. What does not read as it should fails.
 */
export const takePart = (
  run: TakenRun,
  part: TakenPart
): Effect.Effect<EncodedPart, PlatformError | TranscodeFailed, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const from = part.firstSegment - run.firstSegment
    const initUri = `${part.stem}_${String(part.firstSegment).padStart(5, "0")}${initEnd}`

    const takeRendition = Effect.fnUntraced(function* (name: string) {
      const source = paths.join(run.directory, name)
      const target = paths.join(run.output, name)
      yield* fileSystem.makeDirectory(target, { recursive: true })
      const initBytes = yield* fileSystem.readFile(paths.join(source, initName))
      const init = completeFirstSegment(initBytes, new Uint8Array()).init
      const facts = readInit(init)
      if (facts === null) return yield* invalid([{ rule: "init-readable", detail: `${name}: no H.264 or AAC track` }])
      yield* fileSystem.writeFile(paths.join(target, initUri), init)

      const segments: Array<ListedSegment> = []
      for (let index = from; part.segments === null || index < from + part.segments; index++) {
        const written = paths.join(source, segmentName(index))
        if (!(yield* fileSystem.exists(written))) break
        const uri = `${part.stem}_${segmentName(run.firstSegment + index)}`
        const placed = paths.join(target, uri)
        const found = yield* fileSystem.readFile(written)
        const bytes = index === 0 ? completeFirstSegment(initBytes, found).segment : found
        if (run.plan.video !== null && part.name !== soundPart && run.firstSegment > 0) {
          const { fragments, ticks } = shiftOf(run.plan, run.plan.video, run.firstSegment, facts.timescale)
          shiftFragments(bytes, ticks, fragments)
        }
        const segment = readSegment(bytes, facts)
        if (segment === null) {
          return yield* invalid([{ rule: "segment-readable", detail: `${name}: "${uri}" is broken or cut off` }])
        }
        if (bytes === found && run.firstSegment === 0) yield* fileSystem.rename(written, placed)
        else {
          yield* fileSystem.writeFile(placed, bytes)
          yield* fileSystem.remove(written)
        }
        segments.push({ uri, seconds: segment.ticks / facts.timescale })
      }
      return { name, initUri, segments }
    })

    return { name: part.name, renditions: yield* Effect.forEach(renditionsIn(run, part), takeRendition) }
  }).pipe(Effect.withSpan("EncodedPart.take", { attributes: { part: part.name } }))

/** How far a run's times and numbers are from those of the whole. Each key frame has a fragment of its own. */
const shiftOf = (plan: EncodePlan, video: VideoPlan, firstSegment: number, timescale: number) => {
  const frames = firstSegment * segmentFrames(plan, video)
  return {
    ticks: Math.round((frames * timescale * video.frameRate.den) / video.frameRate.num),
    fragments: Math.round(frames / video.keyFrameInterval)
  }
}

/** Reads a part that somebody else encoded from its files below `output`. */
export const readPart = (
  output: string,
  name: string,
  files: ReadonlyArray<string>
): Effect.Effect<EncodedPart, PlatformError | TranscodeFailed, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const folders = [...new Set(files.map((file) => paths.dirname(file)))]
    const renditions = yield* Effect.forEach(folders, (folder) =>
      Effect.gen(function* () {
        const names = files.filter((file) => paths.dirname(file) === folder).map((file) => paths.basename(file))
        const initUri = names.find((one) => one.endsWith(initEnd))
        if (initUri === undefined) return yield* invalid([{ rule: "init-present", detail: `${folder}: part "${name}"` }])
        const init = readInit(yield* fileSystem.readFile(paths.join(output, folder, initUri)))
        if (init === null) return yield* invalid([{ rule: "init-readable", detail: `${folder}: "${initUri}"` }])
        const segments = yield* Effect.forEach(names.filter((one) => one !== initUri).toSorted(), (uri) =>
          Effect.gen(function* () {
            const facts = readSegment(yield* fileSystem.readFile(paths.join(output, folder, uri)), init)
            if (facts === null) return yield* invalid([{ rule: "segment-readable", detail: `${folder}: "${uri}"` }])
            return { uri, seconds: facts.ticks / init.timescale }
          })
        )
        return { name: folder, initUri, segments }
      })
    )
    return { name, renditions }
  })
