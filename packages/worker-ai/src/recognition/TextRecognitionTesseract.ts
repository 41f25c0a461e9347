import { Context, Deferred, Effect, FileSystem, Layer, Schema, type Scope } from "effect"
import { fileURLToPath } from "node:url"
import { createWorker, OEM } from "tesseract.js"
import {
  PageUnreadable,
  RecognitionUnavailable,
  type RecognizedLine,
  type Recognizer,
  TextRecognition
} from "./TextRecognition.ts"
import { type CostlyThread, threadCpu } from "./threadCpu.ts"

const languages = ["kor", "eng"] as const

/** The integer models: a quarter of the size of the others, and as sure on printed text. */
const modelOf = (language: typeof languages[number]): string =>
  fileURLToPath(import.meta.resolve(`@tesseract.js-data/${language}/4.0.0_best_int/${language}.traineddata.gz`))

const unavailable = (operation: string) => (cause: unknown): RecognitionUnavailable =>
  new RecognitionUnavailable({ operation, cause })

const Box = Schema.Struct({ x0: Schema.Int, y0: Schema.Int, x1: Schema.Int, y1: Schema.Int })
const Word = Schema.Struct({ confidence: Schema.Finite })
const Line = Schema.Struct({ text: Schema.String, confidence: Schema.Finite, bbox: Box, words: Schema.Array(Word) })
const Page = Schema.Struct({
  blocks: Schema.NullOr(Schema.Array(Schema.Struct({
    paragraphs: Schema.Array(Schema.Struct({ lines: Schema.Array(Line) }))
  })))
})
const decodePage = Schema.decodeUnknownEffect(Page)

/** A line is as sure as its least sure word: the mean hides the one that was misread. */
const toLine = ({ bbox: { x0, x1, y0, y1 }, confidence, text, words }: typeof Line.Type): RecognizedLine => ({
  text: text.trim(),
  confidence: Math.min(confidence, ...words.map((word) => word.confidence)),
  box: { x: x0, y: y0, width: x1 - x0, height: y1 - y0 }
})

/** What `tesseract.js` keeps of its thread and leaves out of its types. */
interface Thread extends CostlyThread {
  readonly on: (event: "error", listener: (error: Error) => void) => unknown
}
const isThread = (thread: unknown): thread is Thread =>
  typeof thread === "object" && thread !== null && "cpuUsage" in thread && typeof thread.cpuUsage === "function" &&
  "on" in thread && typeof thread.on === "function"

/** The engine takes its models from one folder, and they come in two packages. */
const layOutModels = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const models = yield* fs.makeTempDirectoryScoped({ prefix: "lectern-models-" })
  yield* Effect.forEach(languages, (language) =>
    fs.symlink(modelOf(language), `${models}/${language}.traineddata.gz`))
  return models
}).pipe(Effect.catchTag("PlatformError", (error) => Effect.fail(unavailable("lay out the models")(error))))

const open = Effect.gen(function*() {
  const models = yield* layOutModels
  const engine = yield* Effect.acquireRelease(
    Effect.tryPromise({
      try: () =>
        createWorker([...languages], OEM.LSTM_ONLY, {
          langPath: models,
          cacheMethod: "none",
          gzip: true,
          // The default throws in a callback, where nobody can catch it; a failed call rejects as well.
          errorHandler: () => {}
        }),
      catch: unavailable("start the engine")
    }),
    (engine) => Effect.promise(() => engine.terminate())
  )
  const thread: unknown = "worker" in engine ? engine.worker : null
  if (!isThread(thread)) return yield* unavailable("start the engine")(new Error("tesseract.js has no thread"))

  const died = yield* Deferred.make<never, RecognitionUnavailable>()
  thread.on("error", (error) => {
    Deferred.doneUnsafe(died, Effect.fail(unavailable("read a page")(error)))
  })

  const recognizer: Recognizer = {
    recognize: (page) =>
      Effect.tryPromise({
        try: () => engine.recognize(Buffer.from(page.bytes), {}, { blocks: true, text: false }),
        catch: (cause) => new PageUnreadable({ detail: String(cause) })
      }).pipe(
        Effect.flatMap(({ data }) => Effect.mapError(decodePage(data), unavailable("understand the engine"))),
        Effect.map(({ blocks }) =>
          (blocks ?? [])
            .flatMap(({ paragraphs }) => paragraphs.flatMap(({ lines }) => lines.map(toLine)))
            .filter(({ text }) => text !== "")
        ),
        Effect.raceFirst(Deferred.await(died)),
        Effect.withSpan("TextRecognition.recognize")
      ),
    cpuMillis: threadCpu(thread)
  }
  return recognizer
})

/** Tesseract in threads of this process, with the models of its packages: nothing is fetched from anywhere. */
export const layer: Layer.Layer<TextRecognition, never, FileSystem.FileSystem> = Layer.effect(
  TextRecognition,
  Effect.map(Effect.context<FileSystem.FileSystem>(), (context) =>
    TextRecognition.of({
      open: Effect.updateContext(open, (scope: Context.Context<Scope.Scope>) => Context.merge(context, scope))
    }))
)
