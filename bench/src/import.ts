/**
 * `npm run bench:import -w @lectern/bench`: reading class lists against exceljs, writing students against a plain COPY, refusing a bomb.
 *
 *     node src/import.ts            100,000 rows of 20 columns, 500,000 of 3; 100,000 students; 3 rounds
 *     node src/import.ts --quick    a tenth of it, 1 round
 *
 * The contenders take turns; medians and their ratios. Each reader is a process of its own that holds every cell against what was
 * written, so that its memory and its mistakes are its own.
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
const rounds = quick ? 1 : 3
const scale = quick ? 0.1 : 1

const program = (name: string): string => fileURLToPath(new URL(`./import/${name}.ts`, import.meta.url))
const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** Runs one of the programs of this folder to its end. */
const run = (name: string, ...args: ReadonlyArray<string>) =>
  Effect.promise(async () => (await promisify(execFile)(process.execPath, [program(name), ...args])).stdout)

const readings = Effect.fnUntraced(function*(file: string, columns: number) {
  const ours: Array<Reading> = []
  const theirs: Array<Reading> = []
  for (let round = 0; round < rounds; round++) {
    ours.push(decodeReading(yield* run("readOurs", file, String(columns))))
    theirs.push(decodeReading(yield* run("readExceljs", file, String(columns))))
  }
  return { ours, theirs }
})

const line = (name: string, read: ReadonlyArray<Reading>): string => {
  const seconds = median(read.map((it) => it.seconds))
  return `  ${name.padEnd(10)} ${seconds.toFixed(2)} s, ${median(read.map((it) => it.residentMib))} MiB, ` +
    `${read[0]?.rows ?? 0} rows, ${Math.max(...read.map((it) => it.broken))} cells broken`
}

const printReading = Effect.fnUntraced(function*(folder: string, rows: number, columns: number) {
  const file = join(folder, `${rows}x${columns}.xlsx`)
  yield* run("writeWorkbook", file, String(rows), String(columns))
  const { ours, theirs } = yield* readings(file, columns)
  const speed = median(theirs.map(({ seconds }) => seconds)) / median(ours.map(({ seconds }) => seconds))
  say(`${rows} rows of ${columns} columns: ${speed.toFixed(2)} times as fast as exceljs`)
  say(line("ours", ours))
  say(line("exceljs", theirs))
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
