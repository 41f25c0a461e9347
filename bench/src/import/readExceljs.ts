/** `node readExceljs.ts FILE COLUMNS`: the same by exceljs' own streaming reader, and nothing around it. */
import ExcelJS from "exceljs"
import { koreanRow } from "./koreanRows.ts"
import { encodeReading, residentMib } from "./Reading.ts"

const [file = "", columns = ""] = process.argv.slice(2)
const started = performance.now()
let rows = 0
let broken = 0
const reader = new ExcelJS.stream.xlsx.WorkbookReader(file, {
  entries: "emit",
  sharedStrings: "cache",
  hyperlinks: "ignore",
  styles: "ignore",
  worksheets: "emit"
})
for await (const sheet of reader) {
  for await (const row of sheet) {
    const written = koreanRow(row.number - 1, Number(columns))
    rows++
    broken += written.filter((text, index) => row.getCell(index + 1).value !== text).length
  }
}
process.stdout.write(`${encodeReading({ rows, broken, seconds: (performance.now() - started) / 1000, residentMib: residentMib() })}\n`)
