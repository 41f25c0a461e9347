/** The real engine on sheets of our own making: how many characters it gets right. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { openWorksheet } from "../../src/recognition/openWorksheet.ts"
import {
  defaultRecognitionLimits,
  PageUnreadable,
  TextRecognition,
  TextRecognitionTesseract
} from "../../src/recognition/index.ts"
import { blankSheet, jpegSheet, scannedPdf, sheet } from "./madeSheets.ts"

const korean = [
  "다음 글을 읽고 물음에 답하시오.",
  "광합성에 필요한 것은 무엇인가?",
  "이 문장에서 주어를 찾아 쓰시오.",
  "서울특별시 강남구의 인구 변화를 설명하시오.",
  "물이 얼음이 되는 온도는 몇 도인가?",
  "조선 시대의 과거 제도에 대하여 서술하시오.",
  "두 수의 최대공약수를 구하시오.",
  "환경 오염을 줄이는 방법을 세 가지 쓰시오."
]
const english = [
  "The quick brown fox jumps over the lazy dog.",
  "Read the passage and answer the questions.",
  "Which of the following is not a noun?",
  "Photosynthesis needs light and water.",
  "Write three sentences about your family.",
  "The capital city of Korea is Seoul."
]

/** Edits that make one text of the other. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length] ?? 0
}

const accuracy = (truth: ReadonlyArray<string>, read: ReadonlyArray<string>): number => {
  const [expected, found] = [truth, read].map((lines) => lines.join("\n").replaceAll(" ", ""))
  return 1 - distance(expected ?? "", found ?? "") / (expected?.length ?? 1)
}

const engine = TextRecognitionTesseract.layer.pipe(Layer.provide(NodeServices.layer))

const read = Effect.fnUntraced(function*(upload: Promise<Buffer>) {
  const recognizer = yield* Effect.flatMap(TextRecognition, ({ open }) => open)
  const worksheet = yield* openWorksheet(yield* Effect.promise(() => upload), defaultRecognitionLimits, Effect.void)
  const pages = yield* Effect.forEach(Array.from({ length: worksheet.pages }), (_, index) =>
    Effect.flatMap(worksheet.page(index + 1), recognizer.recognize))
  assert.isAbove(yield* recognizer.cpuMillis, 0)
  return pages
})

describe("Tesseract", () => {
  it.live("reads Korean and English from an image", () =>
    Effect.gen(function*() {
      for (const [name, truth] of [["Korean", korean], ["English", english]] as const) {
        const [lines = []] = yield* read(sheet(truth))
        const right = accuracy(truth, lines.map(({ text }) => text))
        console.info(`${name}: ${(right * 100).toFixed(1)} % of the characters are right`)
        assert.isAtLeast(right, 0.95)
        for (const { box, confidence } of lines) {
          assert.isTrue(box.width > 0 && box.height > 0 && box.x >= 0 && box.y >= 0)
          assert.isTrue(confidence >= 0 && confidence <= 100)
        }
      }
    }).pipe(Effect.scoped, Effect.provide(engine)), 120_000)

  it.live("reads every page of a scanned PDF", () =>
    Effect.gen(function*() {
      const [mixed, other] = [[...korean.slice(0, 3), ...english.slice(0, 3)], english.slice(3)]
      const scans = Promise.all([mixed, other].map(jpegSheet)).then(scannedPdf)
      const pages = yield* read(scans)
      const right = [mixed, other].map((truth, index) => accuracy(truth, (pages[index] ?? []).map(({ text }) => text)))
      console.info(`A scanned PDF: ${right.map((share) => `${(share * 100).toFixed(1)} %`).join(" and ")}`)
      for (const share of right) assert.isAtLeast(share, 0.9)
    }).pipe(Effect.scoped, Effect.provide(engine)), 120_000)

  it.live("finds nothing on an empty page, and refuses an image that ends in the middle", () =>
    Effect.gen(function*() {
      const [lines] = yield* read(blankSheet())
      assert.deepStrictEqual(lines, [])
      const whole = yield* Effect.promise(() => sheet(korean))
      const refused = yield* Effect.flip(read(Promise.resolve(whole.subarray(0, whole.length / 2))))
      assert.instanceOf(refused, PageUnreadable)
    }).pipe(Effect.scoped, Effect.provide(engine)), 120_000)
})
