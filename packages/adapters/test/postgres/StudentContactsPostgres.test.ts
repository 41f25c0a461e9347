import { assert, it } from "@effect/vitest"
import { JobStore, NewStudent, StudentContacts, StudentStore, TenantId } from "@lectern/domain"
import { Effect, Layer } from "effect"
import {
  JobStorePostgres,
  layerPglite,
  migrate,
  PgliteHost,
  StudentContactsPostgres,
  StudentStorePostgres
} from "../../src/postgres/index.ts"
import { newJobId } from "../conformance/JobStoreConformance.ts"

const stores = Layer.mergeAll(JobStorePostgres.layer, StudentStorePostgres.layer, StudentContactsPostgres.layer).pipe(
  Layer.provide(Layer.effectDiscard(migrate).pipe(
    Layer.provideMerge(layerPglite),
    Layer.provide(PgliteHost.layer({ dataDir: null }))
  ))
)

/** More ids than the tests have given out. */
const allIds = Array.from({ length: 100 }, (_, index) => index + 1)

it.layer(stores, { excludeTestServices: true })("StudentContacts on Postgres", (it) => {
  it.effect("finds how a tenant's students are reached, and nobody of another tenant's", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const students = yield* StudentStore
      const contacts = yield* StudentContacts
      for (const tenant of [1, 2]) {
        const tenantId = TenantId.make(tenant)
        const id = newJobId()
        yield* store.createJob(tenantId, { id, kind: "student_import", payload: {} })
        const claim = yield* store.claim(tenantId, id, { owner: "worker", leaseMillis: 60_000 })
        if (claim._tag !== "Claimed") return assert.fail(claim._tag)
        const student = (row: number, name: string, studentPhone: string | null) =>
          new NewStudent({ row, name, guardianPhone: "010-1234-5678", studentPhone, details: {} })
        yield* students.insertBatch(claim.lease, [student(2, `가${tenant}`, null), student(3, `나${tenant}`, "010-9999-0000")])
      }
      const found = yield* contacts.find(TenantId.make(1), [...allIds, ...allIds])
      assert.deepStrictEqual(found.map(({ guardianPhone, name, studentPhone }) => [name, guardianPhone, studentPhone]), [
        ["가1", "010-1234-5678", null],
        ["나1", "010-1234-5678", "010-9999-0000"]
      ])
      const first = found.slice(0, 1)
      const ids = first.map(({ id }) => id)
      assert.deepStrictEqual(yield* contacts.find(TenantId.make(1), [...ids, 4_000_000_000]), first)
      assert.deepStrictEqual(yield* contacts.find(TenantId.make(2), ids), [])
      assert.deepStrictEqual(yield* contacts.find(TenantId.make(1), []), [])
    }))
})
