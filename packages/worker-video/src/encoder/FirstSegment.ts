import { Effect, FileSystem, Path } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { firstSegmentName, initName } from "./FfmpegCommandLine.ts"
import { boxesIn } from "./IsoBoxes.ts"

/**
 * Puts a rendition's first fragments where they belong. ffmpeg writes what it has made before the first cut into the
 * init file if fragments are shorter than segments: it is moved to the end of the first segment, which has a head alone.
 */
export const completeFirstSegment = (
  folder: string,
  token: string
): Effect.Effect<void, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const init = paths.join(folder, initName(token))
    const bytes = yield* fileSystem.readFile(init)
    const end = boxesIn(bytes).find(({ type }) => type === "moov")?.end ?? bytes.length
    if (end === bytes.length) return
    yield* fileSystem.writeFile(paths.join(folder, firstSegmentName(token)), bytes.subarray(end), { flag: "a" })
    yield* fileSystem.writeFile(init, bytes.subarray(0, end))
  })
