/** A new database on a real Postgres of this test's own, by both ways that lead over a network. */
import { NeonProxy, PostgresServer } from "@lectern/harness"
import { Context, Effect, Layer, Redacted } from "effect"
import { layerNeon, layerTcp, migrate } from "../../src/postgres/index.ts"

export class TestDatabase extends Context.Service<TestDatabase, { readonly url: Redacted.Redacted }>()(
  "@lectern/adapters/test/TestDatabase"
) {
  static readonly layer = Layer.effect(
    TestDatabase,
    Effect.gen(function*() {
      const server = yield* PostgresServer
      const name = `test_${crypto.randomUUID().replaceAll("-", "_")}`
      return { url: Redacted.make(yield* server.createDatabase(name)) }
    })
  )
}

export const tcp = Layer.unwrap(Effect.map(TestDatabase, ({ url }) => layerTcp({ url })))

export const neon = Layer.unwrap(Effect.gen(function*() {
  const { url } = yield* TestDatabase
  const { wsProxy } = yield* NeonProxy
  return layerNeon({ url, wsProxy, useSecureWebSocket: false, pipelineConnect: false })
}))

/** With the tables in it. */
export const migrated = Layer.effectDiscard(migrate)
