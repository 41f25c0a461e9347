import { ImportFileUnreadable } from "./ImportFileUnreadable.ts"
import { ImportRejected } from "./ImportRejected.ts"
import type { ImportUndecided } from "./ImportUndecided.ts"

/** Why a spreadsheet was not read: the file (never retried), or the disk (a retry can help). */
export type ImportFault = ImportRejected | ImportFileUnreadable

/** Why a class list was not imported: besides, somebody has to say how it is meant. */
export type ClassListFault = ImportFault | ImportUndecided

/** Types what a reader threw. A fault that is neither of ours comes from the file system. */
export const faultOfReading = (path: string, cause: unknown): ImportFault =>
  cause instanceof ImportRejected || cause instanceof ImportFileUnreadable
    ? cause
    : new ImportFileUnreadable({ action: "read", path, cause })
