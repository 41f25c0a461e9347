import type { TranscodeProgress } from "./Transcoder.ts"

const numberOrNull = (text: string | undefined): number | null => {
  const value = Number.parseFloat(text ?? "")
  return Number.isFinite(value) && value >= 0 ? value : null
}

/**
 * Puts the blocks together that `ffmpeg -progress` writes, one line at a time, on a channel that its log shares.
 *
 * `accept` returns the block's values with its last line, `"log"` for a line that is no part of a block, else `null`.
 */
export const progressLines = () => {
  let values = new Map<string, string>()
  return {
    accept: (line: string): TranscodeProgress | "log" | null => {
      const match = /^([a-z][a-z0-9_]*)=\s*(\S*)\s*$/.exec(line)
      const key = match?.[1]
      if (key === undefined) return line.trim() === "" ? null : "log"
      if (key !== "progress") {
        values.set(key, match?.[2] ?? "")
        return null
      }
      const block = values
      values = new Map()
      return {
        outTimeMicros: numberOrNull(block.get("out_time_us")),
        frame: numberOrNull(block.get("frame")),
        speed: numberOrNull(block.get("speed"))
      }
    }
  }
}
