import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Path } from "effect"
import { keepInFolder } from "../../src/encoder/index.ts"
import { temporary } from "./MadeMedia.ts"

/** An output directory's place, with a part of one file made beside it as an encode would. */
const place = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const parent = yield* temporary
  const work = paths.join(parent, "work")
  yield* fileSystem.makeDirectory(paths.join(work, "v360"), { recursive: true })
  yield* fileSystem.writeFileString(paths.join(work, "v360", "a.m4s"), "segment")
  return { parent, work, outDir: paths.join(parent, "out"), folder: paths.join(parent, ".out.parts") }
})

layer(NodeServices.layer, { excludeTestServices: true })("parts in a folder", (it) => {
  it.effect("are there for the next process, with the same token, until they are removed", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const { folder, outDir, parent, work } = yield* place
      const first = yield* (yield* keepInFolder(outDir)).keep("key")
      yield* first.keep("pictures-00000", 1, work, ["v360/a.m4s"])
      const later = yield* keepInFolder(outDir)
      const second = yield* later.keep("key")
      assert.strictEqual(second.token, first.token)
      assert.deepStrictEqual([...(yield* second.states)], [["pictures-00000", "Finished"]])
      const target = `${parent}/target`
      assert.deepStrictEqual(yield* second.fetch("pictures-00000", target), ["v360/a.m4s"])
      assert.strictEqual(yield* fileSystem.readFileString(`${target}/v360/a.m4s`), "segment")
      yield* later.remove
      assert.isFalse(yield* fileSystem.exists(folder))
    })
  )

  it.effect("are gone when the source or the settings are others, and so is what a killed encode left beside them", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const { outDir, parent, work } = yield* place
      const first = yield* (yield* keepInFolder(outDir)).keep("key")
      yield* first.keep("pictures-00000", 1, work, ["v360/a.m4s"])
      yield* fileSystem.makeDirectory(`${parent}/.out.${first.token}.room`)
      const second = yield* (yield* keepInFolder(outDir)).keep("other")
      assert.deepStrictEqual([...(yield* second.states)], [])
      assert.notStrictEqual(second.token, first.token)
      assert.sameMembers(yield* fileSystem.readDirectory(parent), [".out.parts", "work"])
    })
  )

  it.effect("count as kept when all of their files are there, and not before", () =>
    Effect.gen(function* () {
      const { outDir, work } = yield* place
      const keeper = yield* (yield* keepInFolder(outDir)).keep("key")
      const error = yield* Effect.flip(keeper.keep("pictures-00000", 1, work, ["v360/a.m4s", "v360/missing.m4s"]))
      assert.strictEqual(error._tag, "TranscodeFailed")
      assert.deepStrictEqual([...(yield* keeper.states)], [])
      yield* keeper.keep("pictures-00000", 1, work, ["v360/a.m4s"])
      assert.deepStrictEqual([...(yield* keeper.states).keys()], ["pictures-00000"])
    })
  )

  it.effect("are left alone while another process is at work on them", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const { folder, outDir, work } = yield* place
      const first = yield* (yield* keepInFolder(outDir)).keep("key")
      yield* first.keep("pictures-00000", 1, work, ["v360/a.m4s"])
      yield* fileSystem.writeFileString(`${folder}/pid`, String(process.ppid))
      const other = yield* keepInFolder(outDir)
      assert.include((yield* Effect.flip(other.keep("key"))).message, `process ${process.ppid}`)
      yield* other.remove
      assert.deepStrictEqual([...(yield* first.states).keys()], ["pictures-00000"])
    })
  )

  it.effect("begin anew where a full disk has left the files of the process and of the token empty", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const { folder, outDir } = yield* place
      yield* fileSystem.makeDirectory(`${folder}/key`, { recursive: true })
      yield* fileSystem.writeFileString(`${folder}/pid`, "")
      yield* fileSystem.writeFileString(`${folder}/key/token`, "")
      const keeper = yield* (yield* keepInFolder(outDir)).keep("key")
      assert.deepStrictEqual([...(yield* keeper.states)], [])
      assert.strictEqual(yield* fileSystem.readFileString(`${folder}/key/token`), keeper.token)
    })
  )

  it.effect("say what stands in their way", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const { outDir, parent } = yield* place
      yield* fileSystem.writeFileString(`${parent}/.out.parts`, "")
      const { message } = yield* Effect.flip((yield* keepInFolder(outDir)).keep("key"))
      assert.include(message, `Cannot keep parts in "${parent}/.out.parts": a file stands where a directory is needed`)
    })
  )
})
