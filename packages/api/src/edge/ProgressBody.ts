/** The body of an answer with 200, and what its headers are made from. */
export interface ProgressBody {
  /** JSON */
  readonly text: string
  /** Whether it says anything but UNKNOWN. */
  readonly known: boolean
  /**
   * Names this body among all of its subject, without quotes: two answers with one tag are the same, byte for byte. `null` where
   * the writer kept no versions.
   */
  readonly tag: string | null
  /** Milliseconds until there can be news; `null` at the end, after which there is none. */
  readonly nextPollMillis: number | null
}
