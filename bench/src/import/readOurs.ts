/** `node readOurs.ts FILE COLUMNS [held]`: reads a workbook of Korean rows as the import reads it. */
import { openClassList } from "@lectern/worker-ai/import"
import { Effect, Stream } from "effect"
import { encodeReading } from "./Reading.ts"
import { RowsRead } from "./RowsRead.ts"

const [file = "", columns = "", held] = process.argv.slice(2)
const rows = new RowsRead({ columns: Number(columns), held: held === "held" })
const read = Effect.gen(function*() {
  const { sheet } = yield* openClassList({ file })
  yield* Stream.runForEach(sheet.batches, (batch) =>
    Effect.sync(() => {
      for (const { cells, row } of batch.rows) rows.add(row, (index) => cells[index]?.text)
    }))
})
await Effect.runPromise(Effect.scoped(read))
process.stdout.write(`${encodeReading(rows.reading())}\n`)
