import { open } from "node:fs/promises"
import { TextDecoder } from "node:util"
import { Effect } from "effect"
import { compoundFileMagic, compoundFileNames } from "./CompoundFile.ts"
import { faultOfReading, type ImportFault } from "./ImportFault.ts"
import type { ImportLimits } from "./ImportLimits.ts"
import { rejected } from "./ImportRejected.ts"
import { byteOrder } from "./TextEncoding.ts"
import { openZipArchive } from "./ZipArchive.ts"

/** The formats that are read. */
export type FileKind = "xlsx" | "csv"

const empty = () =>
  rejected(
    "empty_file",
    "빈 파일입니다. 명단이 들어 있는 파일인지 확인한 뒤 다시 올려 주세요",
    "The file is empty; check that it holds the list and upload it again"
  )

const notASpreadsheet = () =>
  rejected(
    "not_a_spreadsheet",
    "스프레드시트 파일이 아닙니다. Excel 통합 문서(.xlsx)나 CSV 파일로 저장한 뒤 올려 주세요",
    "The file is no spreadsheet; save the list as an Excel workbook (.xlsx) or as CSV and upload that"
  )

const legacyXls = () =>
  rejected(
    "legacy_xls",
    "옛 Excel 형식(.xls)입니다. Excel에서 열어 [다른 이름으로 저장] > [Excel 통합 문서(.xlsx)]로 저장한 뒤 올려 주세요",
    "The file is in the old Excel format (.xls); open it in Excel and use Save As > Excel Workbook (.xlsx)"
  )

const encrypted = () =>
  rejected(
    "encrypted_workbook",
    "암호가 걸린 파일입니다. Excel에서 열어 [파일] > [정보] > [통합 문서 보호]에서 암호를 지우고 저장한 뒤 올려 주세요",
    "The workbook has a password; remove it in Excel under File > Info > Protect Workbook, and upload it again"
  )

const htmlAsXls = () =>
  rejected(
    "html_as_xls",
    "확장자만 엑셀인 웹 페이지(HTML) 파일입니다. Excel에서 열어 [다른 이름으로 저장] > [Excel 통합 문서(.xlsx)]로 저장한 뒤 올려 주세요",
    "The file is a web page (HTML) by another name; open it in Excel and use Save As > Excel Workbook (.xlsx)"
  )

const xmlSpreadsheet2003 = () =>
  rejected(
    "xml_spreadsheet_2003",
    "XML 스프레드시트 2003 형식입니다. Excel에서 열어 [다른 이름으로 저장] > [Excel 통합 문서(.xlsx)]로 저장한 뒤 올려 주세요",
    "The file is an XML Spreadsheet 2003; open it in Excel and use Save As > Excel Workbook (.xlsx)"
  )

const binaryXlsb = () =>
  rejected(
    "binary_xlsb",
    "Excel 바이너리 형식(.xlsb)입니다. Excel에서 [다른 이름으로 저장] > [Excel 통합 문서(.xlsx)]로 저장한 뒤 올려 주세요",
    "The file is an Excel binary workbook (.xlsb); use Save As > Excel Workbook (.xlsx) in Excel"
  )

const openDocument = () =>
  rejected(
    "open_document",
    "OpenDocument 형식(.ods)입니다. LibreOffice나 Excel에서 [다른 이름으로 저장] > [Excel 통합 문서(.xlsx)]로 저장한 뒤 올려 주세요",
    "The file is an OpenDocument (.ods); save it as Excel Workbook (.xlsx) in LibreOffice or Excel"
  )

const macros = () =>
  rejected(
    "macro_workbook",
    "매크로가 들어 있는 파일(.xlsm)은 받지 않습니다. Excel에서 [다른 이름으로 저장] > [Excel 통합 문서(.xlsx)]로 저장한 뒤 올려 주세요",
    "The workbook contains macros (.xlsm), which are not accepted; use Save As > Excel Workbook (.xlsx) in Excel"
  )

const zipWithoutWorkbook = () =>
  rejected(
    "zip_without_workbook",
    "압축 파일이지만 엑셀 통합 문서가 아닙니다. 압축을 풀어 안에 있는 .xlsx 또는 .csv 파일을 올려 주세요",
    "The file is a zip but no workbook; unpack it and upload the .xlsx or .csv inside"
  )

