import { Effect, FileSystem, Path } from "effect"
import type { PlatformError } from "effect/PlatformError"
import type { EncodedPart } from "./EncodedPart.ts"
import type { EncodePlan } from "./EncodePlan.ts"
import { playlistName, renditionNames } from "./FfmpegCommandLine.ts"
import { mediaPlaylist, targetDurationFor } from "./MediaPlaylist.ts"
import type { Fault } from "./Rendition.ts"
import { pieceOf, type StepReport } from "./StepReport.ts"
import { OutputInvalid, TranscodeFailed } from "./TranscodeFailed.ts"

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index])

/**
 * Makes renditions of the parts below `output`: a playlist for each, with the first part's init file for all. Init
 * files that differ in a byte fail: what was encoded by another program or by other settings does not go together, and
 * never will. `report` hears how many of the parts have been looked at.
 */
export const joinParts = (
  output: string,
  plan: EncodePlan,
  parts: ReadonlyArray<EncodedPart>,
  report: StepReport
): Effect.Effect<void, PlatformError | TranscodeFailed, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const faults: Array<Fault> = []
    const names = renditionNames(plan)
    for (const [index, name] of names.entries()) {
      const heard = pieceOf(report, index, names.length)
      const [first, ...others] = parts.flatMap(({ renditions }) => renditions.filter((one) => one.name === name))
      if (first === undefined) continue
      const init = yield* fileSystem.readFile(paths.join(output, name, first.initUri))
      for (const [other, { initUri }] of others.entries()) {
        yield* heard(other / others.length)
        const path = paths.join(output, name, initUri)
        if (!sameBytes(init, yield* fileSystem.readFile(path))) {
          faults.push({ rule: "parts-alike", detail: `${name}: "${initUri}" differs from "${first.initUri}"` })
        }
        yield* fileSystem.remove(path)
      }
      const segments = [first, ...others].flatMap((one) => one.segments)
      yield* fileSystem.writeFileString(
        paths.join(output, name, playlistName),
        mediaPlaylist(targetDurationFor(segments.map(({ seconds }) => seconds)), first.initUri, segments)
      )
    }
    if (faults.length > 0) {
      return yield* new TranscodeFailed({ reason: new OutputInvalid({ faults }), retryable: false })
    }
  }).pipe(Effect.withSpan("JoinedParts.join"))
