import { Schema } from "effect"

/**
 * The machine could not read or write a local file. It says nothing about the file's content: a retry, or another
 * machine, can help.
 */
export class ImportFileUnreadable extends Schema.TaggedError<ImportFileUnreadable>()("ImportFileUnreadable", {
  action: Schema.Literals(["read", "write"]),
  path: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Cannot ${this.action} the spreadsheet at "${this.path}"`
  }
}
