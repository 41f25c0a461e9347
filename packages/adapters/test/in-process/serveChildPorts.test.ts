import { assert, describe, it } from "@effect/vitest"
import { EncodeRuntime, JobId, jobSubject, ProgressReader, TenantId } from "@lectern/domain"
import { MirrorMemory, ProgressMirrorMemory } from "@lectern/domain/memory"
import { temporaryFolder, Warden } from "@lectern/harness"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { EncodeRuntimeProcess, ProgressMirrorParent, SqlClientParent } from "../../src/in-process/index.ts"
import { layerPglite, PgliteHost } from "../../src/postgres/index.ts"
import { stateWhen } from "../conformance/EncodeRuntimeSuite.ts"
import { isAlive, report, when } from "./liveness.ts"

const worker = fileURLToPath(new URL("fixtures/portsWorker.ts", import.meta.url))
const parent = fileURLToPath(new URL("fixtures/parent.ts", import.meta.url))

const job = (id: string) => ({ tenantId: TenantId.make(7), jobId: JobId.make(id), submission: 1 })

/** A machine: a database in memory with a table, a mirror, and children that may use both. */
const machine = Effect.gen(function*() {
  const folder = yield* temporaryFolder("ports")
  const services = yield* Layer.build(
    layerPglite.pipe(
      Layer.provideMerge(PgliteHost.layer({ dataDir: null })),
      Layer.provideMerge(ProgressMirrorMemory.layer)
    )
  )
  const sql = Context.get(services, SqlClient)
  yield* sql`CREATE TABLE notes (id int PRIMARY KEY, body text NOT NULL, raw bytea)`
  const runtime = yield* Layer.build(EncodeRuntimeProcess.layer({
    command: process.execPath,
    args: [worker],
    env: { REPORTS: folder },
    concurrency: 2,
    ports: { sql: Context.get(services, PgliteHost).acquire, mirror: Context.get(services, MirrorMemory).write }
  }))
  return { folder, sql, reader: Context.get(services, ProgressReader), runtime: Context.get(runtime, EncodeRuntime) }
})

describe("a child process and its parent's ports", () => {
  it.live("runs statements and transactions on the parent's database, its errors told apart as on its own", () =>
    Effect.gen(function*() {
      const { folder, runtime, sql } = yield* machine
      const id = yield* runtime.submit(job("sql"))
      const end = yield* Effect.provideService(stateWhen(id, "Ended"), EncodeRuntime, runtime)
      assert.strictEqual(end?._tag === "Ended" ? end.exitCode : undefined, 0)
      assert.deepStrictEqual(yield* report(folder, "sql.json", Schema.Unknown), {
        undone: "Failure",
        twice: "UniqueViolation",
        wrong: "SqlSyntaxError",
        many: [1, 2, 3, 4, 5],
        rows: [{ id: 1, body: "안녕" }]
      })
      const rows = yield* sql<{ readonly raw: Uint8Array }>`SELECT raw FROM notes`
      assert.deepStrictEqual(rows.map(({ raw }) => [...raw]), [[0, 255]])
    }))

  it.live("rolls back what a child left open when it dies, and lends the database to the next", () =>
    Effect.gen(function*() {
      const { folder, runtime, sql } = yield* machine
      yield* runtime.submit(job("holds"))
      const { pid } = yield* report(folder, "holds.json", Schema.Struct({ pid: Schema.Int }))
      process.kill(pid, "SIGKILL")
      assert.deepStrictEqual(yield* sql`SELECT id FROM notes`, [])
    }))

  it.live("writes into the parent's mirror, where an older value stays out", () =>
    Effect.gen(function*() {
      const { folder, reader, runtime } = yield* machine
      yield* runtime.submit(job("mirror-1"))
      assert.deepStrictEqual(yield* report(folder, "mirror.json", Schema.Unknown), { first: "Written", second: "Stale" })
      const [stored] = yield* reader.read(TenantId.make(7), [jobSubject(JobId.make("mirror-1"))])
      assert.include(stored?.status ?? "", "\"PENDING\"")
    }))

  it.live("ends with its parent, even when that is killed", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder("orphan")
      const middle = yield* Effect.acquireRelease(
        Effect.sync(() => Warden.held(spawn(process.execPath, [parent, worker, folder], { stdio: "ignore" }))),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      const { pid } = yield* report(folder, "orphan.json", Schema.Struct({ pid: Schema.Int }))
      assert.isTrue(isAlive(pid))
      middle.kill("SIGKILL")
      yield* when(() => !isAlive(pid))
    }))
})

describe("the child side without a parent", () => {
  const withoutChannel = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        // The test runner's own worker has a channel; this process is to have none.
        const send = Reflect.get(process, "send")
        Reflect.set(process, "send", undefined)
        return send
      }),
      () => effect,
      (send) => Effect.sync(() => Reflect.set(process, "send", send))
    )

  it.effect("has no database, and says so", () =>
    withoutChannel(Effect.gen(function*() {
      const failure = yield* Effect.flip(Effect.scoped(Layer.build(SqlClientParent.layer)))
      assert.strictEqual(failure._tag, "IpcUnavailable")
    })))

  it.effect("starts without a mirror", () =>
    withoutChannel(Effect.asVoid(Effect.scoped(Layer.build(ProgressMirrorParent.layer)))))
})
