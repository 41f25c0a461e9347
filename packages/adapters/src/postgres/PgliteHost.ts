import { PGlite } from "@electric-sql/pglite"
import { Context, Effect, Layer, Schema, type Scope, Semaphore } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { join } from "node:path"
import { type FolderInUse, type FolderUnusable, lockFolder } from "./FolderLock.ts"
import { layerSqlSessions, type SqlSession } from "./SqlSession.ts"

/** The embedded database did not start: a folder of another version, a full disk. */
export class PgliteUnavailable extends Schema.TaggedError<PgliteUnavailable>()("PgliteUnavailable", {
  dataDir: Schema.NullOr(Schema.String),
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Cannot start the embedded database in ${this.dataDir ?? "memory"}`
  }
}

export interface PgliteOptions {
  /** A folder of the database's own, made when it is missing; `null` keeps everything in memory, for tests. */
  readonly dataDir: string | null
}

/**
 * The one embedded Postgres of this process. It has a single session, which is lent to one holder at a time, in the
 * order of asking; a transaction that its holder left open is rolled back when it comes back.
 */
export class PgliteHost extends Context.Service<PgliteHost, {
  readonly acquire: Effect.Effect<SqlSession, SqlError, Scope.Scope>
}>()("@lectern/adapters/PgliteHost") {
  static readonly layer = (
    options: PgliteOptions
  ): Layer.Layer<PgliteHost, FolderInUse | FolderUnusable | PgliteUnavailable> =>
    Layer.effect(PgliteHost, make(options))
}

/** SQL on the embedded Postgres. */
export const layerPglite: Layer.Layer<SqlClient, never, PgliteHost> = Layer.unwrap(
  Effect.map(PgliteHost, ({ acquire }) => layerSqlSessions({ acquire, driver: "pglite" }))
)

const make = Effect.fnUntraced(function*({ dataDir }: PgliteOptions) {
  if (dataDir !== null) yield* lockFolder(dataDir)
  const database = yield* Effect.acquireRelease(
    Effect.tryPromise({
      // The cluster has a folder below, because it wants to find its own empty, and the lock is there first.
      try: () => dataDir === null ? PGlite.create() : PGlite.create(join(dataDir, "cluster")),
      catch: (cause) => new PgliteUnavailable({ dataDir, cause })
    }),
    (database) => Effect.promise(() => database.close())
  )
  const turns = Semaphore.makeUnsafe(1)

  const acquire = Effect.gen(function*() {
    yield* Effect.acquireRelease(turns.take(1), () => turns.release(1), { interruptible: true })
    const borrowed = yield* Effect.acquireRelease(
      Effect.sync(() => borrow(database)),
      ({ giveBack }) => Effect.promise(giveBack)
    )
    return borrowed.session
  })

  return PgliteHost.of({ acquire })
})

const borrow = (database: PGlite): { readonly session: SqlSession; readonly giveBack: () => Promise<void> } => {
  let inTransaction = false
  let returned = false
  return {
    session: {
      query: async (text, values, rowMode) => {
        if (returned) throw new Error("Cannot query on a session of the embedded database that was given back")
        // Noted before it runs: a BEGIN whose answer nobody waits for has begun all the same.
        if (/^\s*(begin|start\s)/i.test(text)) inTransaction = true
        const result = await database.query<Record<string, unknown> | Array<unknown>>(text, [...values], { rowMode })
        if (/^\s*(commit|end|rollback)\s*;?\s*$/i.test(text)) inTransaction = false
        return result
      }
    },
    giveBack: async () => {
      returned = true
      if (inTransaction) await database.query("ROLLBACK")
    }
  }
}
