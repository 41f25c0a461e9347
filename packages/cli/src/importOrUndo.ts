import { Effect, Option } from "effect"
import { exitCodes, fail } from "./CommandFailed.ts"
import { importFile, type ImportFileRequest } from "./importFile.ts"
import { withLogs } from "./logs.ts"
import { undoImport } from "./undoImport.ts"

export interface ImportRequest extends Omit<ImportFileRequest, "file"> {
  readonly data: string
  readonly file: Option.Option<string>
  readonly tenant: number
  readonly undo: Option.Option<string>
}

/** Judges a list, or takes an import back: one of the two. */
export const importOrUndo = Effect.fn(function*({ data, file, tenant, undo, ...judging }: ImportRequest) {
  if (Option.isSome(file) === Option.isSome(undo)) {
    const given = Option.isSome(file) ? "with both" : "with neither"
    return yield* fail(exitCodes.badInput, `Cannot import ${given}: give a FILE, or --undo JOB`)
  }
  if (Option.isSome(undo)) return yield* undoImport({ data, job: undo.value, json: judging.json, tenant })
  if (Option.isSome(file)) return yield* importFile({ ...judging, file: file.value })
}, withLogs)
