import { Layer } from "effect"
import { EncodePartsPostgres, JobStorePostgres, layerPglite, migrate, PgliteHost, RunHistoryPostgres, StudentStorePostgres } from "../../src/postgres/index.ts"
import { databaseFaultSuite } from "../conformance/DatabaseFaultConformance.ts"
import { encodePartsSuite } from "../conformance/EncodePartsConformance.ts"
import { conformancePolicy, jobStoreSuite } from "../conformance/JobStoreConformance.ts"
import { jobStoreModelSuite } from "../conformance/JobStoreModel.ts"
import { runHistorySuite } from "../conformance/RunHistoryConformance.ts"
import { studentStoreSuite } from "../conformance/StudentStoreConformance.ts"

const database = Layer.effectDiscard(migrate).pipe(
  Layer.provideMerge(layerPglite),
  Layer.provide(PgliteHost.layer({ dataDir: null }))
)

jobStoreSuite("PGlite", JobStorePostgres.layerWith(conformancePolicy).pipe(Layer.provide(database)))
studentStoreSuite("PGlite", Layer.merge(JobStorePostgres.layer, StudentStorePostgres.layer).pipe(Layer.provide(database)))
encodePartsSuite("PGlite", Layer.merge(JobStorePostgres.layer, EncodePartsPostgres.layer).pipe(Layer.provide(database)))
runHistorySuite("PGlite", Layer.merge(JobStorePostgres.layer, RunHistoryPostgres.layer).pipe(Layer.provide(database)))
jobStoreModelSuite("PGlite", JobStorePostgres.layerWith(conformancePolicy).pipe(Layer.provide(database)), 40)
databaseFaultSuite("PGlite", database)
