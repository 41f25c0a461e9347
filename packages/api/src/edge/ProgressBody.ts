/** The body of an answer with 200. */
export interface ProgressBody {
  /** JSON */
  readonly text: string
  /** Whether it says anything but UNKNOWN. */
  readonly known: boolean
}
