import {
  ImportNotUndoable,
  type InsertedStudents,
  isTerminal,
  type JobId,
  type JobStoreUnavailable,
  type Lease,
  type NewStudent,
  StudentStore,
  type TenantId
} from "@lectern/domain"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { retryCollisions, unavailableWhen } from "./databaseFailure.ts"
import { leasedJob, lockedJob } from "./leasedJob.ts"
import { withinLimit, withTransaction } from "./withTransaction.ts"

const StudentRow = Schema.Struct({
  row: Schema.Int,
  name: Schema.String,
  guardian_phone: Schema.String,
  student_phone: Schema.NullOr(Schema.String),
  details: Schema.Record(Schema.String, Schema.String)
})

const encodeRows = Schema.encodeEffect(Schema.fromJsonString(Schema.Array(StudentRow)))
const decodeRowNumbers = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ record: Schema.Struct({ row: Schema.Int }) }))
)

/** The first row of each student in a batch; the others are its duplicates. */
const firstRows = (students: ReadonlyArray<NewStudent>): ReadonlyArray<NewStudent> => {
  const seen = new Set<string>()
  return students.filter((student) => {
    const key = JSON.stringify([student.name, student.guardianPhone])
    return !seen.has(key) && seen.add(key) !== undefined
  })
}

const answer = (students: ReadonlyArray<NewStudent>, createdRows: ReadonlyArray<number>): InsertedStudents => {
  const created = new Set(createdRows)
  return {
    created: students.map(({ row }) => row).filter((row) => created.has(row)),
    duplicates: students.map(({ row }) => row).filter((row) => !created.has(row))
  }
}

const asRows = (students: ReadonlyArray<NewStudent>): ReadonlyArray<typeof StudentRow.Type> =>
  students.map((student) => ({
    row: student.row,
    name: student.name,
    guardian_phone: student.guardianPhone,
    student_phone: student.studentPhone,
    details: student.details
  }))

/** A batch as a table. */
const batchColumns = "(row integer, name text, guardian_phone text, student_phone text, details jsonb)"

/** What a student's columns held when the import wrote them: whether somebody has changed them since is told by it. */
const contentDigest =
  "md5(concat_ws(chr(31), name, guardian_phone, coalesce(student_phone, ''), details::text))"

/** Students on Postgres. A batch of any size is one parameter: no limit on parameters is met. */
export const layer: Layer.Layer<StudentStore, never, SqlClient> = Layer.effect(
  StudentStore,
  Effect.map(SqlClient, (sql) => {
    const insert = Effect.fnUntraced(function*(lease: Lease, students: ReadonlyArray<NewStudent>) {
      const { now } = yield* leasedJob(sql, lease)
      const batch = yield* encodeRows(asRows(firstRows(students)))
      // In one order, so that two imports with the same students wait for each other instead of for themselves.
      yield* sql`INSERT INTO students
          (tenant_id, name, guardian_phone, student_phone, details, job_id, job_row, created_at, imported_digest)
        SELECT ${String(lease.tenantId)}::bigint, name, guardian_phone, student_phone, details, ${lease.jobId}::text,
          row, ${String(now)}::bigint, ${sql.literal(contentDigest)}
        FROM json_to_recordset(${batch}::json) AS batch ${sql.literal(batchColumns)}
        ORDER BY name, guardian_phone
        ON CONFLICT (tenant_id, name, guardian_phone) DO NOTHING`
      const created = yield* decodeRowNumbers(
        yield* sql`SELECT json_build_object('row', batch.row) AS record
          FROM json_to_recordset(${batch}::json) AS batch ${sql.literal(batchColumns)}
          JOIN students s ON s.tenant_id = ${String(lease.tenantId)}::bigint
            AND s.name = batch.name AND s.guardian_phone = batch.guardian_phone
          WHERE s.job_id = ${lease.jobId} AND s.job_row = batch.row`
      )
      return answer(students, created.map(({ record }) => record.row))
    })

    const find = Effect.fnUntraced(function*(lease: Lease, students: ReadonlyArray<NewStudent>) {
      const batch = yield* encodeRows(asRows(firstRows(students)))
      const free = yield* decodeRowNumbers(
        yield* sql`SELECT json_build_object('row', batch.row) AS record
          FROM json_to_recordset(${batch}::json) AS batch ${sql.literal(batchColumns)}
          LEFT JOIN students s ON s.tenant_id = ${String(lease.tenantId)}::bigint
            AND s.name = batch.name AND s.guardian_phone = batch.guardian_phone
          WHERE s.id IS NULL OR (s.job_id = ${lease.jobId} AND s.job_row = batch.row)`
      )
      return answer(students, free.map(({ record }) => record.row))
    })

    const undo = Effect.fnUntraced(function*(tenantId: TenantId, jobId: JobId) {
      const { job } = yield* lockedJob(sql, { tenantId, jobId })
      if (job.kind !== "student_import" || !isTerminal(job.status)) {
        return yield* new ImportNotUndoable({ jobId, kind: job.kind, status: job.status })
      }
      const removed = yield* decodeRowNumbers(
        yield* sql`DELETE FROM students
          WHERE tenant_id = ${String(tenantId)}::bigint AND job_id = ${jobId} AND imported_digest = ${sql.literal(contentDigest)}
          RETURNING json_build_object('row', job_row) AS record`
      )
      const changed = yield* decodeRowNumbers(
        yield* sql`SELECT json_build_object('row', job_row) AS record FROM students
          WHERE tenant_id = ${String(tenantId)}::bigint AND job_id = ${jobId} ORDER BY job_row`
      )
      return {
        removed: removed.map(({ record }) => record.row).sort((a, b) => a - b),
        changed: changed.map(({ record }) => record.row)
      }
    })

    const attributes = (lease: Lease, students: ReadonlyArray<NewStudent>) => ({
      attributes: { tenant: lease.tenantId, job: lease.jobId, attempt: lease.attempt, rows: students.length }
    })

    return StudentStore.of({
      insertBatch: (lease, students) =>
        retryCollisions(withTransaction(sql, insert(lease, students))).pipe(
          unavailableWhen(`insert ${students.length} students of job "${lease.jobId}"`),
          Effect.withSpan("StudentStore.insertBatch", attributes(lease, students))
        ),
      findExisting: (lease, students): Effect.Effect<InsertedStudents, JobStoreUnavailable> =>
        withinLimit(find(lease, students)).pipe(
          unavailableWhen(`look up ${students.length} students of job "${lease.jobId}"`),
          Effect.withSpan("StudentStore.findExisting", attributes(lease, students))
        ),
      undoImport: (tenantId, jobId) =>
        retryCollisions(withTransaction(sql, undo(tenantId, jobId))).pipe(
          unavailableWhen(`undo the import "${jobId}"`),
          Effect.withSpan("StudentStore.undoImport", { attributes: { tenant: tenantId, job: jobId } })
        )
    })
  })
)
