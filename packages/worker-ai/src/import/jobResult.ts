import type { StudentImportResult } from "./StudentImport.ts"

/** What an import answers with, as a job and by hand: its result and where the rows with their error column are. */
export const jobResult = <Download extends string | null>(result: StudentImportResult, downloadUrl: Download) => ({
  created: result.created,
  failed: result.failed.map((cell) => ({ ...cell })),
  failed_rows: result.failed_rows,
  failed_omitted: result.failed_omitted,
  duplicates: result.duplicates,
  total: result.total,
  notes: result.notes.map((note) => ({ ...note })),
  sheet: result.sheet,
  dry_run: result.dry_run,
  download_url: downloadUrl
})
