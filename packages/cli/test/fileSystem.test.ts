import { assert, describe, it } from "@effect/vitest"
import { fileFault } from "@lectern/domain"
import { Effect, FileSystem } from "effect"
import { existsSync } from "node:fs"
import { chmod, mkdir, stat, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { layerFileSystem } from "../src/fileSystem.ts"
import { ownFolder } from "./lecternProgram.ts"

const makeWithParents = (path: string, mode?: number) =>
  FileSystem.FileSystem.pipe(
    Effect.flatMap((fs) => fs.makeDirectory(path, { recursive: true, ...(mode === undefined ? {} : { mode }) })),
    Effect.provide(layerFileSystem)
  )

const refusal = (path: string) => Effect.map(Effect.flip(makeWithParents(path)), ({ reason }) => reason._tag)

describe("making a folder with those above it", () => {
  it.effect("makes what is missing, and leaves what is there as it is", () =>
    Effect.gen(function*() {
      const folder = yield* Effect.promise(ownFolder)
      yield* Effect.promise(() => chmod(folder, 0o750))
      const path = join(folder, "한글 a", "b", "c")
      for (const _time of ["first", "second"]) yield* makeWithParents(path, 0o700)
      assert.isTrue(existsSync(path))
      const modeOf = async (place: string) => (await stat(place)).mode & 0o777
      assert.deepStrictEqual(yield* Effect.promise(() => Promise.all([path, folder].map(modeOf))), [0o700, 0o750])
      yield* makeWithParents("/")
    }))

  it.effect("is done twice at once without harm", () =>
    Effect.gen(function*() {
      const path = join(yield* Effect.promise(ownFolder), "a", "b", "c", "d")
      yield* Effect.all(Array.from({ length: 8 }, () => makeWithParents(path)), { concurrency: "unbounded" })
      assert.isTrue(existsSync(path))
    }))

  it.effect("follows a link to a folder, and refuses one that leads nowhere", () =>
    Effect.gen(function*() {
      const folder = yield* Effect.promise(ownFolder)
      yield* Effect.promise(async () => {
        await mkdir(join(folder, "real"))
        await symlink(join(folder, "real"), join(folder, "link"))
        await symlink(join(folder, "gone"), join(folder, "dangling"))
      })
      yield* makeWithParents(join(folder, "link", "a"))
      assert.isTrue(existsSync(join(folder, "real", "a")))
      yield* makeWithParents(join(folder, "link"))
      assert.strictEqual(yield* refusal(join(folder, "dangling")), "AlreadyExists")
      assert.strictEqual(yield* refusal(join(folder, "dangling", "a")), "AlreadyExists")
    }))

  it.effect("is refused where a file stands in the way", () =>
    Effect.gen(function*() {
      const file = join(yield* Effect.promise(ownFolder), "file")
      yield* Effect.promise(() => writeFile(file, ""))
      assert.strictEqual(yield* refusal(file), "AlreadyExists")
      assert.strictEqual(yield* refusal(join(file, "a")), "BadResource")
    }))

  it.effect.skipIf(!existsSync("/proc/self"))("ends where a folder that is there takes none", () =>
    Effect.gen(function*() {
      for (const path of ["/proc/x", "/proc/x/y/z"]) {
        const error = yield* Effect.flip(makeWithParents(path))
        assert.strictEqual(fileFault(error), "no directory can be made in \"/proc\"")
      }
    }))
})
