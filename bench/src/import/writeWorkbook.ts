/** `node writeWorkbook.ts FILE ROWS COLUMNS`: a workbook of Korean rows, as exceljs writes it, with shared strings as Excel has them. */
import ExcelJS from "exceljs"
import { koreanRow } from "./koreanRows.ts"

const [file = "", rows = "", columns = ""] = process.argv.slice(2)
const book = new ExcelJS.stream.xlsx.WorkbookWriter({ filename: file, useSharedStrings: true })
const sheet = book.addWorksheet("명단")
for (let row = 0; row <= Number(rows); row++) sheet.addRow([...koreanRow(row, Number(columns))]).commit()
await book.commit()
