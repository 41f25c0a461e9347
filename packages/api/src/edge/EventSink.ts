/** Where a stream of events goes: one listener's connection. Nothing throws. */
export interface EventSink {
  /** Returns how many bytes the listener has not taken yet. */
  readonly write: (text: string) => number
  /** Ends the stream in good order. */
  readonly end: () => void
  /** Drops the connection with what waits in it. */
  readonly cut: () => void
}

/** Starts a stream. Returns what to call when the listener is gone. */
export type OpenEvents = (sink: EventSink) => () => void

const queueBytes = 65_536
const encoder = new TextEncoder()

/** A stream as the body of a `Response`. */
export const eventBody = (open: OpenEvents): ReadableStream<Uint8Array> => {
  let close = (): void => undefined
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      close = open({
        write: (text) => {
          controller.enqueue(encoder.encode(text))
          return queueBytes - (controller.desiredSize ?? 0)
        },
        end: () => controller.close(),
        cut: () => controller.error(new Error("The listener does not read"))
      })
    },
    cancel: () => close()
  }, new ByteLengthQueuingStrategy({ highWaterMark: queueBytes }))
}
