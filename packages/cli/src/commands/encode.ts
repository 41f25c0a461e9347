import { jobPercent, videoSteps } from "@lectern/domain"
import { type EncodeResult, Encoder, type EncodeStep, randomEncodeToken } from "@lectern/worker-video/encoder"
import { Console, Effect, FileSystem, Path, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { exitCodes, fail } from "../CommandFailed.ts"
import { remainingText } from "../remaining.ts"
import { withBoard } from "../terminal.ts"

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

export const encode = Command.make(
  "encode",
  {
    file: Argument.String("FILE").pipe(Argument.withDescription("A local video or sound file")),
    out: Flag.String("out").pipe(
      Flag.withDescription("Directory for the stream; an earlier stream of ours in it is replaced, anything else refused")
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print the result as one JSON object on standard output, and nothing else"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(function*({ file, json, out }) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const encoder = yield* Encoder
    const input = path.resolve(file)
    const outDir = path.resolve(out)
    if (!(yield* Effect.orElseSucceed(fs.exists(input), () => false))) {
      return yield* fail(exitCodes.badInput, `there is no file "${file}"`)
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
  })
).pipe(
  Command.withDescription("Encode a local file to HLS, without any service"),
  Command.withExamples([{ command: "lectern encode lecture.mp4 --out stream", description: "Leaves stream/master.m3u8" }])
)
