import { Duration, Effect } from "effect"
import { createHash } from "node:crypto"
import type { EncodePlan } from "./EncodePlan.ts"
import { groupsOf } from "./EncodeGroups.ts"
import { commandLine } from "./FfmpegCommandLine.ts"
import type { MediaInfo } from "./MediaInfo.ts"
import type { MediaProgram } from "./MediaProgram.ts"
import type { EncodeKey } from "./PartKeeper.ts"
import type { TranscodePart } from "./Transcoder.ts"

const programLimits = { step: "probing", time: Duration.seconds(30) }
const limits = { stall: Duration.zero, total: Duration.zero, grace: Duration.zero }
const parts: ReadonlyArray<TranscodePart> = [
  { _tag: "Sound" },
  { _tag: "Pictures", fromFrame: 0, toFrame: null }
]

/**
 * The key under which the parts of an encode are kept: the same for every attempt, another one as soon as the source,
 * the plan, our settings for ffmpeg, or ffmpeg itself is another.
 */
export const encodeKey = Effect.fnUntraced(function* (
  program: typeof MediaProgram.Service,
  media: MediaInfo,
  plan: EncodePlan,
  source: string
) {
  const version = yield* program.run("ffmpeg", ["-version"], programLimits)
  const commands = parts.map((part) =>
    commandLine({ input: "", demuxers: media.demuxers, outDir: "", plan, part, limits })
  )
  const key: EncodeKey = createHash("sha256")
    .update(JSON.stringify([source, media.bytes, plan, groupsOf(plan), commands, version.stdout]))
    .digest("hex")
    .slice(0, 24)
  return key
})
