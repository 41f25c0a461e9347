import { assert, layer } from "@effect/vitest"
import { JobRecorder, JobStore, NewStudent, StudentStore } from "@lectern/domain"
import { ProgressMirrorMemory } from "@lectern/domain/memory"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { JobStorePostgres, layerPglite, migrate, PgliteHost, StudentStorePostgres } from "../../src/postgres/index.ts"
import { newJobId, newTenant } from "../conformance/JobStoreConformance.ts"

const stores = Layer.mergeAll(JobStorePostgres.layer, StudentStorePostgres.layer, Layer.effectDiscard(migrate)).pipe(
  Layer.provideMerge(layerPglite),
  Layer.provide(PgliteHost.layer({ dataDir: null }))
)

const world = JobRecorder.layer.pipe(Layer.provide(ProgressMirrorMemory.layer), Layer.provideMerge(stores))

layer(world, { excludeTestServices: true })("StudentStore.undoImport on Postgres", (it) => {
  it.effect("spares students that somebody has changed since, in any column, and names their rows", () =>
    Effect.gen(function*() {
      const students = yield* StudentStore
      const store = yield* JobStore
      const sql = yield* SqlClient
      const tenant = newTenant()
      const id = newJobId()
      yield* store.createJob(tenant, { id, kind: "student_import", payload: {} })
      const claim = yield* store.claim(tenant, id, { owner: "worker", leaseMillis: 60_000 })
      if (claim._tag !== "Claimed") return assert.fail(`expected a claim and got ${claim._tag}`)
      yield* students.insertBatch(
        claim.lease,
        ["가", "나", "다", "라", "마"].map((name, index) =>
          new NewStudent({ row: index + 2, name, guardianPhone: "010-1234-5678", studentPhone: null, details: { 학년: "2" } }))
      )
      yield* store.transition(claim.lease, { _tag: "Succeed", result: {} })
      const of = (name: string) => sql`tenant_id = ${String(tenant)}::bigint AND name = ${name}`
      yield* sql`UPDATE students SET guardian_phone = '010-9999-8888' WHERE ${of("나")}`
      yield* sql`UPDATE students SET student_phone = '010-7777-6666' WHERE ${of("다")}`
      yield* sql`UPDATE students SET details = details || '{"메모": "전학"}' WHERE ${of("라")}`
      yield* sql`DELETE FROM students WHERE ${of("마")}`
      assert.deepStrictEqual(yield* students.undoImport(tenant, id), { removed: [2], changed: [3, 4, 5] })
      assert.deepStrictEqual(yield* students.undoImport(tenant, id), { removed: [], changed: [3, 4, 5] })
    }))
})
