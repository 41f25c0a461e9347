import { temporaryFolder } from "@lectern/harness"
import { Effect, type Scope, Stream } from "effect"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { openCsv } from "../../src/import/CsvReader.ts"
import { recogniseFile } from "../../src/import/FileKind.ts"
import type { ImportFault } from "../../src/import/ImportFault.ts"
import { defaultImportLimits, type ImportLimits } from "../../src/import/ImportLimits.ts"
import type { SheetRow } from "../../src/import/SheetReader.ts"
import { openXlsx } from "../../src/import/XlsxReader.ts"

/** The class list that the demo imports, in the repository. */
export const rosterFile = join(import.meta.dirname, "../../../../media/roster.xlsx")

/** A local file with these bytes, gone with the scope. */
export const fileOf = (bytes: Uint8Array | string, name = "list.xlsx"): Effect.Effect<string, never, Scope.Scope> =>
  temporaryFolder("import").pipe(
    Effect.orDie,
    Effect.map((folder) => join(folder, name)),
    Effect.tap((path) => Effect.promise(() => writeFile(path, bytes)))
  )

/** All rows of one sheet of a file, the first if none is named. */
export const rowsOf = (
  path: string,
  options: { readonly limits?: ImportLimits; readonly sheet?: string } = {}
): Effect.Effect<ReadonlyArray<SheetRow>, ImportFault> =>
  Effect.scoped(
    Effect.gen(function* () {
      const limits = options.limits ?? defaultImportLimits
      const kind = yield* recogniseFile(path, limits)
      const reader = yield* kind === "xlsx" ? openXlsx(path, limits) : openCsv(path, limits)
      const sheet = reader.sheets.find(({ name }) => options.sheet === undefined || name === options.sheet)
      if (sheet === undefined) return yield* Effect.die(new Error(`Cannot find the sheet "${options.sheet}"`))
      const batches = yield* Stream.runCollect(sheet.batches)
      return batches.flatMap((batch) => batch.rows)
    })
  )

/** The texts of rows, which is all that most tests look at. */
export const textsOf = (rows: ReadonlyArray<SheetRow>): ReadonlyArray<ReadonlyArray<string>> =>
  rows.map((row) => row.cells.map((cell) => cell.text))
