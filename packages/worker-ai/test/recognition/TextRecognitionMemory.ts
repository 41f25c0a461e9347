import { Effect, Layer, Ref } from "effect"
import { imageSize } from "../../src/recognition/imageSize.ts"
import { PageUnreadable, type RecognizedLine, TextRecognition } from "../../src/recognition/index.ts"

/** An engine that reads from every page what it is told to, at a price in milliseconds of processor time. */
export const layerWith = (
  options: {
    readonly lines: ReadonlyArray<RecognizedLine>
    readonly cpuMillisPerPage: number
    readonly takes?: Effect.Effect<void>
  }
): Layer.Layer<TextRecognition> =>
  Layer.succeed(
    TextRecognition,
    TextRecognition.of({
      open: Effect.map(Ref.make(0), (spent) => ({
        recognize: ({ bytes }) =>
          imageSize(bytes) === null
            ? Effect.fail(new PageUnreadable({ detail: "it is no image" }))
            : Ref.update(spent, (millis) => millis + options.cpuMillisPerPage).pipe(
              Effect.andThen(options.takes ?? Effect.void),
              Effect.as(options.lines)
            ),
        cpuMillis: Ref.get(spent)
      }))
    })
  )
