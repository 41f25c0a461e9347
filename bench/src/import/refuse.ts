/** `node refuse.ts FILE`: has the import look at a file that it must refuse, and says what that cost. */
import { importSpreadsheet } from "@lectern/worker-ai/import"
import { Effect } from "effect"
import { residentMib } from "./Reading.ts"

const [file = ""] = process.argv.slice(2)
const before = residentMib()
const started = performance.now()
const refusal = await Effect.runPromise(
  Effect.flip(importSpreadsheet({ file, sink: { insertBatch: () => Effect.die(new Error("Cannot be: nothing is written of a bomb")) } }))
)
const code = refusal._tag === "ImportRejected" ? refusal.code : refusal._tag
const seconds = (performance.now() - started) / 1000
process.stdout.write(`refused as ${code} after ${seconds.toFixed(3)} s and ${residentMib() - before} MiB more than at the start\n`)
