import { temporaryFolder } from "@lectern/harness"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)

/** An mp4 with picture and sound, made on the spot by ffmpeg's own sources. */
export const madeVideo = (options: { readonly seconds: number; readonly size?: string }): Effect.Effect<Buffer<ArrayBuffer>> =>
  Effect.scoped(Effect.gen(function*() {
    const file = join(yield* Effect.orDie(temporaryFolder("video")), "made.mp4")
    const { seconds, size = "320x180" } = options
    yield* Effect.promise(() =>
      run(
        "ffmpeg",
        [
          `-v error -f lavfi -i testsrc2=s=${size}:r=25:d=${seconds} -f lavfi -i sine=f=440:d=${seconds}`,
          "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac"
        ].join(" ").split(" ").concat(file)
      )
    )
    return yield* Effect.promise(() => readFile(file))
  }))
