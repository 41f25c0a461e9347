// Writes one workbook with exceljs, as the model on standard input says. Started by make.py.
import { readFileSync } from "node:fs"
import ExcelJS from "exceljs"

const model = JSON.parse(readFileSync(0, "utf8"))
const book = new ExcelJS.Workbook()
book.created = book.modified = new Date("2026-03-02T00:00:00Z")
book.properties.date1904 = model.date1904
for (const { hidden, hiddenRows, merges, name, rows } of model.sheets) {
  const page = book.addWorksheet(name, { state: hidden ? "hidden" : "visible" })
  rows.forEach((row, r) =>
    row.forEach((cell, c) => {
      const target = page.getCell(r + 1, c + 1)
      if (cell.formula !== undefined) target.value = { formula: cell.formula, result: cell.result }
      else if (cell.date !== undefined) target.value = new Date(`${cell.date}T00:00:00Z`)
      else if (cell.value !== null) target.value = cell.value
      if (cell.format) target.numFmt = cell.format
    })
  )
  for (const merge of merges) page.mergeCells(merge)
  for (const row of hiddenRows) page.getRow(row).hidden = true
}
await book.xlsx.writeFile(model.path)
