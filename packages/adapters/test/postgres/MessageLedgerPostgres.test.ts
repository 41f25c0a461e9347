import { describeIf, PostgresServer } from "@lectern/harness"
import { Layer } from "effect"
import { JobStorePostgres, layerPglite, MessageLedgerPostgres, migrate, PgliteHost } from "../../src/postgres/index.ts"
import { messageLedgerSuite } from "../conformance/MessageLedgerConformance.ts"
import { migrated, tcp, TestDatabase } from "./TestDatabase.ts"

const stores = Layer.merge(JobStorePostgres.layer, MessageLedgerPostgres.layer)

describeIf(PostgresServer.availability, "Postgres over TCP", () => {
  const database = migrated.pipe(
    Layer.provideMerge(tcp),
    Layer.provide(TestDatabase.layer),
    Layer.provide(PostgresServer.layer)
  )
  messageLedgerSuite("Postgres over TCP", stores.pipe(Layer.provide(database)))
})

const embedded = Layer.effectDiscard(migrate).pipe(
  Layer.provideMerge(layerPglite),
  Layer.provide(PgliteHost.layer({ dataDir: null }))
)
messageLedgerSuite("PGlite", stores.pipe(Layer.provide(embedded)))
