import type { Migration } from "./Migration.ts"

/** What operators' commands keep. */
export const operations: Migration = {
  id: 3,
  name: "operations",
  statements: [
    // One row for each encode whose run its runtime did not know when it was last asked; with the job it goes.
    `CREATE TABLE encode_misses (
      tenant_id bigint NOT NULL,
      job_id text NOT NULL,
      external_id text NOT NULL,
      misses integer NOT NULL CHECK (misses > 0),
      first_missed_at bigint NOT NULL,
      PRIMARY KEY (tenant_id, job_id),
      FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE
    )`,
    // Empty outside of a readiness check's transaction. A table of its own, so that no reader of jobs can meet a canary.
    `CREATE TABLE readiness_canaries (
      id text PRIMARY KEY,
      written_at bigint NOT NULL
    )`
  ]
}
