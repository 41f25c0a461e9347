import { boxesIn } from "./IsoBoxes.ts"

/** An init file, and the first segment as it should be. */
export interface FirstSegment {
  readonly init: Uint8Array
  readonly segment: Uint8Array
}

/**
 * Puts a rendition's first fragments where they belong. ffmpeg writes what it has made before the first cut into the
 * init file if fragments are shorter than segments: they belong behind the first segment, which has a head alone.
 */
export const completeFirstSegment = (init: Uint8Array, segment: Uint8Array): FirstSegment => {
  const end = boxesIn(init).find(({ type }) => type === "moov")?.end ?? init.length
  const whole = new Uint8Array(segment.length + init.length - end)
  whole.set(segment)
  whole.set(init.subarray(end), segment.length)
  return { init: init.subarray(0, end), segment: whole }
}
