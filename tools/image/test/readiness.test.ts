import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { commandLine } from "../src/Engine.ts"
import { productImages } from "../src/ProductImage.ts"
import { engine } from "./Container.ts"

const program = fileURLToPath(new URL("../../../packages/cli/bin/lectern.mjs", import.meta.url))

/** What `lectern readiness` prints of its first check, where nothing else is there to be checked. */
const firstCheck = (...args: ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.callback<string>((resume) => {
    const words = [program, "readiness", ...args, "--local", "--lang", "en"]
    execFile(process.execPath, words, {
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], LECTERN_CONTAINER_ENGINE: commandLine(engine) }
    }, (_, stdout) => resume(Effect.succeed(stdout.split("\n")[0] ?? "")))
  })

describe("readiness", () => {
  it.live("passes the image of the encodes, which --docker means where no other is named", () =>
    Effect.gen(function*() {
      assert.match(yield* firstCheck("--docker"), /^\[PASS\] \[1\] .*\(78\): Node 24.* none of the API's$/)
      assert.match(yield* firstCheck("--image", productImages.video.tag), /^\[PASS\] \[1\]/)
    }))

  it.live("fails images that are no worker of encodes, by what they load", () =>
    Effect.gen(function*() {
      const origin = yield* firstCheck("--image", productImages.origin.tag)
      assert.match(origin, /^\[FAIL\] \[1\] .*not its own.*packages\/api\//)
      assert.match(yield* firstCheck("--image", productImages.ai.tag), /^\[FAIL\] \[1\] .*packages\/worker-ai\//)
    }))

  it.live("says that an image is not on this machine, and pulls none", () =>
    Effect.gen(function*() {
      assert.match(yield* firstCheck("--image", "localhost/no-such-image"), /^\[FAIL\] \[1\] .* is not on this machine/)
    }))
})