const tooLarge = (bytes: number, limit: number) =>
  rejected(
    "file_too_large",
    `파일이 너무 큽니다(${Math.ceil(bytes / 1_048_576)}MB, 최대 ${Math.floor(limit / 1_048_576)}MB). 여러 파일로 나누어 올려 주세요`,
    `The file has ${bytes} bytes, more than the ${limit} that are allowed; split it into several files`
  )

const startsWith = (bytes: Uint8Array, magic: Uint8Array): boolean =>
  magic.every((byte, index) => bytes[index] === byte)

/** An .xls from before Excel 5 has no container: it begins with the record that opens a sheet. */
const isBareXls = (head: Uint8Array): boolean =>
  head[0] === 0x09 &&
  [0x00, 0x02, 0x04, 0x08].includes(head[1] ?? -1) &&
  [0x04, 0x06, 0x08, 0x10].includes(head[2] ?? -1) &&
  head[3] === 0

const zipKind = async (path: string, limits: ImportLimits): Promise<FileKind> => {
  const archive = await openZipArchive(path, limits)
  try {
    const names = archive.names.map((name) => name.toLowerCase())
    if (archive.encrypted) throw encrypted()
    if (names.includes("mimetype") || names.includes("content.xml")) throw openDocument()
    if (names.some((name) => name.endsWith("workbook.bin"))) throw binaryXlsb()
    if (!names.includes("[content_types].xml")) throw zipWithoutWorkbook()
    if (names.some((name) => name.endsWith("vbaproject.bin"))) throw macros()
    const types: Array<Uint8Array> = []
    for await (const bytes of archive.read("[Content_Types].xml")) types.push(Uint8Array.from(bytes))
    const text = Buffer.concat(types).toString("utf8")
    if (text.includes("macroEnabled.main")) throw macros()
    if (text.includes("sheet.binary")) throw binaryXlsb()
    if (!/spreadsheetml\.(sheet|template)\.main/.test(text)) throw zipWithoutWorkbook()
    return "xlsx"
  } finally {
    archive.close()
  }
}

/** What bytes that begin no known container are: text of some encoding, or nothing for us. */
const textKind = (head: Buffer): FileKind => {
  const order = byteOrder(head)
  if (order === "none") throw notASpreadsheet()
  // Latin letters serve for both: what is looked for below is ASCII in every encoding that is left.
  const even = head.subarray(0, head.length & ~1)
  const whole = order === null ? head.toString("latin1") : new TextDecoder(order).decode(even)
  if (/[^\P{Cc}\t\n\f\r\x1a\x80-\x9f]/u.test(whole)) throw notASpreadsheet()
  const text = whole.replace(/^(\ufeff|ï»¿)/, "").trimStart().toLowerCase()
  if (text === "") throw empty()
  if (text.startsWith("%pdf") || text.startsWith("{\\rtf")) throw notASpreadsheet()
  if (text.startsWith("<") && text.includes("urn:schemas-microsoft-com:office:spreadsheet")) throw xmlSpreadsheet2003()
  if (text.startsWith("<") || text.startsWith("mime-version:")) throw htmlAsXls()
  return "csv"
}

const recognise = async (path: string, limits: ImportLimits): Promise<FileKind> => {
  const file = await open(path, "r")
  try {
    const { size } = await file.stat()
    if (size === 0) throw empty()
    if (size > limits.fileBytes) throw tooLarge(size, limits.fileBytes)
    const buffer = Buffer.alloc(8192)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
    const head = buffer.subarray(0, bytesRead)
    if (startsWith(head, compoundFileMagic)) {
      const names = await compoundFileNames(file)
      if (names.includes("EncryptedPackage")) throw encrypted()
      if (names.includes("Workbook") || names.includes("Book")) throw legacyXls()
      throw notASpreadsheet()
    }
    if (isBareXls(head)) throw legacyXls()
    if (head[0] === 0x50 && head[1] === 0x4b && [3, 5, 7].includes(head[2] ?? 0)) return await zipKind(path, limits)
    return textKind(head)
  } finally {
    await file.close()
  }
}

/**
 * Tells by its bytes, never by its name, what the file at a local path is. Fails with `ImportRejected` for everything
 * but .xlsx and delimited text, each with its own code and a sentence that says what to do.
 */
export const recogniseFile: (path: string, limits: ImportLimits) => Effect.Effect<FileKind, ImportFault> = Effect.fn(
  "FileKind.recogniseFile"
)((path: string, limits: ImportLimits) =>
  Effect.tryPromise({ try: () => recognise(path, limits), catch: (cause) => faultOfReading(path, cause) })
)
