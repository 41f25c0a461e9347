import { Effect, Stream } from "effect"
import type { Scope } from "effect"
import { faultOfReading, type ImportFault } from "./ImportFault.ts"
import type { ImportLimits } from "./ImportLimits.ts"
import { brokenWorkbook, rejected } from "./ImportRejected.ts"
import { SharedStrings } from "./SharedStrings.ts"
import type { SheetBatch, SheetReader } from "./SheetReader.ts"
import { type SheetContext, SheetScanner } from "./SheetScanner.ts"
import { readWorkbookDirectory, scanPart, workbookPartOf } from "./WorkbookDirectory.ts"
import { StylesScanner } from "./WorkbookStyles.ts"
import { XmlBytes } from "./XmlBytes.ts"
import { XmlScanner } from "./XmlScanner.ts"
import { openZipArchive, type ZipArchive } from "./ZipArchive.ts"

async function* batchesOf(archive: ZipArchive, part: string, context: SheetContext): AsyncGenerator<SheetBatch, void> {
  const sheet = new SheetScanner(context)
  const scanner = new XmlScanner(sheet, context.limits)
  const bytes = new XmlBytes()
  const claimed = archive.claimedBytes(part)
  let done = 0
  for await (const chunk of archive.read(part)) {
    done += chunk.length
    scanner.push(bytes.push(chunk))
    const rows = sheet.take()
    if (rows.length > 0) yield { rows, fraction: claimed > 0 ? Math.min(1, done / claimed) : 0 }
  }
  scanner.push(bytes.end())
  scanner.end()
  yield { rows: sheet.take(), mergedOverRows: sheet.mergedOverRows, fraction: 1 }
}

const read = async (path: string, archive: ZipArchive, limits: ImportLimits): Promise<SheetReader> => {
  const workbook = await workbookPartOf(archive, limits)
  if (workbook === null) {
    throw rejected(
      "zip_without_workbook",
      "압축 파일이지만 엑셀 통합 문서가 아닙니다. 압축을 풀어 안에 있는 .xlsx 또는 .csv 파일을 올려 주세요",
      "The file is a zip but no workbook; unpack it and upload the .xlsx or .csv inside"
    )
  }
  const directory = await readWorkbookDirectory(archive, workbook, limits)
  if (directory.sheets.length === 0) throw brokenWorkbook("it has no sheet")
  const sharedStrings = new SharedStrings(limits)
  if (directory.sharedStrings !== null) await scanPart(archive, directory.sharedStrings, sharedStrings, limits)
  const styles = new StylesScanner()
  if (directory.styles !== null) await scanPart(archive, directory.styles, styles, limits)
  const context = { sharedStrings: sharedStrings.texts, styles, date1904: directory.date1904, limits }
  return {
    format: "xlsx",
    sheets: directory.sheets.map(({ hidden, name, part }) => ({
      name,
      hidden,
      batches: Stream.suspend(() =>
        Stream.fromAsyncIterable(batchesOf(archive, part, context), (cause) => faultOfReading(path, cause))
      )
    }))
  }
}

/**
 * Opens the workbook at a local path and reads what its sheets share: directory, shared strings, styles. The rows are
 * read when a sheet's `batches` run; the file stays open until the scope ends.
 */
export const openXlsx = (
  path: string,
  limits: ImportLimits
): Effect.Effect<SheetReader, ImportFault, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: () => openZipArchive(path, limits),
      catch: (cause) => faultOfReading(path, cause)
    }),
    (archive) => Effect.sync(() => archive.close())
  ).pipe(
    Effect.flatMap((archive) =>
      Effect.tryPromise({
        try: () => read(path, archive, limits),
        catch: (cause) => faultOfReading(path, cause)
      })
    )
  )
