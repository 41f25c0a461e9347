import { assert, it } from "@effect/vitest"
import { temporaryFolder, Warden } from "@lectern/harness"
import { Effect, Exit, Scope } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { lockFolder } from "../../src/postgres/FolderLock.ts"

const holder = fileURLToPath(new URL("fixtures/lockHolder.ts", import.meta.url))

/** A process that holds the lock of a folder and lives until it is killed. */
const startHolder = (folder: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const child = Warden.held(spawn(process.execPath, [holder, folder], { stdio: ["ignore", "pipe", "inherit"] }))
      await once(child.stdout, "data")
      return child
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

it.live("says which process holds the folder", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder("lock")
    const child = yield* startHolder(folder)
    const refused = yield* Effect.flip(lockFolder(folder))
    assert.strictEqual(
      refused.message,
      `Cannot open the database in ${folder}: process ${child.pid} is using it; stop it, or set DATABASE_URL`
    )
  }))

it.live("takes over the lock of a process that was killed", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder("lock")
    const child = yield* startHolder(folder)
    child.kill("SIGKILL")
    yield* Effect.promise(() => once(child, "exit"))
    yield* lockFolder(folder)
    assert.include(readFileSync(join(folder, "lock"), "utf8"), `"pid":${process.pid}`)
  }))

it.live("takes over the lock of a dead process whose number a living one was given", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder("lock")
    writeFileSync(join(folder, "lock"), JSON.stringify({ pid: process.ppid, startedAt: "1" }))
    yield* lockFolder(folder)
  }))

it.live("takes over a lock that is no lock's text", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder("lock")
    writeFileSync(join(folder, "lock"), "")
    yield* lockFolder(folder)
  }))

it.live("lets go of the folder when the scope closes, and not before", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder("lock")
    writeFileSync(join(folder, "lock"), JSON.stringify({ pid: process.ppid, startedAt: "1" }))
    const child = yield* startHolder(folder)
    assert.strictEqual((yield* Effect.flip(lockFolder(folder)))._tag, "FolderInUse")
    child.kill("SIGKILL")
    yield* Effect.promise(() => once(child, "exit"))
    const scope = yield* Scope.make()
    yield* Scope.provide(lockFolder(folder), scope)
    assert.strictEqual((yield* Effect.flip(lockFolder(folder)))._tag, "FolderInUse")
    yield* Scope.close(scope, Exit.void)
    yield* lockFolder(folder)
  }))
