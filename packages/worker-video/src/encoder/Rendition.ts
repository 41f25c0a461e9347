import { Effect, FileSystem, Path } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { playlistName } from "./FfmpegCommandLine.ts"
import { type InitFacts, readInit, readSegment, type SegmentFacts } from "./FragmentedMp4.ts"
import { type MediaPlaylist, parseMediaPlaylist } from "./MediaPlaylist.ts"
import type { StepReport } from "./StepReport.ts"

/** A segment as listed, and as found on disk. */
export interface MeasuredSegment {
  readonly uri: string
  /** As the playlist says. */
  readonly seconds: number
  readonly bytes: number
  readonly facts: SegmentFacts
}

/** A rendition whose playlist, init file and segments are all there and can be read. */
export interface Rendition {
  readonly name: string
  readonly playlist: MediaPlaylist
  readonly init: InitFacts
  readonly segments: ReadonlyArray<MeasuredSegment>
  /** Sums over the segments' own headers. */
  readonly samples: number
  readonly seconds: number
}

/** A broken rule. `rule` is stable, for counting and for the job's record; `detail` has the values. */
export interface Fault {
  readonly rule: string
  readonly detail: string
}

const readIfThere = (path: string): Effect.Effect<Uint8Array | null, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    return yield* fileSystem.readFile(path).pipe(
      Effect.catchIf(
        (error) => error.reason._tag === "NotFound",
        () => Effect.succeed(null)
      )
    )
  })

const namesInFolder = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

/**
 * Reads a rendition from its folder below `directory`, one segment at a time, or says what is wrong with it. `report`
 * hears how many of the segments are read.
 */
export const readRendition = (
  directory: string,
  name: string,
  report: StepReport
): Effect.Effect<
  | { readonly rendition: Rendition; readonly faults: readonly [] }
  | {
      readonly rendition: null
      readonly faults: ReadonlyArray<Fault>
    },
  PlatformError,
  FileSystem.FileSystem | Path.Path
> =>
  Effect.gen(function* () {
    const paths = yield* Path.Path
    const folder = paths.join(directory, name)
    const broken = (rule: string, detail: string) => ({
      rendition: null,
      faults: [{ rule, detail: `${name}: ${detail}` }]
    })

    const text = yield* readIfThere(paths.join(folder, playlistName))
    if (text === null) return broken("playlist-present", `no ${playlistName}`)
    const playlist = parseMediaPlaylist(new TextDecoder().decode(text))
    if ("fault" in playlist) return broken("playlist-parses", playlist.fault)
    const strayed = [playlist.initUri, ...playlist.segments.map(({ uri }) => uri)].find(
      (uri) => !namesInFolder.test(uri)
    )
    if (strayed !== undefined) return broken("playlist-parses", `"${strayed}" is no name in its own folder`)

    const initBytes = yield* readIfThere(paths.join(folder, playlist.initUri))
    if (initBytes === null) return broken("init-present", `no "${playlist.initUri}"`)
    const init = readInit(initBytes)
    if (init === null) return broken("init-readable", `"${playlist.initUri}" describes no H.264 or AAC track`)

    const segments: Array<MeasuredSegment> = []
    const faults: Array<Fault> = []
    for (const [index, { seconds, uri }] of playlist.segments.entries()) {
      yield* report(index / playlist.segments.length)
      const bytes = yield* readIfThere(paths.join(folder, uri))
      if (bytes === null || bytes.length === 0) {
        faults.push({ rule: "segment-present", detail: `${name}: "${uri}" is ${bytes === null ? "missing" : "empty"}` })
        continue
      }
      const facts = readSegment(bytes, init)
      if (facts === null) faults.push({ rule: "segment-readable", detail: `${name}: "${uri}" is broken or cut off` })
      else segments.push({ uri, seconds, bytes: bytes.length, facts })
    }
    if (faults.length > 0) return { rendition: null, faults }
    const rendition: Rendition = {
      name,
      playlist,
      init,
      segments,
      samples: segments.reduce((sum, { facts }) => sum + facts.samples, 0),
      seconds: segments.reduce((sum, { facts }) => sum + facts.ticks, 0) / init.timescale
    }
    return { rendition, faults: [] }
  })
