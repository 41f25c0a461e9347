import type { Migration } from "./Migration.ts"

/** An encode is submitted once: the wish is committed before the runtime is asked. */
export const submissions: Migration = {
  id: 6,
  name: "submissions",
  statements: [
    `ALTER TABLE jobs
      ADD COLUMN submissions integer NOT NULL DEFAULT 0 CHECK (submissions >= 0),
      ADD COLUMN submitting_since bigint,
      ADD COLUMN unclaimed_runs integer NOT NULL DEFAULT 0 CHECK (unclaimed_runs >= 0),
      ADD CONSTRAINT jobs_open_submission_has_number CHECK (submitting_since IS NULL OR submissions > 0),
      ADD CONSTRAINT jobs_open_submission_has_no_run CHECK (submitting_since IS NULL OR external_id IS NULL)`
  ]
}
