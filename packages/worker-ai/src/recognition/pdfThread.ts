/**
 * The thread of one PDF: draws a page when it is told which. A file that makes it hang or grow takes this thread with
 * it and nothing else.
 */
import { createCanvas } from "@napi-rs/canvas"
import { Schema } from "effect"
import { parentPort, workerData } from "node:worker_threads"
import { getDocument, type PDFDocumentProxy, VerbosityLevel } from "pdfjs-dist/legacy/build/pdf.mjs"
import { DrawPage, type PdfThreadAnswer, PdfThreadData } from "./PdfThreadProtocol.ts"

const pointsPerInch = 72
/** As much as the engine was trained on; more costs time and finds nothing. */
const dotsPerInch = 200

const { bytes, library, maxPagePoints, maxPages, maxPixels } = Schema.decodeUnknownSync(PdfThreadData)(workerData)
const decodeDrawPage = Schema.decodeUnknownSync(DrawPage)

const answer = (message: PdfThreadAnswer): void => parentPort?.postMessage(message, [])

const broken = (error: unknown): PdfThreadAnswer =>
  error instanceof Error && error.name === "PasswordException"
    ? { _tag: "Refused", code: "encrypted_pdf", detail: "the PDF is encrypted" }
    : {
      _tag: "Refused",
      code: "broken_pdf",
      detail: `the PDF is broken: ${error instanceof Error ? error.name : "unknown"}`
    }

const draw = async (document: PDFDocumentProxy, number: number): Promise<PdfThreadAnswer> => {
  const page = await document.getPage(number)
  const whole = page.getViewport({ scale: 1 })
  if (!(whole.width > 0 && whole.height > 0) || Math.max(whole.width, whole.height) > maxPagePoints) {
    return {
      _tag: "Refused",
      code: "page_too_large",
      detail: `page ${number} has ${Math.round(whole.width)} x ${Math.round(whole.height)} points`
    }
  }
  const wanted = dotsPerInch / pointsPerInch
  const fitting = Math.sqrt(maxPixels / (whole.width * whole.height))
  const viewport = page.getViewport({ scale: Math.min(wanted, fitting) })
  const canvas = createCanvas(Math.max(1, Math.floor(viewport.width)), Math.max(1, Math.floor(viewport.height)))
  const context = canvas.getContext("2d")
  context.fillStyle = "white"
  context.fillRect(0, 0, canvas.width, canvas.height)
  await page.render({ canvas, canvasContext: context, viewport }).promise
  page.cleanup()
  const png = new Uint8Array(await canvas.encode("png"))
  return { _tag: "Drawn", png, width: canvas.width, height: canvas.height }
}

const serve = async (): Promise<void> => {
  const document = await getDocument({
    data: new Uint8Array(bytes),
    cMapUrl: `${library}cmaps/`,
    standardFontDataUrl: `${library}standard_fonts/`,
    wasmUrl: `${library}wasm/`,
    maxImageSize: maxPixels,
    disableFontFace: true,
    enableXfa: false,
    useSystemFonts: false,
    verbosity: VerbosityLevel.ERRORS
  }).promise
  if (document.numPages > maxPages) {
    return answer({ _tag: "Refused", code: "too_many_pages", detail: `the PDF has ${document.numPages} pages` })
  }
  parentPort?.on("message", (message: unknown) => {
    draw(document, decodeDrawPage(message).page).catch(broken).then(answer, broken)
  })
  answer({ _tag: "Opened", pages: document.numPages })
}

serve().catch((error: unknown) => answer(broken(error)))
