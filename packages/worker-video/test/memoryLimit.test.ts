import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, PlatformError } from "effect"
import { readMemoryLimit } from "../src/memoryLimit.ts"

const machine = (files: Readonly<Record<string, string>>) =>
  FileSystem.layerNoop({
    readFileString: (path) => {
      const text = files[path]
      return text === undefined
        ? Effect.fail(PlatformError.systemError({ _tag: "NotFound", module: "FileSystem", method: "readFileString", pathOrDescriptor: path }))
        : Effect.succeed(text)
    }
  })

describe("readMemoryLimit", () => {
  it.effect("reads control groups of the second version", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* readMemoryLimit, { kills: 2, bytes: 268_435_456 })
    }).pipe(Effect.provide(machine({
      "/sys/fs/cgroup/memory.events": "low 0\nhigh 0\nmax 41\noom 3\noom_kill 2\noom_group_kill 1\n",
      "/sys/fs/cgroup/memory.max": "268435456\n"
    }))))

  it.effect("reads control groups of the first version", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* readMemoryLimit, { kills: 1, bytes: 209_715_200 })
    }).pipe(Effect.provide(machine({
      "/sys/fs/cgroup/memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "209715200\n"
    }))))

  it.effect("knows both versions' words for no limit", () =>
    Effect.gen(function*() {
      const second = yield* readMemoryLimit.pipe(Effect.provide(machine({
        "/sys/fs/cgroup/memory.events": "oom_kill 0\n",
        "/sys/fs/cgroup/memory.max": "max\n"
      })))
      const first = yield* readMemoryLimit.pipe(Effect.provide(machine({
        "/sys/fs/cgroup/memory/memory.oom_control": "oom_kill 0\n",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"
      })))
      assert.deepStrictEqual([second, first], [{ kills: 0, bytes: null }, { kills: 0, bytes: null }])
    }))

  it.effect("tells of no kills where there is nothing to ask", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* readMemoryLimit, { kills: 0, bytes: null })
    }).pipe(Effect.provide(machine({}))))
})
