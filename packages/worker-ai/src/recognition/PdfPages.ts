import { Cause, Effect, Queue, Schema, type Scope } from "effect"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import { PdfThreadAnswer, type PdfThreadData } from "./PdfThreadProtocol.ts"
import type { RecognitionLimits } from "./RecognitionLimits.ts"
import type { PageImage } from "./TextRecognition.ts"
import type { Worksheet } from "./Worksheet.ts"
import { threadCpu } from "./threadCpu.ts"
import { watchCpu } from "./watchCpu.ts"
import { WorksheetRejected } from "./WorksheetRejected.ts"

const program = new URL("./pdfThread.ts", import.meta.url)
const library = fileURLToPath(new URL(".", import.meta.resolve("pdfjs-dist/package.json")))

/** MiB of heap that drawing may need; a file that needs more is refused. */
const heapMiB = 512

const decode = Schema.decodeUnknownSync(PdfThreadAnswer)

const tooComplex = (detail: string): WorksheetRejected => new WorksheetRejected({ code: "page_too_complex", detail })

/**
 * The pages of a PDF, each drawn when it is asked for, in a thread that ends with the scope; `pulse` is said as that
 * moves.
 */
export const openPdf = (
  bytes: Uint8Array,
  limits: RecognitionLimits,
  pulse: Effect.Effect<void>
): Effect.Effect<Worksheet, WorksheetRejected, Scope.Scope> =>
  Effect.gen(function*() {
    const answers = yield* Queue.bounded<PdfThreadAnswer, WorksheetRejected>(1)
    const thread = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const data: PdfThreadData = {
          bytes,
          maxPages: limits.maxPages,
          maxPixels: limits.maxPixels,
          maxPagePoints: limits.maxPagePoints,
          library
        }
        const started = new Worker(program, {
          workerData: data,
          resourceLimits: { maxOldGenerationSizeMb: heapMiB },
          // What it prints is about somebody's file; nobody reads it.
          stdout: true,
          stderr: true
        })
        started.on("message", (message: unknown) => Queue.offerUnsafe(answers, decode(message)))
        const end = (detail: string) => Queue.failCauseUnsafe(answers, Cause.fail(tooComplex(detail)))
        started.on("error", (error) => end(`drawing ended: ${error.message}`))
        started.on("exit", () => end("drawing ended"))
        return started
      }),
      (started) => Effect.promise(() => started.terminate())
    )

    const spent = threadCpu(thread)
    const watch = Effect.flatMap(spent, (before) =>
      Effect.flatMap(watchCpu(spent, before + limits.drawCpuMillis, pulse), () =>
        Effect.fail(tooComplex(`drawing cost more than ${limits.drawCpuMillis} ms`))))

    const next = Queue.take(answers).pipe(
      Effect.raceFirst(watch),
      Effect.flatMap((answer) =>
        answer._tag === "Refused"
          ? Effect.fail(new WorksheetRejected({ code: answer.code, detail: answer.detail }))
          : Effect.succeed(answer)
      )
    )

    const opened = yield* next
    return {
      pages: opened._tag === "Opened" ? opened.pages : 0,
      page: (number): Effect.Effect<PageImage, WorksheetRejected> =>
        Effect.sync(() => thread.postMessage({ page: number }, [])).pipe(
          Effect.andThen(next),
          Effect.flatMap((answer) =>
            answer._tag === "Drawn"
              ? Effect.succeed({ bytes: answer.png, width: answer.width, height: answer.height })
              : Effect.fail(new WorksheetRejected({ code: "broken_pdf", detail: `page ${number} was not drawn` }))
          )
        )
    }
  })
