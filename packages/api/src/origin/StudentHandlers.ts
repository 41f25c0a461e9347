import { spreadsheetKey, StudentStore } from "@lectern/domain"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { CurrentPrincipal } from "./Authorization.ts"
import { makeFileIntake } from "./FileIntake.ts"
import { OriginApi } from "./OriginApi.ts"
import { Conflict, UnsupportedMediaType } from "./Refusal.ts"
import { jobNotFound, unavailable } from "./refusals.ts"
import { isSpreadsheetExtension, looksLike, signatureBytes, spreadsheetTypes } from "./SpreadsheetUpload.ts"
import { extensionOf } from "./VideoUpload.ts"

const yes: ReadonlySet<string> = new Set(["true", "True", "1", "on", "yes"])

/** Accepts class lists, and takes their imports back. */
export const StudentHandlers = HttpApiBuilder.group(
  OriginApi,
  "students",
  Effect.fnUntraced(function*(handlers) {
    const students = yield* StudentStore
    const intake = yield* makeFileIntake({
      kind: "student_import",
      noun: "spreadsheet",
      verb: "import",
      work: "import",
      keyOf: spreadsheetKey
    })

    return handlers.handleAll({
      bulkCreateFromExcel: Effect.fn("Origin.importStudents")(function*({ payload: { file, dry_run, reading } }) {
        const { tenantId } = yield* CurrentPrincipal
        const extension = extensionOf(file.name)
        if (!isSpreadsheetExtension(extension)) {
          return yield* new UnsupportedMediaType({
            detail: `Cannot import a file with the extension "${extension}": save it in Excel as .xlsx or .csv`,
            code: "unsupported_extension"
          })
        }
        const { size, start } = yield* intake.look(file, signatureBytes)
        if (!looksLike(extension, start)) {
          return yield* new UnsupportedMediaType({
            detail: `Cannot import the file: its content is no .${extension}; open it in Excel and save it as .xlsx or .csv`,
            code: "not_a_spreadsheet"
          })
        }
        return yield* intake.accept(tenantId, file, { size, extension, contentType: spreadsheetTypes[extension] }, {
          dry_run: yes.has(dry_run ?? ""),
          ...(reading === undefined || reading === "" ? {} : { readings: reading.split(",") })
        })
      }),
      undoImport: Effect.fn("Origin.undoImport")(function*({ params }) {
        const { tenantId } = yield* CurrentPrincipal
        return yield* students.undoImport(tenantId, params.job_id).pipe(
          Effect.catchTags({
            JobNotFound: (error) => Effect.fail(jobNotFound(error)),
            ImportNotUndoable: (error) =>
              Effect.fail(new Conflict({ detail: error.message, code: "import_not_undoable" })),
            JobStoreUnavailable: unavailable("undo the import")
          })
        )
      })
    })
  })
)
