import { Context, type Effect, Schema, type Scope } from "effect"

/** A page as an image. */
export interface PageImage {
  /** PNG or JPEG. */
  readonly bytes: Uint8Array
  /** Pixels. */
  readonly width: number
  readonly height: number
}

/** A line as it was read. Boxes are in pixels of the page's image, from its upper left corner. */
export const RecognizedLine = Schema.Struct({
  text: Schema.String,
  /** How sure the engine is of the word that it is least sure of, 0..100. */
  confidence: Schema.Finite,
  box: Schema.Struct({ x: Schema.Int, y: Schema.Int, width: Schema.Int, height: Schema.Int })
})
export type RecognizedLine = typeof RecognizedLine.Type

/** The engine could not be started, or ended. The page is not to blame as far as is known. */
export class RecognitionUnavailable extends Schema.TaggedError<RecognitionUnavailable>()("RecognitionUnavailable", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Cannot ${this.operation}: text recognition is unavailable`
  }
}

/** The engine cannot decode the image; it never will. */
export class PageUnreadable extends Schema.TaggedError<PageUnreadable>()("PageUnreadable", { detail: Schema.String }) {
  override get message(): string {
    return `Cannot read the page: ${this.detail}`
  }
}

export interface Recognizer {
  /**
   * The lines of a page from top to bottom, those without text left out. One page at a time. After an interruption
   * the recognizer is of no more use; its scope ends what it was doing.
   */
  readonly recognize: (
    page: PageImage
  ) => Effect.Effect<ReadonlyArray<RecognizedLine>, PageUnreadable | RecognitionUnavailable>
  /** Milliseconds of processor time that this recognizer has cost so far. It moves while the engine does. */
  readonly cpuMillis: Effect.Effect<number>
}

/**
 * Reads Korean and English text from images. An engine never blocks the thread that asks it: whoever waits for a page
 * goes on breathing.
 */
export class TextRecognition extends Context.Service<TextRecognition, {
  /** An engine of one's own, until the scope closes. */
  readonly open: Effect.Effect<Recognizer, RecognitionUnavailable, Scope.Scope>
}>()("@lectern/worker-ai/TextRecognition") {}
