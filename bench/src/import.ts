/**
 * `npm run bench:import -w @lectern/bench`: reading class lists against exceljs, writing students against a plain COPY,
 * refusing a bomb.
 *
 *     node src/import.ts            100,000 rows of 20 columns, 500,000 of 3; 100,000 students; 5 rounds
 *     node src/import.ts --quick    a tenth of it, 1 round
 *
 * The contenders take turns: medians, and the ratio of each pair that ran one after the other. Each reader is a process
 * of its own, so that its memory and its mistakes are its own. Its cells are held against what was written in one more
 * reading, which is not timed.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { temporaryFolder } from "@lectern/harness"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { printBomb } from "./import/bomb.ts"
import { decodeReading, type Reading } from "./import/Reading.ts"
import { printWrites } from "./import/writes.ts"
import { median } from "./median.ts"

const quick = process.argv.includes("--quick")
const rounds = quick ? 1 : 5
const scale = quick ? 0.1 : 1

const program = (name: string): string => fileURLToPath(new URL(`./import/${name}.ts`, import.meta.url))
const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** Runs one of the programs of this folder to its end. */
const run = (name: string, ...args: ReadonlyArray<string>) =>
  Effect.promise(async () => (await promisify(execFile)(process.execPath, [program(name), ...args])).stdout)

const programs = { ours: "readOurs", exceljs: "readExceljs" }

const read = (contender: keyof typeof programs, ...args: ReadonlyArray<string>) =>
  Effect.map(run(programs[contender], ...args), decodeReading)

const line = (name: string, timed: ReadonlyArray<Reading>, held: Reading): string => {
  const seconds = median(timed.map((it) => it.seconds))
  const most = Math.max(...timed.map((it) => it.residentMib))
  return `  ${name.padEnd(10)} ${seconds.toFixed(2)} s, ${most} MiB at most, ` +
    `${held.rows} rows, ${held.broken} cells broken`
}

const printReading = Effect.fnUntraced(function*(folder: string, rows: number, columns: number) {
  const file = join(folder, `${rows}x${columns}.xlsx`)
  const args = [file, String(columns)]
  yield* run("writeWorkbook", file, String(rows), String(columns))
  const pairs = yield* Effect.forEach(Array.from({ length: rounds }), () =>
    Effect.all({ ours: read("ours", ...args), exceljs: read("exceljs", ...args) }))
  const ratios = pairs.map(({ exceljs, ours }) => exceljs.seconds / ours.seconds)
  say(
    `${rows} rows of ${columns} columns: ${median(ratios).toFixed(2)} times as fast as exceljs ` +
      `(${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)} in ${rounds} pairs)`
  )
  say(line("ours", pairs.map(({ ours }) => ours), yield* read("ours", ...args, "held")))
  say(line("exceljs", pairs.map(({ exceljs }) => exceljs), yield* read("exceljs", ...args, "held")))
})

await Effect.runPromise(
  Effect.gen(function*() {
    const folder = yield* temporaryFolder("bench-import")
    yield* printReading(folder, 100_000 * scale, 20)
    yield* printReading(folder, 500_000 * scale, 3)
    yield* printWrites({ rows: 100_000 * scale, rounds, say })
    yield* printBomb(folder, say)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
)
