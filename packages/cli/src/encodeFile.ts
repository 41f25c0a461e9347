import { jobPercent, videoSteps } from "@lectern/domain"
import { type EncodeResult, Encoder, type EncodeStep, randomEncodeToken } from "@lectern/worker-video/encoder"
import { Console, Effect, FileSystem, Path, Schema } from "effect"
import { exitCodes, fail } from "./CommandFailed.ts"
import { withLogs } from "./logs.ts"
import { remainingText } from "./remaining.ts"
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

export interface EncodeFileRequest {
  readonly file: string
  readonly json: boolean
  readonly out: string
}

/** Encodes a local file, without any service. */
export const encodeFile = Effect.fn(function*({ file, json, out }: EncodeFileRequest) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const encoder = yield* Encoder
  const input = path.resolve(file)
  const outDir = path.resolve(out)
  if (!(yield* Effect.orElseSucceed(fs.exists(input), () => false))) {
    return yield* fail(exitCodes.badInput, `Cannot encode "${file}": there is no such file`)
  }
  const label = path.basename(file)
  const result = yield* withBoard((board) =>
    Effect.gen(function*() {
      const encoded = yield* encoder.encodeFile({
        input,
        outDir,
        token: yield* randomEncodeToken,
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
        Effect.tapError(() =>
          Effect.sync(() => board.update(label, { percent: null, note: "failed", end: "bad" }))
        )
      )
      board.update(label, { percent: 100, note: "완료", end: "good" })
      return encoded
    })
  ).pipe(
    Effect.catchTags({
      MediaRejected: (error) =>
        fail(exitCodes.badInput, `${error.messageKo}\n  ${error.messageEn}\n  (${error.code}: ${error.detail})`),
      TranscodeFailed: (error) => fail(error.retryable ? exitCodes.unavailable : exitCodes.bug, error.message),
      EncoderUnavailable: (error) => fail(exitCodes.unavailable, error.message)
    })
  )
  yield* Console.log(json ? encodeJson(result) : summary(result, out))
}, (command) => withLogs(Effect.provide(command, Encoder.layerFfmpeg)))
