import { describeIf, NeonProxy, PostgresServer } from "@lectern/harness"
import { Layer } from "effect"
import { EncodePartsPostgres, JobStorePostgres, RunHistoryPostgres, StudentStorePostgres } from "../../src/postgres/index.ts"
import { databaseFaultSuite } from "../conformance/DatabaseFaultConformance.ts"
import { encodePartsSuite } from "../conformance/EncodePartsConformance.ts"
import { conformancePolicy, jobStoreSuite } from "../conformance/JobStoreConformance.ts"
import { jobStoreModelSuite } from "../conformance/JobStoreModel.ts"
import { runHistorySuite } from "../conformance/RunHistoryConformance.ts"
import { studentStoreSuite } from "../conformance/StudentStoreConformance.ts"
import { migrated, neon, tcp, TestDatabase } from "./TestDatabase.ts"

const server = PostgresServer.layer
const jobs = JobStorePostgres.layerWith(conformancePolicy)
const stores = Layer.merge(JobStorePostgres.layer, StudentStorePostgres.layer)

const history = Layer.merge(JobStorePostgres.layer, RunHistoryPostgres.layer)

const parts = Layer.merge(JobStorePostgres.layer, EncodePartsPostgres.layer)

const overTcp = migrated.pipe(Layer.provideMerge(tcp), Layer.provide(TestDatabase.layer), Layer.provide(server))

const throughNeon = migrated.pipe(
  Layer.provideMerge(neon),
  Layer.provide(TestDatabase.layer),
  Layer.provide(NeonProxy.layer),
  Layer.provide(server)
)

describeIf(PostgresServer.availability, "Postgres over TCP", () => {
  jobStoreSuite("Postgres over TCP", jobs.pipe(Layer.provide(overTcp)))
  studentStoreSuite("Postgres over TCP", stores.pipe(Layer.provide(overTcp)))
  runHistorySuite("Postgres over TCP", history.pipe(Layer.provide(overTcp)))
  encodePartsSuite("Postgres over TCP", parts.pipe(Layer.provide(overTcp)))
  jobStoreModelSuite("Postgres over TCP", jobs.pipe(Layer.provide(overTcp)), 40)
  databaseFaultSuite("Postgres over TCP", overTcp)
})

describeIf(PostgresServer.availability, "Postgres through Neon's driver", () => {
  jobStoreSuite("Postgres through Neon's driver", jobs.pipe(Layer.provide(throughNeon)))
  studentStoreSuite("Postgres through Neon's driver", stores.pipe(Layer.provide(throughNeon)))
  databaseFaultSuite("Postgres through Neon's driver", throughNeon)
})
