/**
 * Why a watch ended before its subject did:
 *
 * - `Unauthorized`, `Forbidden`: the server refused the token (401, 403).
 * - `BadSubject`: the id is none (400).
 * - `NotFound`: the database has no such subject, or not for this token (the detail's 404, by its code).
 */
export type ProgressWatchReason = "Unauthorized" | "Forbidden" | "BadSubject" | "NotFound"

/** The end of a watch without an end of what was watched. Nothing else ends one: all other failures are tried again. */
export class ProgressWatchError extends Error {
  override readonly name = "ProgressWatchError"
  readonly reason: ProgressWatchReason
  /** The server's `code`, where it gave one. */
  readonly code: string | null

  constructor(reason: ProgressWatchReason, message: string, code: string | null = null) {
    super(message)
    this.reason = reason
    this.code = code
  }
}

/**
 * A poll that failed and is tried again:
 *
 * - `Token`: the token could not be had.
 * - `Network`: no answer, or none in time.
 * - `Status`: an answer that says nothing about the subject, such as 429 or 503.
 * - `Body`: an answer that is no progress, such as the page of a captive portal.
 */
export interface ProgressTrouble {
  readonly reason: "Token" | "Network" | "Status" | "Body"
  /** The answer's; `null` where there was none. */
  readonly status: number | null
  readonly cause: unknown
  /** Milliseconds until the next try. */
  readonly retryInMillis: number
}
