import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { imageSize } from "../../src/recognition/imageSize.ts"
import { PageUnreadable, TextRecognition, TextRecognitionTesseract } from "../../src/recognition/index.ts"
import { sheet } from "./madeSheets.ts"
import * as TextRecognitionMemory from "./TextRecognitionMemory.ts"

const line = "Read the passage."

const pageOf = (bytes: Uint8Array) => ({ bytes, width: 0, height: 0, ...imageSize(bytes) })

/** What every engine promises (`TextRecognition`). */
const textRecognitionSuite = (name: string, engine: Layer.Layer<TextRecognition>): void => {
  describe(`${name} as text recognition`, () => {
    it.live("reads one page after another, and its cost only rises", () =>
      Effect.gen(function*() {
        const recognizer = yield* Effect.flatMap(TextRecognition, ({ open }) => open)
        const page = pageOf(yield* Effect.promise(() => sheet([line])))
        let before = yield* recognizer.cpuMillis
        for (let turn = 0; turn < 2; turn += 1) {
          assert.deepStrictEqual((yield* recognizer.recognize(page)).map(({ text }) => text), [line])
          const after = yield* recognizer.cpuMillis
          assert.isAbove(after, before)
          before = after
        }
      }).pipe(Effect.scoped, Effect.provide(engine)), 120_000)

    it.live("refuses what is no image, and reads the next page", () =>
      Effect.gen(function*() {
        const recognizer = yield* Effect.flatMap(TextRecognition, ({ open }) => open)
        const refused = yield* Effect.flip(recognizer.recognize(pageOf(Buffer.from("no image"))))
        assert.instanceOf(refused, PageUnreadable)
        const page = pageOf(yield* Effect.promise(() => sheet([line])))
        assert.lengthOf(yield* recognizer.recognize(page), 1)
      }).pipe(Effect.scoped, Effect.provide(engine)), 120_000)

    it.live("gives each who asks an engine of his own", () =>
      Effect.gen(function*() {
        const { open } = yield* TextRecognition
        const page = pageOf(yield* Effect.promise(() => sheet([line])))
        const read = Effect.scoped(Effect.flatMap(open, (recognizer) => recognizer.recognize(page)))
        assert.deepStrictEqual((yield* Effect.all([read, read], { concurrency: 2 })).map((lines) => lines.length), [1, 1])
      }).pipe(Effect.provide(engine)), 120_000)
  })
}

textRecognitionSuite("Tesseract", TextRecognitionTesseract.layer.pipe(Layer.provide(NodeServices.layer)))
textRecognitionSuite(
  "An engine in memory",
  TextRecognitionMemory.layerWith({
    lines: [{ text: line, confidence: 90, box: { x: 0, y: 0, width: 1, height: 1 } }],
    cpuMillisPerPage: 10
  })
)
