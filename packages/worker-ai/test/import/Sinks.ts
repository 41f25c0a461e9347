import { Effect } from "effect"
import { naturalKey, type StudentRow } from "../../src/import/Row.ts"
import type { ImportProgress, StudentSink } from "../../src/import/StudentImport.ts"

/** A sink with a memory, as a database has: a student that it has had is a duplicate. */
export const rememberingSink = () => {
  const students = new Map<string, StudentRow>()
  const batches: Array<number> = []
  const outcome = (rows: ReadonlyArray<StudentRow>) => ({
    created: rows.filter((row) => !students.has(naturalKey(row))).map((row) => row.row),
    duplicates: rows.filter((row) => students.has(naturalKey(row))).map((row) => row.row)
  })
  const sink: StudentSink<never> = {
    insertBatch: (rows) =>
      Effect.sync(() => {
        const answer = outcome(rows)
        batches.push(rows.length)
        for (const row of rows) students.set(naturalKey(row), students.get(naturalKey(row)) ?? row)
        return answer
      }),
    previewBatch: (rows) => Effect.sync(() => outcome(rows))
  }
  return { sink, batches, rows: () => [...students.values()] }
}

/** What an import reported, in order. */
export const recordedProgress = () => {
  const reports: Array<ImportProgress> = []
  return {
    reports,
    onProgress: (progress: ImportProgress) =>
      Effect.sync(() => {
        reports.push(progress)
      })
  }
}
