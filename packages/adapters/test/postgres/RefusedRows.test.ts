/** What the tables refuse, whoever asks: the domain does not make such rows, and nothing else shall. */
import { assert, layer } from "@effect/vitest"
import { JobStore } from "@lectern/domain"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { JobStorePostgres, layerPglite, migrate, PgliteHost } from "../../src/postgres/index.ts"
import { newJobId, newTenant } from "../conformance/JobStoreConformance.ts"

const database = Layer.effectDiscard(migrate).pipe(
  Layer.provideMerge(layerPglite),
  Layer.provide(PgliteHost.layer({ dataDir: null }))
)

layer(JobStorePostgres.layer.pipe(Layer.provideMerge(database)), { excludeTestServices: true })("the tables", (it) => {
  it.effect("refuse a NUL character in a text and in JSON, for good, and keep nothing of its transaction", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const tenant = newTenant()
      const id = newJobId()
      const refusals = [
        yield* Effect.flip(store.createVideo(tenant, {
          title: "a\0b",
          filename: "f",
          contentType: "video/mp4",
          session: null,
          fileKey: "k"
        })),
        yield* Effect.flip(store.createJob(tenant, { id, kind: "student_import", payload: { name: "a\0b" } })),
        yield* Effect.flip(store.listVideos(tenant, { search: "a\0b", limit: 1, offset: 0 }))
      ]
      for (const refusal of refusals) {
        assert.deepStrictEqual([refusal._tag, refusal.reason], ["JobStoreUnavailable", "value"])
      }
      assert.strictEqual((yield* Effect.flip(store.getJob(tenant, id)))._tag, "JobNotFound")
      yield* store.ping
    }))

  it.effect("refuse a second job of the same name, for good", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const tenant = newTenant()
      const input = { id: newJobId(), kind: "student_import", payload: {} } as const
      yield* store.createJob(tenant, input)
      assert.strictEqual((yield* Effect.flip(store.createJob(tenant, input))).reason, "bug")
    }))

  it.effect("keep a job running whose premium job they refuse", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const tenant = newTenant()
      const id = newJobId()
      yield* store.createJob(tenant, { id, kind: "ocr", payload: {} })
      const claimed = yield* store.claim(tenant, id, { owner: "me", leaseMillis: 60_000 })
      if (claimed._tag !== "Claimed") return assert.fail(claimed._tag)
      yield* Effect.flip(store.transition(claimed.lease, { _tag: "FallBackToGpu", premiumJobId: id, message: "GPU" }))
      assert.strictEqual((yield* store.getJob(tenant, id)).job.status, "RUNNING")
    }))

  it.effect("give no receipt for a transaction whose commit is refused, and keep nothing of it", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const sql = yield* SqlClient
      const tenant = newTenant()
      const id = newJobId()
      yield* sql`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused at commit'; END $$`
      yield* sql`CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON jobs DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION refuse()`
      const refused = yield* Effect.flip(store.createJob(tenant, { id, kind: "student_import", payload: {} }))
      yield* sql`DROP TRIGGER refuse ON jobs`
      assert.include(String(refused.cause), "refused at commit")
      assert.strictEqual((yield* Effect.flip(store.getJob(tenant, id)))._tag, "JobNotFound")
    }))

  const changes = {
    "a running job without a lease": "status = 'RUNNING', attempt = 1",
    "a waiting job with a lease": "lease_owner = 'w', lease_until = 1",
    "a lease without an end": "status = 'RUNNING', attempt = 1, lease_owner = 'w'",
    "more failures than attempts": "failures = 1",
    "a status that nobody knows": "status = 'LOST'",
    "a failure without a reason": "status = 'FAILED'",
    "a hand-over without an id": "dispatched_at = 1",
    "an import of a video": "video_id = 1"
  }
  for (const [name, change] of Object.entries(changes)) {
    it.effect(`refuse ${name}`, () =>
      Effect.gen(function*() {
        const store = yield* JobStore
        const sql = yield* SqlClient
        const tenant = newTenant()
        const id = newJobId()
        yield* store.createJob(tenant, { id, kind: "student_import", payload: {} })
        const refused = yield* Effect.flip(sql.unsafe(`UPDATE jobs SET ${change} WHERE id = '${id}'`))
        assert.strictEqual(refused.reason._tag, "ConstraintError")
      }))
  }
})
