import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { systemError } from "effect/PlatformError"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { clearDemoDirectory, markerText } from "../src/demoDirectory.ts"
import { ownFolder } from "./lecternProgram.ts"

const full = systemError({ _tag: "Unknown", module: "FileSystem", method: "writeFile" })

describe("the directory of a demo", () => {
  it.effect("is gone where a full disk has no room for its marker, and is made the next time", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* Effect.promise(ownFolder)
      const data = join(folder, "demo")
      const onFullDisk = FileSystem.FileSystem.of({
        ...fs,
        writeFileString: (path) => Effect.andThen(fs.writeFileString(path, ""), Effect.fail(full))
      })
      const error = yield* Effect.flip(
        Effect.provideService(clearDemoDirectory(data), FileSystem.FileSystem, onFullDisk)
      )
      assert.strictEqual(error, full)
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(folder)), [])
      yield* clearDemoDirectory(data)
      assert.strictEqual(yield* Effect.promise(() => readFile(join(data, "demo"), "utf8")), markerText)
    }).pipe(Effect.provide(NodeServices.layer)))
})
