import type { Migration } from "./Migration.ts"

/** What Batch said of runs: it forgets, and TerminateJob overwrites. */
export const runHistory: Migration = {
  id: 9,
  name: "run history",
  statements: [
    `CREATE TABLE encode_run_words (
      tenant_id bigint NOT NULL,
      job_id text NOT NULL,
      run_id text NOT NULL,
      digest text NOT NULL,
      status text NOT NULL,
      status_reason text,
      container_reason text,
      exit_code integer,
      log_stream text,
      first_seen_at bigint NOT NULL,
      last_seen_at bigint NOT NULL,
      PRIMARY KEY (tenant_id, job_id, run_id, digest),
      FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE
    )`,
    `CREATE INDEX encode_run_words_of_job ON encode_run_words (job_id)`,
    `CREATE INDEX encode_run_words_of_run ON encode_run_words (run_id)`,
    `CREATE INDEX encode_run_words_last_seen ON encode_run_words (last_seen_at)`
  ]
}
