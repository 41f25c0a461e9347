import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { createGzip } from "node:zlib"
import { productImages } from "../src/ProductImage.ts"
import { engine, runContainer } from "./Container.ts"
import { closureOf, LockFile } from "./LockFile.ts"

const root = fileURLToPath(new URL("../../../", import.meta.url))
const lock = Schema.decodeUnknownSync(Schema.fromJsonString(LockFile))(readFileSync(`${root}package-lock.json`, "utf8"))

/** Every folder in the image's node_modules that is a package, with its scope. */
const listPackages = [
  "cd /app/node_modules && ls -d [!.@]* @*/*",
  "ls -d */node_modules/[!.@]* */node_modules/@*/* */*/node_modules/[!.@]* */*/node_modules/@*/* 2>/dev/null; true"
].join(" && ")

/** The size of an image as a registry would hold it, in bytes: its layers, compressed. */
const compressedBytes = (tag: string): Effect.Effect<number> =>
  Effect.callback<number>((resume) => {
    let bytes = 0
    const saving = spawn(engine.command, [...engine.options, "save", tag], { stdio: ["ignore", "pipe", "ignore"] })
    saving.stdout.pipe(createGzip()).on("data", (chunk: Buffer) => {
      bytes += chunk.length
    }).once("end", () => resume(Effect.succeed(bytes)))
  })

/** What the image of the encodes may have, in bytes: Debian's ffmpeg is most of it. */
const videoLimit = 270_000_000

describe.for(Object.values(productImages))("the image $name", ({ tag, workspace }) => {
  it.live("holds the packages of its own closure and no other", () =>
    Effect.gen(function*() {
      const container = yield* runContainer({
        image: tag,
        options: ["--entrypoint", "sh"],
        command: ["-c", listPackages]
      })
      assert.strictEqual(yield* container.exitCode, 0, container.output())
      const installed = container.lines().map((path) => path.replace(/^.*node_modules\//, ""))
      const own = closureOf(lock, workspace)
      assert.deepStrictEqual(installed.filter((name) => !own.has(name)), [])
      assert.include(installed, workspace)
    }))

  it.live("is not root", () =>
    Effect.gen(function*() {
      const container = yield* runContainer({ image: tag, options: ["--entrypoint", "id"], command: ["-u"] })
      assert.strictEqual(yield* container.exitCode, 0)
      assert.deepStrictEqual(container.lines(), ["10001"])
    }))
})

it.live("the image of the encodes is small enough to be pulled while a job waits", () =>
  Effect.gen(function*() {
    const bytes = yield* compressedBytes(productImages.video.tag)
    console.log(`image: ${productImages.video.tag} has ${(bytes / 1_000_000).toFixed(0)} MB, compressed`)
    assert.isAbove(bytes, 50_000_000, "that is an image at all")
    assert.isBelow(bytes, videoLimit)
  }))

/** Milliseconds that programs take inside a container, by the clock of its own shell. */
const timed = `t() { a=$(date +%s%N); "$@" >/dev/null 2>&1; b=$(date +%s%N); echo $(((b - a) / 1000000)); }
t node -e 0; t node packages/worker-video/src/main.ts`

it.live("the encode worker says its first word soon, which is measured and not judged", () =>
  Effect.gen(function*() {
    const container = yield* runContainer({
      image: productImages.video.tag,
      options: ["--entrypoint", "sh"],
      command: ["-c", timed]
    })
    assert.strictEqual(yield* container.exitCode, 0, container.output())
    const [bare, worker] = container.lines().map(Number)
    console.log(`image: bare Node ${bare} ms, the worker's whole refused start ${worker} ms`)
    assert.isTrue(Number.isFinite(bare) && Number.isFinite(worker), container.output())
  }))
