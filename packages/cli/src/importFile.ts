import { importSteps, jobPercent, ReadingId } from "@lectern/domain"
import { importSpreadsheet, jobResult, reviewResult, writeErrorWorkbook } from "@lectern/worker-ai/import"
import { Console, Effect, Path, Schema } from "effect"
import { CommandFailed, exitCodes, fail } from "./CommandFailed.ts"
import { importReport } from "./importReport.ts"
import { requireReadable } from "./readableFile.ts"
import { readingsReport } from "./readingsReport.ts"
import { withBoard } from "./terminal.ts"

const encodeJson = Schema.encodeSync(Schema.fromJsonString(Schema.Json))

const report = (label: string, file: string, dryRun: boolean, readings: ReadonlyArray<ReadingId>) =>
  withBoard((board) =>
    Effect.gen(function*() {
      const result = yield* importSpreadsheet<never>({
        file,
        dryRun,
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
      }).pipe(Effect.tapError(() => Effect.sync(() => board.update(label, { percent: null, note: "failed", end: "bad" }))))
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
  const result = yield* report(path.basename(file), input, dryRun, readings).pipe(
    Effect.tap(() => output === null ? Effect.void : writeErrorWorkbook({ file: input, output, readings })),
    Effect.catchTags({
      ImportRejected: (error) => fail(exitCodes.badInput, `${error.messageKo}\n  ${error.messageEn}\n  (${error.code})`),
      ImportUndecided: (error) =>
        Effect.andThen(
          Console.log(json ? encodeJson(reviewResult(error)) : readingsReport(error)),
          Effect.fail(new CommandFailed({ exitCode: asks }))
        ),
      ImportFileUnreadable: (error) => fail(exitCodes.unavailable, error.message)
    })
  )
  const answer = jobResult(result, output === null ? null : (yield* Effect.orDie(path.toFileUrl(output))).href)
  yield* Console.log(json ? encodeJson(answer) : importReport(answer))
  if (!json && output !== null) yield* Console.log(`  ${output}`)
})
