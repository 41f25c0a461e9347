import { maxMessagingBytes } from "./MessagingRequest.ts"
import { maxSpreadsheetBodyBytes } from "./SpreadsheetUpload.ts"
import { maxWorksheetBodyBytes } from "./WorksheetUpload.ts"

/** Bytes of a JSON body: the largest honest one has a title and a file name. */
export const maxJsonBytes = 64 * 1024

const messagingPath = "/api/v1/messaging/send/"

/** Bytes of the JSON that a path takes. */
export const jsonLimit = (path: string): number => path === messagingPath ? maxMessagingBytes : maxJsonBytes

const limits: ReadonlyArray<readonly [pathStart: string, bytes: number]> = [
  ["/api/v1/students/bulk_create_from_excel/", maxSpreadsheetBodyBytes],
  [messagingPath, maxMessagingBytes],
  ["/api/v1/ai/ocr/", maxWorksheetBodyBytes],
  // The object routes have a limit of their own, which depends on the grant.
  ["/api/v1/objects/", Number.POSITIVE_INFINITY]
]

export const bodyLimit = (path: string): number => limits.find(([start]) => path.startsWith(start))?.[1] ?? maxJsonBytes

/** Whether a request says by itself that its body is too large, so that it can be refused before anything is read. */
export const announcesTooMuch = (path: string, contentLength: string | undefined): boolean =>
  contentLength !== undefined && Number(contentLength) > bodyLimit(path)
