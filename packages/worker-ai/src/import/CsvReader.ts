import { createReadStream } from "node:fs"
import { stat } from "node:fs/promises"
import { basename } from "node:path"
import { Readable } from "node:stream"
import { CsvError, type Parser, parse } from "csv-parse"
import { Effect, Stream } from "effect"
import { faultOfReading, type ImportFault } from "./ImportFault.ts"
import type { ImportLimits } from "./ImportLimits.ts"
import { rejected } from "./ImportRejected.ts"
import type { SheetBatch, SheetCell, SheetReader, SheetRow } from "./SheetReader.ts"
import { storableText } from "./StorableText.ts"
import { detectEncoding, exactDecoder, type TextEncoding } from "./TextEncoding.ts"

const delimiters = [",", "\t", ";", "|"] as const

/** Rows handed on together: enough that handing on costs nothing, few enough that memory stays small. */
const batchRows = 500

/** Characters in which the delimiter is looked for. */
const sampleUnits = 65_536

/** The delimiter that most lines of a sample agree on, quoted ones not counted; a comma for a single column. */
export const detectDelimiter = (sample: string): string => {
  const lines = sample.replace(/"(?:[^"]|"")*"/g, "").split(/\r\n|\n|\r/).slice(0, 200)
  let best = { delimiter: ",", lines: 0 }
  for (const delimiter of delimiters) {
    const having = lines.filter((line) => line.includes(delimiter)).length
    if (having > best.lines) best = { delimiter, lines: having }
  }
  return best.delimiter
}

/** The line in which Excel names the delimiter and which it does not show; null if the text does not begin with one. */
const separatorLine = (text: string): { readonly delimiter: string; readonly length: number } | null => {
  const match = /^"?sep=(.)"?(\r\n|\n|\r)/i.exec(text)
  return match?.[1] === undefined ? null : { delimiter: match[1], length: match[0].length }
}

async function* textOf(path: string, encoding: TextEncoding, count: (bytes: number) => void): AsyncGenerator<string> {
  const decoder = exactDecoder(encoding)
  const chunks: AsyncIterable<Uint8Array> = createReadStream(path)
  for await (const chunk of chunks) {
    count(chunk.length)
    const text = decoder.push(chunk)
    if (text !== "") yield text
  }
  const rest = decoder.end()
  if (rest !== "") yield rest
}

interface Dialect {
  readonly encoding: TextEncoding
  readonly delimiter: string
  /** UTF-16 units before the first row. */
  readonly skip: number
}

const dialectOf = async (path: string, given: TextEncoding | null): Promise<Dialect> => {
  const encoding = given ?? await detectEncoding(path)
  let sample = ""
  for await (const text of textOf(path, encoding, () => {})) {
    sample += text
    if (sample.length >= sampleUnits) break
  }
  const named = separatorLine(sample)
  if (named !== null) return { encoding, delimiter: named.delimiter, skip: named.length }
  return { encoding, delimiter: detectDelimiter(sample), skip: 0 }
}

async function* withoutHead(texts: AsyncGenerator<string>, units: number): AsyncGenerator<string> {
  let left = units
  for await (const text of texts) {
    const skipped = Math.min(left, text.length)
    left -= skipped
    if (skipped < text.length) yield text.slice(skipped)
  }
}

const faultOfParsing = (path: string, cause: unknown): ImportFault =>
  cause instanceof CsvError
    ? rejected(
        "broken_csv",
        "CSV의 따옴표가 맞지 않아 읽을 수 없습니다. Excel에서 열어 [CSV UTF-8(쉼표로 분리)]로 다시 저장한 뒤 올려 주세요",
        `The CSV cannot be read (${cause.code}); open it in Excel and save it again as "CSV UTF-8"`
      )
    : faultOfReading(path, cause)

const cellsOf = (record: ReadonlyArray<string>, row: number, limits: ImportLimits): ReadonlyArray<SheetCell> => {
  const cells: Array<SheetCell> = []
  for (const [index, text] of record.entries()) {
    if (text === "") continue
    cells.push({ column: index + 1, text: storableText(text), kind: "text", formula: null, numberFormat: null })
  }
  if (cells.length > limits.columns) {
    throw rejected(
      "too_many_columns",
      `${row}행에 값이 있는 셀이 ${limits.columns.toLocaleString("en")}개를 넘습니다. 필요한 열만 남기고 다시 올려 주세요`,
      `Row ${row} has more than ${limits.columns} cells with a value; keep the columns that you need`
    )
  }
  return cells
}

async function* batchesOf(path: string, dialect: Dialect, limits: ImportLimits): AsyncGenerator<SheetBatch, void> {
  const { size } = await stat(path)
  let bytes = 0
  const texts = textOf(path, dialect.encoding, (read) => {
    bytes += read
  })
  const source = Readable.from(withoutHead(texts, dialect.skip))
  const parser: Parser = parse({
    delimiter: dialect.delimiter,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    // A quote inside an unquoted value (5'11") is a character; a lost closing quote still breaks the file.
    relax_quotes: true,
    skip_empty_lines: false,
    max_record_size: limits.textUnits * 4
  })
  // `pipe` alone would leave the parser waiting for ever when its source fails.
  source.on("error", (cause) => parser.destroy(cause))
  source.pipe(parser)
  const records: AsyncIterable<ReadonlyArray<string>> = parser
  let rows: Array<SheetRow> = []
  let row = 0
  let count = 0
  try {
    for await (const record of records) {
      row++
      count += record.length
      if (count > limits.cells) {
        throw rejected(
          "too_many_cells",
          `셀이 ${limits.cells.toLocaleString("en")}개를 넘어 읽을 수 없습니다. 여러 파일로 나누어 올려 주세요`,
          `The file has more than ${limits.cells} cells; split it into several files`
        )
      }
      const cells = cellsOf(record, row, limits)
      if (cells.length > 0) rows.push({ row, hidden: false, cells })
      if (rows.length >= batchRows) {
        yield { rows, fraction: size > 0 ? Math.min(1, bytes / size) : 0 }
        rows = []
      }
    }
    yield { rows, fraction: 1 }
  } finally {
    source.destroy()
    parser.destroy()
  }
}

/**
 * Opens delimited text at a local path as a spreadsheet of one sheet: its delimiter, and its encoding where none is given,
 * are told from its content, which reads the file once. Rows are numbered as a spreadsheet program numbers them: a line end inside quotes
 * begins no row, a blank line is one.
 */
export const openCsv = (
  path: string,
  limits: ImportLimits,
  name: string = basename(path),
  encoding: TextEncoding | null = null
): Effect.Effect<SheetReader, ImportFault> =>
  Effect.tryPromise({ try: () => dialectOf(path, encoding), catch: (cause) => faultOfParsing(path, cause) }).pipe(
    Effect.map((dialect) => ({
      format: "csv",
      sheets: [{
        name: name.replace(/\.[^.]*$/, ""),
        hidden: false,
        batches: Stream.suspend(() =>
          Stream.fromAsyncIterable(batchesOf(path, dialect, limits), (cause) => faultOfParsing(path, cause))
        )
      }]
    }))
  )
