import type { Migration } from "./Migration.ts"

/** What an import wrote is known again, so that taking it back spares what was changed since. */
export const undoableImports: Migration = {
  id: 10,
  name: "undoable imports",
  statements: [
    `ALTER TABLE students ADD COLUMN imported_digest text`,
    // Nothing could change a student before: what stands here is what was imported.
    `UPDATE students SET imported_digest =
        md5(concat_ws(chr(31), name, guardian_phone, coalesce(student_phone, \x27\x27), details::text))
      WHERE job_id IS NOT NULL`,
    `ALTER TABLE students ADD CONSTRAINT students_imported_have_digest
      CHECK ((job_id IS NULL) = (imported_digest IS NULL))`
  ]
}
