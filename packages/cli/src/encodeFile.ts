import { jobPercent, videoSteps } from "@lectern/domain"
import { type EncodeResult, Encoder, type EncodeStep, keepInFolder, type TranscodeFailed } from "@lectern/worker-video/encoder"
import { Console, Effect, FileSystem, Option, Path, Schema } from "effect"
import { exitCodes, fail } from "./CommandFailed.ts"
import { withLogs } from "./logs.ts"
import { remainingText } from "./remaining.ts"
import { requireReadable } from "./readableFile.ts"
import { withBoard } from "./terminal.ts"

const stepOf = (step: EncodeStep) => videoSteps[step]

const encodeJson = Schema.encodeSync(Schema.fromJsonString(Schema.Json))

const summary = (result: EncodeResult, outDir: string): string => {
  const variants = result.variants.map((variant) =>
    `  ${variant.width}x${variant.height} @ ${Math.round(variant.framesPerSecond * 100) / 100} fps, ` +
    `${Math.round(variant.averageBitRate / 1000)} kbit/s, ${variant.codec}`
  )
  return [
    `${outDir}/${result.master}  (${Math.round(result.durationSeconds * 10) / 10} s, ${result.files.length} files)`,
    ...variants,
    ...(result.hasVideo ? [] : ["  sound alone"]),
    ...result.warnings.map((warning) => `  note: ${warning}`)
  ].join("\n")
}

/** A place for the output that holds something else is the caller's mistake; what another attempt may mend is not ours. */
const transcodeExitCode = ({ reason, retryable }: TranscodeFailed): number =>
  retryable ? exitCodes.unavailable : reason._tag === "WorkspaceFailed" ? exitCodes.badInput : exitCodes.bug

export interface EncodeFileRequest {
  readonly file: string
  readonly json: boolean
  readonly out: string
}

/**
 * Encodes a local file, without any service. Ended early, by Ctrl-C or by a kill, it keeps the finished parts in `.{out}.parts`
 * beside the output, and the same command goes on from there.
 */
export const encodeFile = Effect.fn(function*({ file, json, out }: EncodeFileRequest) {
  const path = yield* Path.Path
  const fileSystem = yield* FileSystem.FileSystem
  const encoder = yield* Encoder
  const input = path.resolve(file)
  const outDir = path.resolve(out)
  yield* requireReadable("encode", file, input)
  const label = path.basename(file)
  const { mtime } = yield* Effect.orDie(fileSystem.stat(input))
  const parts = yield* keepInFolder(outDir)
  const result = yield* withBoard((board) =>
    Effect.gen(function*() {
      const encoded = yield* encoder.encodeFile({
        input,
        outDir,
        source: `${input} ${Option.getOrElse(mtime, () => 0).valueOf()}`,
        keep: parts.keep,
        onProgress: ({ fraction, remainingSeconds, step }) =>
          Effect.sync(() => {
            const { display, index } = stepOf(step)
            board.update(label, {
              percent: jobPercent(stepOf(step), fraction),
              note: `[${index}/7] ${display}${remainingText(remainingSeconds)}`,
              end: "running"
            })
          })
      }).pipe(
        Effect.tapError((error) => {
          board.update(label, { percent: null, note: "failed", end: "bad" })
          const mayGoOn = error._tag === "EncoderUnavailable" || (error._tag === "TranscodeFailed" && error.retryable)
          return mayGoOn ? Effect.void : parts.remove
        })
      )
      yield* parts.remove
      board.update(label, { percent: 100, note: "완료", end: "good" })
      return encoded
    })
  ).pipe(
    Effect.catchTags({
      MediaRejected: (error) =>
        fail(exitCodes.badInput, `${error.messageKo}\n  ${error.messageEn}\n  (${error.code}: ${error.detail})`),
      TranscodeFailed: (error) => fail(transcodeExitCode(error), error.message),
      EncoderUnavailable: (error) => fail(exitCodes.unavailable, error.message)
    })
  )
  yield* Console.log(json ? encodeJson(result) : summary(result, out))
}, (command) => withLogs(Effect.provide(command, Encoder.layerFfmpeg)))
