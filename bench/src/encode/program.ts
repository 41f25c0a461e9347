/**
 * A process of its own that encodes `argv[2]` into `argv[3]`, keeping finished groups beside it (`argv[4]` is "groups")
 * or nowhere, and writes what happens as lines of JSON: see `Line` in `ourRun.ts`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import {
  Encoder,
  keepInFolder,
  keepNowhere,
  type PartKeeper,
  randomEncodeToken,
  type TranscodeFailed
} from "@lectern/worker-video/encoder"
import { Effect, Layer } from "effect"

const [, , input = "", outDir = "", mode = ""] = process.argv

// From the start of the process: what Node and our modules take to load is part of the price.
const write = (line: object): void =>
  void process.stdout.write(`${JSON.stringify({ at: performance.now(), ...line })}\n`)

const told = (keeper: PartKeeper<TranscodeFailed>): PartKeeper<TranscodeFailed> => ({
  ...keeper,
  keep: (part, ...rest) => Effect.tap(keeper.keep(part, ...rest), () => Effect.sync(() => write({ kept: part })))
})

Effect.gen(function*() {
  const encoder = yield* Encoder
  const folder = yield* keepInFolder(outDir)
  const token = yield* randomEncodeToken
  const result = yield* encoder.encodeFile<TranscodeFailed>({
    input,
    outDir,
    source: input,
    keep: mode === "groups" ? (key) => Effect.map(folder.keep(key), told) : keepNowhere(token),
    onProgress: ({ fraction, remainingSeconds, step }) => Effect.sync(() => write({ step, fraction, remainingSeconds }))
  })
  if (mode === "groups") yield* folder.remove
  write({ frames: result.frames })
}).pipe(
  Effect.provide(Encoder.layerFfmpeg.pipe(Layer.provideMerge(NodeServices.layer))),
  NodeRuntime.runMain
)
