/** One step of the schema. Once it has been released its text never changes: a later step mends what it got wrong. */
export interface Migration {
  /** From 1, without gaps. */
  readonly id: number
  readonly name: string
  /** Run in this order, in one transaction; one statement each, because the extended protocol takes no more. */
  readonly statements: ReadonlyArray<string>
}
