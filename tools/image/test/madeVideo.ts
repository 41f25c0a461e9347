import { Effect } from "effect"
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const run = promisify(execFile)

/** The sample: 30 s of 768x432. */
export const sampleVideo: Effect.Effect<Uint8Array> = Effect.promise(() =>
  readFile(fileURLToPath(new URL("../../../media/car-detection.mp4", import.meta.url)))
)

/** A video made on the spot, by this machine's ffmpeg. */
export const madeVideo = (
  { seconds, size }: { readonly seconds: number; readonly size: string }
): Effect.Effect<Uint8Array> =>
  Effect.promise(async () => {
    const words = [
      `-v error -f lavfi -i testsrc2=s=${size}:r=25:d=${seconds}`,
      "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -f matroska -"
    ].join(" ").split(" ")
    const { stdout } = await run("ffmpeg", words, { encoding: "buffer", maxBuffer: 256 * 1024 * 1024 })
    return stdout
  })
