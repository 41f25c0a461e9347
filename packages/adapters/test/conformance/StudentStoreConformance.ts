/**
 * What every `StudentStore` promises, beside the job store whose leases it honours. Each test works in a tenant of
 * its own.
 */
import { assert, layer } from "@effect/vitest"
import { JobRecorder, JobStore, Lease, NewStudent, StudentStore, type TenantId } from "@lectern/domain"
import { ProgressMirrorMemory } from "@lectern/domain/memory"
import { Effect, Layer } from "effect"
import { newJobId, newTenant } from "./JobStoreConformance.ts"

const hour = 3_600_000

const student = (row: number, name: string, guardianPhone = "010-1234-5678"): NewStudent =>
  new NewStudent({ row, name, guardianPhone, studentPhone: null, details: { 학교: "서울중", 학년: "2" } })

const leased = (tenant: TenantId) =>
  Effect.gen(function*() {
    const store = yield* JobStore
    const id = newJobId()
    yield* store.createJob(tenant, { id, kind: "student_import", payload: {} })
    const claim = yield* store.claim(tenant, id, { owner: "worker", leaseMillis: hour })
    return claim._tag === "Claimed" ? claim.lease : yield* Effect.die(new Error(`expected a claim and got ${claim._tag}`))
  })

export const studentStoreSuite = <E>(name: string, stores: Layer.Layer<JobStore | StudentStore, E>): void => {
  const provided = JobRecorder.layer.pipe(Layer.provide(ProgressMirrorMemory.layer), Layer.provideMerge(stores))

  layer(provided, { excludeTestServices: true })(`StudentStore: ${name}`, (it) => {
    it.effect("creates the students of a batch, and answers the same when the batch is said again", () =>
      Effect.gen(function*() {
        const students = yield* StudentStore
        const lease = yield* leased(newTenant())
        const batch = [student(4, "홍길동"), student(5, "김철수"), student(6, "이영희", "")]
        const first = yield* students.insertBatch(lease, batch)
        assert.deepStrictEqual(first, { created: [4, 5, 6], duplicates: [] })
        assert.deepStrictEqual(yield* students.insertBatch(lease, batch), first)
        assert.deepStrictEqual(yield* students.findExisting(lease, batch), first)
      }))

    it.effect("calls a student of an earlier job a duplicate", () =>
      Effect.gen(function*() {
        const students = yield* StudentStore
        const tenant = newTenant()
        yield* students.insertBatch(yield* leased(tenant), [student(2, "홍길동")])
        const second = yield* leased(tenant)
        const batch = [student(2, "홍길동"), student(3, "홍길동", "010-9999-0000")]
        assert.deepStrictEqual(yield* students.findExisting(second, batch), { created: [3], duplicates: [2] })
        assert.deepStrictEqual(yield* students.insertBatch(second, batch), { created: [3], duplicates: [2] })
      }))

    it.effect("takes the first of the rows that name one student, in a batch and across batches", () =>
      Effect.gen(function*() {
        const students = yield* StudentStore
        const lease = yield* leased(newTenant())
        const batch = [student(2, "홍길동"), student(3, "홍길동"), student(4, "김철수")]
        assert.deepStrictEqual(yield* students.findExisting(lease, batch), { created: [2, 4], duplicates: [3] })
        assert.deepStrictEqual(yield* students.insertBatch(lease, batch), { created: [2, 4], duplicates: [3] })
        assert.deepStrictEqual(yield* students.insertBatch(lease, [student(90, "김철수"), student(91, "이영희")]), {
          created: [91],
          duplicates: [90]
        })
        assert.deepStrictEqual(yield* students.insertBatch(lease, batch), { created: [2, 4], duplicates: [3] })
      }))

    it.effect("writes nothing when it only looks", () =>
      Effect.gen(function*() {
        const students = yield* StudentStore
        const tenant = newTenant()
        const batch = [student(2, "홍길동")]
        assert.deepStrictEqual(yield* students.findExisting(yield* leased(tenant), batch), { created: [2], duplicates: [] })
        assert.deepStrictEqual(yield* students.insertBatch(yield* leased(tenant), batch), { created: [2], duplicates: [] })
      }))

    it.effect("writes nothing when the lease is lost", () =>
      Effect.gen(function*() {
        const students = yield* StudentStore
        const store = yield* JobStore
        const tenant = newTenant()
        const lost = yield* leased(tenant)
        yield* store.intervene(lost, { _tag: "Cancel", message: "취소" })
        const batch = [student(2, "홍길동")]
        assert.strictEqual((yield* Effect.flip(students.insertBatch(lost, batch)))._tag, "LeaseLost")
        const forged = new Lease({ ...(yield* leased(tenant)), owner: "somebody else" })
        assert.strictEqual((yield* Effect.flip(students.insertBatch(forged, batch)))._tag, "LeaseLost")
        const unknown = new Lease({ tenantId: tenant, jobId: newJobId(), attempt: 1, owner: "worker" })
        assert.strictEqual((yield* Effect.flip(students.insertBatch(unknown, batch)))._tag, "JobNotFound")
        assert.deepStrictEqual(yield* students.insertBatch(yield* leased(tenant), batch), { created: [2], duplicates: [] })
      }))

    it.effect("takes an ended import back once, and leaves alone who was there before", () =>
      Effect.gen(function*() {
        const students = yield* StudentStore
        const store = yield* JobStore
        const tenant = newTenant()
        const earlier = yield* leased(tenant)
        yield* students.insertBatch(earlier, [student(2, "홍길동")])
        const lease = yield* leased(tenant)
        const batch = [student(2, "홍길동"), student(7, "김철수"), student(3, "이영희")]
        yield* students.insertBatch(lease, batch)
        yield* store.transition(lease, { _tag: "Succeed", result: {} })
        assert.deepStrictEqual(yield* students.undoImport(tenant, lease.jobId), { removed: [3, 7], changed: [] })
        assert.deepStrictEqual(yield* students.undoImport(tenant, lease.jobId), { removed: [], changed: [] })
        const again = yield* leased(tenant)
        assert.deepStrictEqual(yield* students.insertBatch(again, batch), { created: [7, 3], duplicates: [2] })
      }))

    it.effect("takes no import back that runs, is another tenant's, is none, or is unknown", () =>
      Effect.gen(function*() {
        const students = yield* StudentStore
        const store = yield* JobStore
        const tenant = newTenant()
        const running = yield* leased(tenant)
        yield* students.insertBatch(running, [student(2, "홍길동")])
        assert.strictEqual((yield* Effect.flip(students.undoImport(tenant, running.jobId)))._tag, "ImportNotUndoable")
        const id = newJobId()
        yield* store.createJob(tenant, { id, kind: "ocr", payload: {} })
        yield* store.intervene({ tenantId: tenant, jobId: id }, { _tag: "Cancel", message: "취소" })
        assert.strictEqual((yield* Effect.flip(students.undoImport(tenant, id)))._tag, "ImportNotUndoable")
        yield* store.transition(running, { _tag: "Succeed", result: {} })
        assert.strictEqual((yield* Effect.flip(students.undoImport(newTenant(), running.jobId)))._tag, "JobNotFound")
        assert.strictEqual((yield* Effect.flip(students.undoImport(tenant, newJobId())))._tag, "JobNotFound")
        assert.deepStrictEqual(yield* students.undoImport(tenant, running.jobId), { removed: [2], changed: [] })
      }))

    it.effect("keeps the students of two tenants apart", () =>
      Effect.gen(function*() {
        const students = yield* StudentStore
        const batch = [student(2, "홍길동")]
        for (const tenant of [newTenant(), newTenant()]) {
          assert.deepStrictEqual(yield* students.insertBatch(yield* leased(tenant), batch), { created: [2], duplicates: [] })
        }
      }))

    it.effect("creates each student once when two imports of one list run together", () =>
      Effect.gen(function*() {
        const students = yield* StudentStore
        const tenant = newTenant()
        const batch = Array.from({ length: 200 }, (_, index) => student(index + 2, `학생 ${index}`))
        const answers = yield* Effect.all(
          [
            students.insertBatch(yield* leased(tenant), batch),
            students.insertBatch(yield* leased(tenant), batch.toReversed())
          ],
          { concurrency: "unbounded" }
        )
        const created = answers.flatMap((answer) => answer.created).sort((a, b) => a - b)
        assert.deepStrictEqual(created, batch.map(({ row }) => row))
        assert.strictEqual(answers.flatMap((answer) => answer.duplicates).length, batch.length)
      }))

    it.effect("takes a batch without rows and one of two thousand", () =>
      Effect.gen(function*() {
        const students = yield* StudentStore
        const lease = yield* leased(newTenant())
        assert.deepStrictEqual(yield* students.insertBatch(lease, []), { created: [], duplicates: [] })
        const batch = Array.from({ length: 2_000 }, (_, index) => student(index + 2, `학생 ${index}`))
        assert.strictEqual((yield* students.insertBatch(lease, batch)).created.length, 2_000)
      }))
  })
}
