import { Stream } from "effect"

/** Cuts a stream of bytes into parts of exactly `partBytes`, the last one shorter. It holds one part at a time. */
export const partsOf = <E>(
  body: Stream.Stream<Uint8Array, E>,
  partBytes: number
): Stream.Stream<Uint8Array, E> =>
  Stream.suspend(() => {
    let part = new Uint8Array(partBytes)
    let filled = 0
    return Stream.mapAccum(
      body,
      () => null,
      (state, chunk: Uint8Array) => {
        const full: Array<Uint8Array> = []
        for (let offset = 0; offset < chunk.byteLength;) {
          const taken = Math.min(partBytes - filled, chunk.byteLength - offset)
          part.set(chunk.subarray(offset, offset + taken), filled)
          filled += taken
          offset += taken
          if (filled === partBytes) {
            full.push(part)
            part = new Uint8Array(partBytes)
            filled = 0
          }
        }
        return [state, full]
      },
      { onHalt: () => filled === 0 ? [] : [part.subarray(0, filled)] }
    )
  })
