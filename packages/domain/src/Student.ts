import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { JobNotFound, JobStoreUnavailable } from "./JobStore.ts"
import type { TenantId } from "./Tenant.ts"
import { JobId, JobStatus, type Lease, type LeaseLost } from "./Job.ts"
import { JobKind } from "./JobKind.ts"

/** A student as an accepted row of a class list. Phone numbers in the national form with dashes, `010-1234-5678`. */
export class NewStudent extends Schema.Class<NewStudent>("@lectern/domain/NewStudent")({
  /** The row of the sheet, 1-based. */
  row: Schema.Int,
  name: Schema.String,
  guardianPhone: Schema.String,
  studentPhone: Schema.NullOr(Schema.String),
  /** Everything else that the sheet says of the student, by the field's name. */
  details: Schema.Record(Schema.String, Schema.String)
}) {}

export interface InsertedStudents {
  /** Rows that are in the database because of this job, in this call or in an earlier one. */
  readonly created: ReadonlyArray<number>
  /** Rows whose student was there before this job. */
  readonly duplicates: ReadonlyArray<number>
}

/** What came of taking an import back. All numbers are rows of its sheet. */
export interface UndoneImport {
  /** Students that the import had created and that are gone now. */
  readonly removed: ReadonlyArray<number>
  /** Students that it had created and that somebody has changed since: they stay as they are. */
  readonly changed: ReadonlyArray<number>
}

/** Only an import that has ended can be taken back: a running one would go on. */
export class ImportNotUndoable extends Schema.TaggedError<ImportNotUndoable>()("ImportNotUndoable", {
  jobId: JobId,
  kind: JobKind,
  status: JobStatus
}) {
  override get message(): string {
    return this.kind === "student_import"
      ? `Cannot undo the import "${this.jobId}" while it is ${this.status}`
      : `Cannot undo job "${this.jobId}": it is a ${this.kind} and no import`
  }
}

/** A tenant's students. Two with the same name and the same guardian's phone are one. */
export class StudentStore extends Context.Service<StudentStore, {
  /**
   * Writes one batch under a lease, in one transaction: all rows or none, and none when the lease is lost. Said again after a
   * crash it creates nothing twice and answers as before.
   */
  readonly insertBatch: (
    lease: Lease,
    students: ReadonlyArray<NewStudent>
  ) => Effect.Effect<InsertedStudents, LeaseLost | JobNotFound | JobStoreUnavailable>
  /** What `insertBatch` would answer, without writing. */
  readonly findExisting: (
    lease: Lease,
    students: ReadonlyArray<NewStudent>
  ) => Effect.Effect<InsertedStudents, JobStoreUnavailable>
  /**
   * Removes the students that an import has created, but for those that were changed since, in one transaction. Students that
   * were there before it are none of its doing. Said again, it removes nothing more.
   */
  readonly undoImport: (
    tenantId: TenantId,
    jobId: JobId
  ) => Effect.Effect<UndoneImport, JobNotFound | ImportNotUndoable | JobStoreUnavailable>
}>()("@lectern/domain/StudentStore") {}
