/** `node readExceljs.ts FILE COLUMNS [held]`: the same by exceljs' own streaming reader, and nothing around it. */
import ExcelJS from "exceljs"
import { encodeReading } from "./Reading.ts"
import { RowsRead } from "./RowsRead.ts"

const [file = "", columns = "", held] = process.argv.slice(2)
const rows = new RowsRead({ columns: Number(columns), held: held === "held" })
const reader = new ExcelJS.stream.xlsx.WorkbookReader(file, {
  entries: "emit",
  sharedStrings: "cache",
  hyperlinks: "ignore",
  styles: "ignore",
  worksheets: "emit"
})
for await (const sheet of reader) {
  for await (const row of sheet) rows.add(row.number, (index) => row.getCell(index + 1).value)
}
process.stdout.write(`${encodeReading(rows.reading())}\n`)
