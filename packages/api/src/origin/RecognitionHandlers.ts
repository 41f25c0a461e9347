import { worksheetKey } from "@lectern/domain"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { CurrentPrincipal } from "./Authorization.ts"
import { makeFileIntake } from "./FileIntake.ts"
import { OriginApi } from "./OriginApi.ts"
import { UnsupportedMediaType } from "./Refusal.ts"
import { worksheetSignatureBytes, worksheetType } from "./WorksheetUpload.ts"

/** Accepts worksheets. */
export const RecognitionHandlers = HttpApiBuilder.group(
  OriginApi,
  "recognition",
  Effect.fnUntraced(function*(handlers) {
    const intake = yield* makeFileIntake({
      kind: "ocr",
      noun: "worksheet",
      verb: "read",
      work: "recognition",
      keyOf: worksheetKey
    })

    return handlers.handleAll({
      recognize: Effect.fn("Origin.recognize")(function*({ payload: { file } }) {
        const { tenantId } = yield* CurrentPrincipal
        const { size, start } = yield* intake.look(file, worksheetSignatureBytes)
        const type = worksheetType(start)
        if (type === null) {
          return yield* new UnsupportedMediaType({
            detail: "Cannot read the file: it is neither a PNG nor a JPEG nor a PDF",
            code: "not_a_worksheet"
          })
        }
        return yield* intake.accept(tenantId, file, { ...type, size })
      })
    })
  })
)
