/** `node readOurs.ts FILE COLUMNS`: reads a workbook of Korean rows as the import reads it, and holds every cell against what was written. */
import { openClassList } from "@lectern/worker-ai/import"
import { Effect, Stream } from "effect"
import { koreanRow } from "./koreanRows.ts"
import { encodeReading, residentMib } from "./Reading.ts"

const [file = "", columns = ""] = process.argv.slice(2)
const started = performance.now()
let rows = 0
let broken = 0
const read = Effect.gen(function*() {
  const { sheet } = yield* openClassList({ file })
  yield* Stream.runForEach(sheet.batches, (batch) =>
    Effect.sync(() => {
      for (const { cells, row } of batch.rows) {
        const written = koreanRow(row - 1, Number(columns))
        rows++
        broken += written.filter((text, index) => cells[index]?.text !== text).length
      }
    }))
})
await Effect.runPromise(Effect.scoped(read))
process.stdout.write(`${encodeReading({ rows, broken, seconds: (performance.now() - started) / 1000, residentMib: residentMib() })}\n`)
