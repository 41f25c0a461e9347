import { fileFault, importSteps, jobPercent, ReadingId } from "@lectern/domain"
import { importSpreadsheet, jobResult, reviewResult, writeErrorWorkbook } from "@lectern/worker-ai/import"
import { Console, Effect, FileSystem, Path, Schema } from "effect"
import { CommandFailed, exitCodes, fail } from "./CommandFailed.ts"
import { importReport } from "./importReport.ts"
import { requireReadable } from "./readableFile.ts"
import { readingsReport } from "./readingsReport.ts"
import { withBoard } from "./terminal.ts"

const encodeJson = Schema.encodeSync(Schema.fromJsonString(Schema.Json))

interface Judging {
  readonly file: string
  /** Where the workbook with the error column goes; `null` on a dry run. */
  readonly output: string | null
  readonly readings: ReadonlyArray<ReadingId>
}

/** Made in a folder of its own beside its place: what a full disk or Ctrl-C cuts short replaces nothing. */
const writeWorkbook = Effect.fnUntraced(function*(file: string, output: string, readings: ReadonlyArray<ReadingId>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = yield* fs.makeTempDirectoryScoped({ directory: path.dirname(output), prefix: ".lectern-import-" })
  const made = path.join(folder, "workbook.xlsx")
  yield* writeErrorWorkbook({ file, output: made, readings })
  yield* fs.rename(made, output)
}, Effect.scoped)

const judge = (label: string, { file, output, readings }: Judging) =>
  withBoard((board) =>
    Effect.gen(function*() {
      const result = yield* importSpreadsheet<never>({
        file,
        dryRun: output === null,
        readings,
        // With no record to ask, every student of the file is new.
        sink: { insertBatch: (rows) => Effect.succeed({ created: rows.map((row) => row.row), duplicates: [] }) },
        onProgress: ({ fraction, rowsDone, step }) =>
          Effect.sync(() => {
            const { display, index, total } = importSteps[step]
            board.update(label, {
              percent: jobPercent(importSteps[step], fraction),
              note: `[${index}/${total}] ${display} · ${rowsDone}행`,
              end: "running"
            })
          })
      }).pipe(
        Effect.tap(() => output === null ? Effect.void : writeWorkbook(file, output, readings)),
        Effect.tapError(() => Effect.sync(() => board.update(label, { percent: null, note: "failed", end: "bad" })))
      )
      board.update(label, { percent: 100, note: "완료", end: "good" })
      return result
    })
  )

/** How the command ends when the file can be read in several ways: neither done nor wrong. */
const asks = 2

/** The workbook with the error column stands beside the file that it is about. */
const workbookBeside = (path: Path.Path, file: string): string =>
  path.join(path.dirname(file), `${path.basename(file, path.extname(file))} (결과).xlsx`)

export interface ImportFileRequest {
  readonly dryRun: boolean
  readonly file: string
  readonly json: boolean
  /** Ids of readings, as the flag has them: not yet known to be such. */
  readonly readings: ReadonlyArray<string>
}

const cannotWrite = (output: string | null, error: Error) =>
  fail(
    exitCodes.unavailable,
    `Cannot write "${output}": ${fileFault(error)}; --dry-run judges the list without writing`
  )

/** Judges a class list, without any service. */
export const importFile = Effect.fn(function*({ dryRun, file, json, readings: said }: ImportFileRequest) {
  const path = yield* Path.Path
  const input = path.resolve(file)
  yield* requireReadable("import", file, input)
  const readings = yield* Schema.decodeUnknownEffect(Schema.Array(ReadingId))(said).pipe(
    Effect.catchTag("SchemaError", () =>
      fail(
        exitCodes.badInput,
        `Cannot read a file by "${said.join("\", \"")}": a reading is guardian:C, student:C, encoding:cp949, encoding:utf-8 or sheet:2`
      ))
  )
  const output = dryRun ? null : workbookBeside(path, input)
  const result = yield* judge(path.basename(file), { file: input, output, readings }).pipe(
    Effect.catchTags({
      ImportRejected: (error) => fail(exitCodes.badInput, `${error.messageKo}\n  ${error.messageEn}\n  (${error.code})`),
      ImportUndecided: (error) =>
        Effect.andThen(
          Console.log(json ? encodeJson(reviewResult(error)) : readingsReport(error)),
          Effect.fail(new CommandFailed({ exitCode: asks }))
        ),
      ImportFileUnreadable: (error) =>
        error.action === "read"
          ? fail(exitCodes.unavailable, `${error.message}: ${fileFault(error)}`)
          : cannotWrite(output, error),
      PlatformError: (error) => cannotWrite(output, error)
    })
  )
  const answer = jobResult(result, output === null ? null : (yield* Effect.orDie(path.toFileUrl(output))).href)
  yield* Console.log(json ? encodeJson(answer) : importReport(answer, "judged"))
  if (!json && output !== null) yield* Console.log(`  ${output}`)
})
