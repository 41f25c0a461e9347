import { assert, it } from "@effect/vitest"
import { JobStore, type JobStoreUnavailable } from "@lectern/domain"
import { ClosedPort, describeIf, NeonProxy, PostgresServer } from "@lectern/harness"
import { Deferred, Effect, Fiber, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { TestClock } from "effect/testing"
import { connectionLimits, JobStorePostgres, layerNeon, layerTcp } from "../../src/postgres/index.ts"
import { withTransaction } from "../../src/postgres/withTransaction.ts"
import { unavailableWhen } from "../../src/postgres/databaseFailure.ts"
import { newJobId, newTenant } from "../conformance/JobStoreConformance.ts"
import { migrated, neon, tcp, TestDatabase } from "./TestDatabase.ts"

/** Ends every session of this database but the one that asks: what a failover or an operator does. */
const terminateOthers = Effect.gen(function*() {
  const { url } = yield* TestDatabase
  const killed = yield* Effect.flatMap(SqlClient, (sql) =>
    sql`SELECT count(pg_terminate_backend(pid))::integer AS killed FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`).pipe(Effect.provide(layerTcp({ url })))
  assert.isAbove(Number(killed[0]?.["killed"]), 0)
})

const withTerminated = Effect.gen(function*() {
  const store = yield* JobStore
  const sql = yield* SqlClient
  const tenant = newTenant()
  const id = newJobId()
  yield* store.createJob(tenant, { id, kind: "student_import", payload: {} })

  const failure: JobStoreUnavailable = yield* Effect.flip(
    withTransaction(
      sql,
      Effect.gen(function*() {
        yield* sql`UPDATE jobs SET step = 'never' WHERE id = ${id}`
        yield* terminateOthers
        yield* sql`SELECT 1 AS after`
      })
    ).pipe(unavailableWhen("try"))
  )
  assert.strictEqual(failure._tag, "JobStoreUnavailable")
  assert.isTrue(failure.retryable)
  assert.strictEqual((yield* store.getJob(tenant, id)).job.step, null)

  // Idle ones now: the pool may notice by itself, or the next call does and says that it may be said again.
  yield* terminateOthers
  const claimed = yield* store.claim(tenant, id, { owner: "worker", leaseMillis: 60_000 }).pipe(
    Effect.retry({ times: connectionLimits.connections, while: (error) => error._tag === "JobStoreUnavailable" && error.retryable })
  )
  assert.strictEqual(claimed._tag, "Claimed")
})

const stores = JobStorePostgres.layer.pipe(Layer.provide(migrated))

describeIf(PostgresServer.availability, "a lost connection", () => {
  it.live("is an error that a retry mends, over TCP", () =>
    withTerminated.pipe(
      Effect.provide(
        stores.pipe(Layer.provideMerge(tcp), Layer.provideMerge(TestDatabase.layer), Layer.provide(PostgresServer.layer))
      )
    ))

  it.live("is an error that a retry mends, through Neon's driver", () =>
    withTerminated.pipe(
      Effect.provide(
        stores.pipe(
          Layer.provideMerge(neon),
          Layer.provideMerge(TestDatabase.layer),
          Layer.provide(NeonProxy.layer),
          Layer.provide(PostgresServer.layer)
        )
      )
    ))

  it.live("is replaced when the proxy before the database restarts", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const proxy = yield* NeonProxy
      yield* store.ping
      yield* proxy.sever
      yield* Effect.retry(store.ping, { times: connectionLimits.connections, while: (error) => error.retryable })
    }).pipe(
      Effect.provide(
        stores.pipe(
          Layer.provideMerge(neon),
          Layer.provide(TestDatabase.layer),
          Layer.provideMerge(NeonProxy.layer),
          Layer.provide(PostgresServer.layer)
        )
      )
    ))

  for (const driver of ["TCP", "Neon's driver"] as const) {
    it.live(`is not waited for when its query was given up, with one connection in all, by ${driver}`, () =>
      Effect.gen(function*() {
        const { url } = yield* TestDatabase
        const { wsProxy } = yield* NeonProxy
        const client = driver === "TCP"
          ? layerTcp({ url, maxConnections: 1 })
          : layerNeon({ url, maxConnections: 1, wsProxy, useSecureWebSocket: false, pipelineConnect: false })
        yield* Effect.gen(function*() {
          const sql = yield* SqlClient
          yield* sql`CREATE TABLE given_up (a integer)`
          const begun = yield* Deferred.make<void>()
          const slow = yield* withTransaction(
            sql,
            Effect.gen(function*() {
              yield* sql`INSERT INTO given_up VALUES (1)`
              // The query is on its way when its fiber waits for the answer, and only then comes the other's turn.
              yield* Effect.all([sql`SELECT 1 AS slept FROM pg_sleep(3600)`, Deferred.succeed(begun, undefined)], {
                concurrency: "unbounded"
              })
            })
          ).pipe(Effect.forkChild)
          yield* Deferred.await(begun)
          yield* Fiber.interrupt(slow)
          assert.deepStrictEqual(yield* sql`SELECT a FROM given_up`, [])
        }).pipe(Effect.provide(client))
      }).pipe(
        Effect.provide(
          TestDatabase.layer.pipe(Layer.provideMerge(NeonProxy.layer), Layer.provide(PostgresServer.layer))
        )
      ))
  }

  it.live("has limits on the server too, over TCP", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient
      assert.deepStrictEqual(
        yield* sql`SELECT name, setting FROM pg_settings
          WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') ORDER BY name`,
        [
          { name: "idle_in_transaction_session_timeout", setting: String(connectionLimits.idleInTransaction) },
          { name: "lock_timeout", setting: String(connectionLimits.lock) },
          { name: "statement_timeout", setting: String(connectionLimits.statement) }
        ]
      )
    }).pipe(
      Effect.provide(tcp.pipe(Layer.provide(TestDatabase.layer), Layer.provide(PostgresServer.layer)))
    ))

  it.effect("is noticed when the server falls silent in the middle, and the server is used again when it wakes", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const sql = yield* SqlClient
      yield* store.ping
      const backend = yield* Deferred.make<number>()
      const asked = yield* withTransaction(
        sql,
        Effect.gen(function*() {
          const [row] = yield* sql`SELECT pg_backend_pid() AS pid`
          const pid = Number(row?.["pid"])
          // The server's own signal to stop reaches its main process alone, not the one that serves this connection.
          process.kill(pid, "SIGSTOP")
          yield* Deferred.succeed(backend, pid)
          return yield* sql`SELECT 1 AS one`
        })
      ).pipe(unavailableWhen("ask"), Effect.flip, Effect.forkChild)
      const pid = yield* Deferred.await(backend)
      yield* Effect.gen(function*() {
        yield* TestClock.adjust(connectionLimits.transaction)
        const failure = yield* Fiber.join(asked)
        assert.isTrue(failure._tag === "JobStoreUnavailable" && failure.retryable)
        // The pool has other connections.
        yield* store.ping
      }).pipe(Effect.ensuring(Effect.sync(() => process.kill(pid, "SIGCONT"))))
      yield* store.ping
    }).pipe(
      Effect.provide(
        stores.pipe(
          Layer.provideMerge(tcp),
          Layer.provide(TestDatabase.layer),
          Layer.provideMerge(PostgresServer.layer)
        )
      )
    ))
})

it.live("says of a database that nobody listens for that a retry may help, by either driver", () =>
  Effect.gen(function*() {
    const { port } = yield* ClosedPort.make
    const url = Redacted.make(`postgres://postgres@127.0.0.1:${port}/postgres`)
    const drivers = [layerTcp({ url }), layerNeon({ url, wsProxy: `127.0.0.1:${port}/v1?address=`, useSecureWebSocket: false })]
    for (const driver of drivers) {
      const failure = yield* Effect.flip(
        Effect.flatMap(JobStore, (store) => store.ping).pipe(
          Effect.provide(JobStorePostgres.layer.pipe(Layer.provide(driver)))
        )
      )
      assert.isTrue(failure._tag === "JobStoreUnavailable" && failure.retryable)
    }
  }))
