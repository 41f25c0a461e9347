import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { imageSize } from "../../src/recognition/imageSize.ts"
import { openWorksheet } from "../../src/recognition/openWorksheet.ts"
import { defaultRecognitionLimits, type RecognitionLimits } from "../../src/recognition/RecognitionLimits.ts"
import { encryptedPdf, jpegHeader, jpegSheet, pngHeader, repeatedPdf, scannedPdf, sheet } from "./madeSheets.ts"

const refusalOf = (bytes: Uint8Array, limits: Partial<RecognitionLimits> = {}) =>
  Effect.gen(function*() {
    const worksheet = yield* openWorksheet(bytes, { ...defaultRecognitionLimits, ...limits }, Effect.void)
    return yield* Effect.forEach(Array.from({ length: worksheet.pages }), (_, index) => worksheet.page(index + 1))
  }).pipe(Effect.scoped, Effect.flip, Effect.map(({ code }) => code))

describe("imageSize", () => {
  it.live("reads what real images say", () =>
    Effect.gen(function*() {
      const png = yield* Effect.promise(() => sheet(["가"]))
      const jpeg = yield* Effect.promise(() => jpegSheet(["가"]))
      assert.deepStrictEqual(imageSize(png), { kind: "png", width: 1654, height: 2339 })
      assert.deepStrictEqual(imageSize(jpeg), { kind: "jpeg", width: 1654, height: 2339 })
    }))

  it("says nothing of what is cut off or is something else", () => {
    const png = pngHeader(10, 20)
    assert.deepStrictEqual(imageSize(png), { kind: "png", width: 10, height: 20 })
    for (let length = 0; length < 24; length += 1) assert.isNull(imageSize(png.subarray(0, length)))
    const jpeg = jpegHeader(10, 20)
    assert.deepStrictEqual(imageSize(jpeg), { kind: "jpeg", width: 10, height: 20 })
    for (let length = 0; length < 18; length += 1) assert.isNull(imageSize(jpeg.subarray(0, length)))
    assert.isNull(imageSize(Buffer.from("GIF89a")))
  })
})

describe("a worksheet", () => {
  it.live("is refused by its size before anything is decoded", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* refusalOf(pngHeader(30_000, 30_000)), "image_too_large")
      assert.strictEqual(yield* refusalOf(jpegHeader(30_000, 30_000)), "image_too_large")
      assert.strictEqual(yield* refusalOf(pngHeader(11_000, 11_000)), "image_too_large")
      assert.strictEqual(yield* refusalOf(pngHeader(0, 10)), "unreadable_image")
      assert.strictEqual(yield* refusalOf(new Uint8Array()), "empty_file")
      assert.strictEqual(yield* refusalOf(new Uint8Array(11), { maxBytes: 10 }), "file_too_large")
      assert.strictEqual(yield* refusalOf(Buffer.from("<html>")), "not_an_image")
    }))

  it.live("is refused as a PDF that is encrypted, broken, too long or too large", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* refusalOf(encryptedPdf()), "encrypted_pdf")
      assert.strictEqual(yield* refusalOf(Buffer.from("%PDF-1.7\nnothing")), "broken_pdf")
      assert.strictEqual(yield* refusalOf(repeatedPdf(10_000)), "too_many_pages")
      assert.strictEqual(yield* refusalOf(repeatedPdf(1, 14_400)), "page_too_large")
    }), 120_000)

  it.live("is refused as a PDF whose page costs too much to draw, by its own cost and not by the clock", () =>
    Effect.gen(function*() {
      const endless = repeatedPdf(1, 595, "0 0 m 595 595 l S\n".repeat(1_000_000))
      let pulses = 0
      const refused = yield* openWorksheet(
        endless,
        { ...defaultRecognitionLimits, drawCpuMillis: 2_000 },
        Effect.sync(() => void (pulses += 1))
      ).pipe(Effect.flatMap((worksheet) => worksheet.page(1)), Effect.scoped, Effect.flip)
      assert.strictEqual(refused.code, "page_too_complex")
      assert.isAbove(pulses, 0)
    }), 120_000)

  it.live("is a PDF drawn page by page, within as many pixels as are allowed", () =>
    Effect.gen(function*() {
      const jpeg = yield* Effect.promise(() => jpegSheet(["가"]))
      const limits = { ...defaultRecognitionLimits, maxPixels: 1_000_000 }
      const worksheet = yield* openWorksheet(scannedPdf([jpeg, jpeg]), limits, Effect.void)
      assert.strictEqual(worksheet.pages, 2)
      const page = yield* worksheet.page(2)
      assert.deepStrictEqual(imageSize(page.bytes), { kind: "png", width: page.width, height: page.height })
      assert.isAtMost(page.width * page.height, 1_000_000)
    }).pipe(Effect.scoped))
})
