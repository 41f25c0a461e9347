import { videosAndJobs } from "./0001_videos_and_jobs.ts"
import { students } from "./0002_students.ts"
import { operations } from "./0003_operations.ts"
import { kindsAndTiers } from "./0004_kinds_and_tiers.ts"
import { encodeReports } from "./0005_encode_reports.ts"
import { submissions } from "./0006_submissions.ts"
import { messages } from "./0007_messages.ts"
import { encodeParts } from "./0008_encode_parts.ts"
import { runHistory } from "./0009_run_history.ts"
import { undoableImports } from "./0010_undoable_imports.ts"
import type { Migration } from "./Migration.ts"

/** Every step of the schema, in order. */
export const migrations: ReadonlyArray<Migration> = [
  videosAndJobs,
  students,
  operations,
  kindsAndTiers,
  encodeReports,
  submissions,
  messages,
  encodeParts,
  runHistory,
  undoableImports
]
