import { Schema } from "effect"

/** The first rows of a file as one reading has them: each cell by what its column means, or by the column's letters. */
export const PreviewRow = Schema.Struct({
  /** 1-based, as the spreadsheet program shows it. */
  row: Schema.Int,
  cells: Schema.Record(Schema.String, Schema.String)
})
export type PreviewRow = typeof PreviewRow.Type

/** One way to read a file. */
export const Reading = Schema.Struct({
  /** A `ReadingId` of the domain, which knows more than a reader of files wants to load. */
  id: Schema.String,
  ko: Schema.String,
  en: Schema.String,
  /** Whether the list can be imported so: without a guardian's number it cannot. */
  importable: Schema.Boolean,
  preview: Schema.Array(PreviewRow)
})
export type Reading = typeof Reading.Type

/**
 * The file can be read in more than one way, and the difference matters: whose number a number is, which characters its bytes
 * are, which of its lists is meant. Nobody guesses (docs/decisions/0016); `readings` has two or more, and the same file with
 * the id of one of them is read so. The messages hold no cell of a person; the previews do.
 */
export class ImportUndecided extends Schema.TaggedError<ImportUndecided>()("ImportUndecided", {
  question: Schema.Literals(["phone", "encoding", "sheet"]),
  messageKo: Schema.String,
  messageEn: Schema.String,
  readings: Schema.Array(Reading)
}) {
  override get message(): string {
    return `Cannot import the file without a decision (${this.question}): ${this.messageEn}`
  }
}
