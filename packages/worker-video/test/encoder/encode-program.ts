/** A process of its own that encodes `argv[2]` into `argv[3]` and writes each report, or its failure, as a line. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { Encoder, keepNowhere, randomEncodeToken } from "../../src/encoder/index.ts"

const [, , input = "", outDir = ""] = process.argv

Effect.gen(function* () {
  const encoder = yield* Encoder
  yield* encoder.encodeFile({
    input,
    outDir,
    source: input,
    keep: keepNowhere(yield* randomEncodeToken),
    onProgress: ({ fraction, step }) => Console.log(`${step} ${fraction}`)
  })
}).pipe(
  Effect.tapError((error) => Console.log(`${error._tag}: ${error.message}`)),
  Effect.provide(Encoder.layerFfmpeg.pipe(Layer.provide(NodeServices.layer))),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
