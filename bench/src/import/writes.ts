import { JobStorePostgres, layerFor, migrate, StudentStorePostgres } from "@lectern/adapters/postgres"
import { JobRecorder, JobStore, newJobId, NewStudent, StudentStore, TenantId } from "@lectern/domain"
import { ProgressMirrorMemory } from "@lectern/domain/memory"
import { PostgresServer } from "@lectern/harness"
import { Duration, Effect, Layer, Redacted } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { median } from "../median.ts"
import { koreanRow } from "./koreanRows.ts"

/** As many as the import writes at a time. */
const batchSize = 1_000

const studentsOf = (rows: number): ReadonlyArray<NewStudent> =>
  Array.from({ length: rows }, (_, index) => {
    const [name = "", guardianPhone = ""] = koreanRow(index + 1, 2)
    return new NewStudent({
      row: index + 2,
      name: `${name}${index}`,
      guardianPhone,
      studentPhone: null,
      details: { school: "가람중", grade: "2" }
    })
  })

/** Through the store, batch by batch under a lease, as an import does. */
const writeByStore = Effect.fnUntraced(function*(tenant: TenantId, students: ReadonlyArray<NewStudent>) {
  const jobs = yield* JobStore
  const store = yield* StudentStore
  const id = yield* newJobId
  yield* jobs.createJob(tenant, { id, kind: "student_import", payload: {} })
  const claim = yield* jobs.claim(tenant, id, { owner: "bench", leaseMillis: 600_000 })
  if (claim._tag !== "Claimed") return yield* Effect.die(new Error(`expected a claim and got ${claim._tag}`))
  for (let from = 0; from < students.length; from += batchSize) {
    yield* store.insertBatch(claim.lease, students.slice(from, from + batchSize))
  }
})

/** The same rows into the same table by psql's COPY, in one transaction, with nothing asked and nothing answered. */
const writeByCopy = (url: string, tenant: TenantId, students: ReadonlyArray<NewStudent>) =>
  Effect.promise(async () => {
    const sql = "COPY students (tenant_id, name, guardian_phone, details, created_at) FROM STDIN"
    const psql = spawn("psql", ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--command", sql, url], {
      stdio: ["pipe", "inherit", "inherit"]
    })
    const closed = once(psql, "close")
    const lines = students.map(({ details, guardianPhone, name }) =>
      `${tenant}\t${name}\t${guardianPhone}\t${JSON.stringify(details)}\t0\n`)
    await pipeline(Readable.from(lines.length === 0 ? [] : [lines.join("")]), psql.stdin)
    const code = (await closed).at(0) as unknown
    if (code !== 0) throw new Error(`psql ended with exit code ${String(code)}`)
  })

/** Rows a second through the store, and by a plain COPY of the same rows into the same table of the same server. */
export const printWrites = Effect.fnUntraced(function*(options: {
  readonly rows: number
  readonly rounds: number
  readonly say: (text: string) => void
}) {
  if (!PostgresServer.availability.available) return options.say("NOT MEASURED: writes: there is no Postgres server on this machine")
  const server = yield* PostgresServer.make()
  const sql = layerFor(Redacted.make(server.url))
  const world = JobRecorder.layer.pipe(
    Layer.provide(ProgressMirrorMemory.layer),
    Layer.provideMerge(Layer.mergeAll(JobStorePostgres.layer, StudentStorePostgres.layer, Layer.effectDiscard(migrate))),
    Layer.provide(sql)
  )
  const students = studentsOf(options.rows)
  const seconds = { store: new Array<number>(), copy: new Array<number>() }
  yield* Effect.gen(function*() {
    for (let round = 1; round <= options.rounds; round++) {
      const timed = <E, R>(into: Array<number>, work: Effect.Effect<void, E, R>) =>
        Effect.map(Effect.timed(work), ([duration]) => void into.push(Duration.toSeconds(duration)))
      yield* timed(seconds.store, writeByStore(TenantId.make(2 * round), students))
      yield* timed(seconds.copy, writeByCopy(server.url, TenantId.make(2 * round + 1), students))
    }
  }).pipe(Effect.provide(world))
  const perSecond = (taken: ReadonlyArray<number>): number => options.rows / median(taken)
  const ratio = perSecond(seconds.store) / perSecond(seconds.copy)
  options.say(
    `${options.rows} students: ${perSecond(seconds.store).toFixed(0)} a second through the store, ` +
      `${perSecond(seconds.copy).toFixed(0)} by COPY (ratio ${ratio.toFixed(3)})`
  )
})
