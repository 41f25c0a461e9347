import { Effect, type FileSystem, type Path } from "effect"
import type { PlatformError } from "effect/PlatformError"
import type { EncodePlan } from "./EncodePlan.ts"
import { renditionNames } from "./FfmpegCommandLine.ts"
import { type Fault, readRendition, type Rendition } from "./Rendition.ts"
import { toNumber } from "./Rational.ts"
import { pieceOf, type StepReport } from "./StepReport.ts"

/** What was found on disk. Nothing may be published unless `faults` is empty. */
export interface Validation {
  /** Largest variant first, the sound last: only those that could be read. */
  readonly renditions: ReadonlyArray<Rendition>
  readonly faults: ReadonlyArray<Fault>
}

/** Rules that an output shorter than planned breaks: a source shorter than its header says explains that too. */
export const completenessRules: ReadonlySet<string> = new Set(["frames-complete", "video-duration", "audio-duration"])

/** A tick of any track is shorter than this. */
const momentSeconds = 0.002

const ticksFaults = (rendition: Rendition): ReadonlyArray<Fault> => {
  const { init, name, segments } = rendition
  const faults: Array<Fault> = []
  let expected = 0
  for (const { facts, seconds, uri } of segments) {
    if (Math.abs(facts.startTicks - expected) > 1) {
      faults.push({
        rule: "segments-continuous",
        detail: `${name}: "${uri}" starts at tick ${facts.startTicks} instead of ${expected}`
      })
    }
    if (!facts.startsWithKeyFrame) {
      faults.push({ rule: "segment-independent", detail: `${name}: "${uri}" does not start with a key frame` })
    }
    if (Math.abs(facts.ticks / init.timescale - seconds) > 0.1) {
      faults.push({
        rule: "segment-duration-true",
        detail: `${name}: "${uri}" lasts ${facts.ticks / init.timescale} s, listed as ${seconds} s`
      })
    }
    expected = facts.startTicks + facts.ticks
  }
  return faults
}

const renditionFaults = (rendition: Rendition): ReadonlyArray<Fault> => {
  const { name, playlist, segments } = rendition
  const tooLong = segments.filter(({ seconds }) => Math.round(seconds) > playlist.targetDuration)
  const first = segments[0]?.facts
  const late = first === undefined ? 0 : first.firstCompositionTicks / rendition.init.timescale
  return [
    ...tooLong.map(({ seconds, uri }) => ({
      rule: "target-duration",
      detail: `${name}: "${uri}" lasts ${seconds} s, the target is ${playlist.targetDuration} s`
    })),
    ...(Math.abs(late) > momentSeconds
      ? [{ rule: "starts-at-zero", detail: `${name}: the first picture is shown at ${late} s` }]
      : []),
    ...ticksFaults(rendition)
  ]
}

const videoFaults = (plan: EncodePlan, renditions: ReadonlyArray<Rendition>): ReadonlyArray<Fault> => {
  const { video } = plan
  if (video === null) return []
  const rate = toNumber(video.frameRate)
  // Headers round a track's length to whole frames in either direction; more than three or 1/1000 is a loss.
  const tolerance = Math.max(3, Math.ceil(video.frames * 0.001))
  const [largest, ...others] = video.variants.flatMap(({ name }) => renditions.filter((one) => one.name === name))
  if (largest === undefined) return []
  const faults: Array<Fault> = []
  for (const variant of video.variants) {
    const made = renditions.find(({ name }) => name === variant.name)
    if (made === undefined) continue
    const { size } = made.init
    if (size === null || size.width !== variant.width || size.height !== variant.height) {
      faults.push({
        rule: "picture-size",
        detail: `${variant.name}: ${size?.width}x${size?.height} instead of ${variant.width}x${variant.height}`
      })
    }
  }
  if (Math.abs(largest.samples - video.frames) > tolerance) {
    faults.push({
      rule: "frames-complete",
      detail: `${largest.samples} frames instead of ${video.frames} (tolerance ${tolerance})`
    })
  }
  if (Math.abs(largest.seconds - plan.videoSeconds) > tolerance / rate) {
    faults.push({ rule: "video-duration", detail: `${largest.seconds} s instead of ${plan.videoSeconds} s` })
  }
  for (const other of others) {
    if (other.samples !== largest.samples) {
      faults.push({
        rule: "variants-equal",
        detail: `${other.name} has ${other.samples} frames, ${largest.name} has ${largest.samples}`
      })
    }
    const apart =
      other.segments.length !== largest.segments.length
        ? 0
        : other.segments.findIndex(({ facts }, index) => facts.startTicks !== largest.segments[index]?.facts.startTicks)
    if (other.segments.length !== largest.segments.length || apart >= 0) {
      faults.push({
        rule: "variants-aligned",
        detail:
          `${other.name} and ${largest.name} part at segment ${apart} ` +
          `(${other.segments.length} and ${largest.segments.length} segments)`
      })
    }
  }
  return faults
}

const audioFaults = (plan: EncodePlan, renditions: ReadonlyArray<Rendition>): ReadonlyArray<Fault> => {
  const { audio } = plan
  const made = audio === null ? undefined : renditions.find(({ name }) => name === audio.name)
  if (made === undefined) return []
  const tolerance = Math.max(0.25, plan.audioSeconds * 0.001)
  return Math.abs(made.seconds - plan.audioSeconds) > tolerance
    ? [{ rule: "audio-duration", detail: `${made.seconds} s instead of ${plan.audioSeconds} s` }]
    : []
}

/**
 * Reads everything that was produced in `directory` and compares it with the plan: ffmpeg's exit code proves nothing.
 *
 * Every playlist parses, every file that it names is there and whole, no segment is longer than announced, segments
 * follow each other without a gap and start with a key frame, variants are cut alike and have the planned sizes, and
 * frames and durations are those of the source. A file system that cannot be read fails; a broken rule is a fault.
 * `report` hears how much of the files is read.
 */
export const validateHls = (
  directory: string,
  plan: EncodePlan,
  report: StepReport
): Effect.Effect<Validation, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const names = renditionNames(plan)
    const read = yield* Effect.forEach(names, (name, index) =>
      readRendition(directory, name, pieceOf(report, index, names.length))
    )
    const renditions = read.flatMap(({ rendition }) => (rendition === null ? [] : [rendition]))
    return {
      renditions,
      faults: [
        ...read.flatMap(({ faults }) => faults),
        ...renditions.flatMap(renditionFaults),
        ...videoFaults(plan, renditions),
        ...audioFaults(plan, renditions)
      ]
    }
  }).pipe(Effect.withSpan("HlsValidator.validateHls"))
