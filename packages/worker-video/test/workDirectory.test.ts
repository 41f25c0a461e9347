import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { workDirectory } from "../src/workDirectory.ts"

/** The id of a process that has ended. */
const endedProcess = Effect.gen(function*() {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const child = yield* spawner.spawn(ChildProcess.make("true", []))
  yield* child.exitCode
  return Number(child.pid)
}).pipe(Effect.scoped)

describe("workDirectory", () => {
  it.live("is for this user alone, and gone when its scope ends", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const root = yield* fs.makeTempDirectoryScoped()
      const made = yield* Effect.scoped(Effect.gen(function*() {
        const path = yield* workDirectory(root)
        assert.strictEqual((yield* fs.stat(path)).mode & 0o777, 0o700)
        yield* fs.writeFileString(`${path}/input`, "bytes")
        return path
      }))
      assert.isFalse(yield* fs.exists(made))
      assert.deepStrictEqual(yield* fs.readDirectory(root), [])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("begins by removing what a killed run has left, and nothing of one that runs or is none of ours", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const root = yield* fs.makeTempDirectoryScoped()
      const killed = `encode-${yield* endedProcess}-abc`
      const kept = [`encode-${process.pid}-abc`, "encode-of-mine", "lectures"]
      for (const name of [killed, ...kept]) {
        yield* fs.makeDirectory(`${root}/${name}`)
        yield* fs.writeFileString(`${root}/${name}/input`, "bytes")
      }
      yield* Effect.scoped(workDirectory(root))
      assert.deepStrictEqual((yield* fs.readDirectory(root)).toSorted(), kept.toSorted())
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
})
