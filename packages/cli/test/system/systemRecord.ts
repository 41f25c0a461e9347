/** What stands in the embedded database of a system that was stopped. */
import { layerPglite, PgliteHost } from "@lectern/adapters/postgres"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { join } from "node:path"

const JobRow = Schema.Struct({
  id: Schema.String,
  kind: Schema.String,
  video_id: Schema.NullOr(Schema.NumberFromString),
  status: Schema.String,
  attempt: Schema.Int,
  failures: Schema.Int
})
const StudentRow = Schema.Struct({ name: Schema.String, job_row: Schema.NullOr(Schema.Int) })

const decodeJobs = Schema.decodeUnknownEffect(Schema.Array(JobRow))
const decodeStudents = Schema.decodeUnknownEffect(Schema.Array(StudentRow))

export interface SystemRecord {
  readonly jobs: ReadonlyArray<typeof JobRow.Type>
  readonly students: ReadonlyArray<typeof StudentRow.Type>
}

/** The system must have ended: the folder has one user at a time. */
export const readRecord = (data: string): Effect.Effect<SystemRecord> =>
  Effect.gen(function*() {
    const sql = yield* SqlClient
    const jobs = yield* decodeJobs(
      yield* sql`SELECT id, kind, video_id::text, status, attempt, failures FROM jobs ORDER BY created_at, id`
    )
    const students = yield* decodeStudents(yield* sql`SELECT name, job_row FROM students ORDER BY job_row, id`)
    return { jobs, students }
  }).pipe(
    Effect.provide(layerPglite.pipe(Layer.provide(PgliteHost.layer({ dataDir: join(data, "database") })))),
    Effect.orDie
  )
