import { maxSpreadsheetBodyBytes } from "./SpreadsheetUpload.ts"

/** Bytes of a JSON body: the largest honest one has a title and a file name. */
export const maxJsonBytes = 64 * 1024

const limits: ReadonlyArray<readonly [pathStart: string, bytes: number]> = [
  ["/api/v1/students/bulk_create_from_excel/", maxSpreadsheetBodyBytes],
  // The object routes have a limit of their own, which depends on the grant.
  ["/api/v1/objects/", Number.POSITIVE_INFINITY]
]

export const bodyLimit = (path: string): number => limits.find(([start]) => path.startsWith(start))?.[1] ?? maxJsonBytes

/** Whether a request says by itself that its body is too large, so that it can be refused before anything is read. */
export const announcesTooMuch = (path: string, contentLength: string | undefined): boolean =>
  contentLength !== undefined && Number(contentLength) > bodyLimit(path)
