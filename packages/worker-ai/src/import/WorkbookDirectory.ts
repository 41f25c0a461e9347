import { posix } from "node:path"
import type { ImportLimits } from "./ImportLimits.ts"
import { brokenWorkbook, rejected } from "./ImportRejected.ts"
import { storableText } from "./StorableText.ts"
import { XmlBytes } from "./XmlBytes.ts"
import { type XmlEvents, XmlScanner } from "./XmlScanner.ts"
import type { ZipArchive } from "./ZipArchive.ts"

/** Where a workbook keeps its parts. Names of parts mean nothing in this format: only relationships do. */
export interface WorkbookDirectory {
  readonly sheets: ReadonlyArray<{ readonly name: string; readonly hidden: boolean; readonly part: string }>
  readonly sharedStrings: string | null
  readonly styles: string | null
  readonly date1904: boolean
}

/** Feeds one part of a zip, whole, to a handler of XML events. */
export const scanPart = async (
  archive: ZipArchive,
  part: string,
  events: XmlEvents,
  limits: ImportLimits
): Promise<void> => {
  const scanner = new XmlScanner(events, limits)
  const bytes = new XmlBytes()
  for await (const chunk of archive.read(part)) scanner.push(bytes.push(chunk))
  scanner.push(bytes.end())
  scanner.end()
}

interface Relationship {
  readonly id: string
  /** The last word of the type's address: transitional and strict workbooks differ in what stands before it. */
  readonly kind: string
  readonly part: string
}

const relationshipsOf = async (
  archive: ZipArchive,
  source: string,
  limits: ImportLimits
): Promise<ReadonlyArray<Relationship>> => {
  const folder = posix.dirname(source)
  const part = posix.join(folder, "_rels", `${posix.basename(source)}.rels`)
  const relationships: Array<Relationship> = []
  await scanPart(archive, part, {
    wantsText: false,
    open: (name, attributes) => {
      if (name !== "Relationship" || attributes.get("TargetMode") === "External") return
      const target = attributes.get("Target") ?? ""
      relationships.push({
        id: attributes.get("Id") ?? "",
        kind: posix.basename(attributes.get("Type") ?? ""),
        part: target.startsWith("/") ? target.slice(1) : posix.join(folder, target)
      })
    },
    text: () => {},
    close: () => {}
  }, limits)
  return relationships
}

/** The name of the part that holds the workbook, by the package's own relationships; null if it has none. */
export const workbookPartOf = async (archive: ZipArchive, limits: ImportLimits): Promise<string | null> => {
  if (!archive.names.some((name) => name.toLowerCase() === "_rels/.rels")) return null
  const relationships = await relationshipsOf(archive, "", limits)
  return relationships.find((relationship) => relationship.kind === "officeDocument")?.part ?? null
}

/** Reads the workbook part and its relationships. Rejects with `ImportRejected` or `ImportFileUnreadable`. */
export const readWorkbookDirectory = async (
  archive: ZipArchive,
  workbook: string,
  limits: ImportLimits
): Promise<WorkbookDirectory> => {
  const relationships = await relationshipsOf(archive, workbook, limits)
  const byId = new Map(relationships.map((relationship) => [relationship.id, relationship]))
  const sheets: Array<WorkbookDirectory["sheets"][number]> = []
  let date1904 = false
  await scanPart(archive, workbook, {
    wantsText: false,
    open: (name, attributes) => {
      if (name === "workbookPr") {
        const flag = attributes.get("date1904")
        date1904 = flag === "1" || flag === "true"
      }
      if (name !== "sheet") return
      if (sheets.length >= limits.sheets) {
        throw rejected(
          "too_many_parts",
          `시트가 ${limits.sheets}개를 넘습니다. 필요한 시트만 새 파일로 복사해 올려 주세요`,
          `The workbook has more than ${limits.sheets} sheets; copy the sheet that you need into a new file`
        )
      }
      const target = byId.get(attributes.get(":id") ?? "")
      if (target === undefined) throw brokenWorkbook("a sheet points at no part")
      // Chart sheets and dialogs stand among the sheets but hold no cells.
      if (target.kind !== "worksheet") return
      const state = attributes.get("state")
      sheets.push({
        name: storableText(attributes.get("name") ?? ""),
        hidden: state === "hidden" || state === "veryHidden",
        part: target.part
      })
    },
    text: () => {},
    close: () => {}
  }, limits)
  const partOf = (kind: string) => relationships.find((relationship) => relationship.kind === kind)?.part ?? null
  return { sheets, date1904, sharedStrings: partOf("sharedStrings"), styles: partOf("styles") }
}
