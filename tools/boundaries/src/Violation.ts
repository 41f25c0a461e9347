/** A place that breaks a boundary. */
export interface Violation {
  readonly rule: string
  /** The file, from the root of the repository. */
  readonly file: string
  /** The line, from 1; 0 for the file as a whole. */
  readonly line: number
  readonly message: string
}

/** One line, as compilers print it, so that editors find the place. */
export const show = ({ file, line, message, rule }: Violation): string =>
  `${file}${line === 0 ? "" : `:${line}`}: ${message} [${rule}]`
