import type { Job } from "@lectern/domain"
import { Effect } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { encodeJobRow, jobColumns } from "./JobRow.ts"

/** Writes a new job's row; part of a transaction. */
export const insertJob = (sql: SqlClient, job: Job) =>
  Effect.flatMap(encodeJobRow(job), (row) =>
    sql`INSERT INTO jobs (${sql.literal(jobColumns)})
      SELECT ${sql.literal(jobColumns)} FROM json_populate_record(NULL::jobs, ${row}::json)`)
