import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { defaultImportLimits } from "../../src/import/ImportLimits.ts"
import { XmlAttributes } from "../../src/import/XmlAttributes.ts"
import { XmlScanner } from "../../src/import/XmlScanner.ts"

/** What a scanner says of bytes that come in these pieces; pieces of one text are joined, as they may come apart. */
const scan = (pieces: ReadonlyArray<Uint8Array>): ReadonlyArray<string> => {
  const events: Array<string> = []
  const scanner = new XmlScanner(
    {
      wantsText: true,
      open: (name, attributes) => events.push(`<${name}${attributes.toString()}>`),
      text: (range) => {
        const text = range.toString()
        const last = events.at(-1)
        if (last?.startsWith("'") === true) events[events.length - 1] = last + text
        else events.push(`'${text}`)
      },
      close: (name) => events.push(`</${name}>`)
    },
    defaultImportLimits
  )
  for (const piece of pieces) scanner.push(piece)
  scanner.end()
  return events
}

/** The text as bytes, cut at these places, within characters too. */
const cut = (text: string, at: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const bytes = Buffer.from(text)
  const places = [0, ...at.map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

const sample =
  `<?xml version="1.0"?><!-- a > b --><x:a q="1 > 2" r='"'><b/>가&amp;나&#44032;<c  s="t" ></c ><![CDATA[<&>]]>끝</x:a>\n`

describe("XmlScanner", () => {
  it("tells elements by their local names, and text decoded", () => {
    expect(scan(cut(sample, []))).toEqual([
      `<a q="1 > 2" r='"'>`,
      "<b>",
      "</b>",
      "'가&나가",
      `<c  s="t" >`,
      "</c>",
      "'<&>끝",
      "</a>"
    ])
  })

  it("tells the same however the text is cut", () => {
    const whole = scan(cut(sample, []))
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: Buffer.byteLength(sample) })), (at) => {
        expect(scan(cut(sample, at))).toEqual(whole)
      })
    )
  })

  it("gives back any text that is written escaped", () => {
    const escaped = (text: string) =>
      text.replace(/[<&>"]/g, (character) => `&#x${character.codePointAt(0)?.toString(16)};`)
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), fc.array(fc.nat(50)), (text, at) => {
        const xml = `<a>${escaped(text)}</a>`
        expect(scan(cut(xml, at))).toEqual(["<a>", `'${text}`, "</a>"])
      })
    )
  })

  it("finds attributes by their whole name, and under any prefix where asked", () => {
    const bytes = Buffer.from(` s="r" x:id='a "b"' sheetId = "7" r="C&#51;" memo='가&amp;나'`)
    const attributes = new XmlAttributes()
    attributes.move(bytes, 0, bytes.length)
    expect(attributes.get("r")).toBe("C3")
    expect(attributes.get("id")).toBeUndefined()
    expect(attributes.get(":id")).toBe(`a "b"`)
    expect(attributes.get("sheetId")).toBe("7")
    expect(attributes.get("memo")).toBe("가&나")
  })

  it("knows names apart that begin and end alike, however many there are", () => {
    const names = Array.from({ length: 2_000 }, (_, index) => `a${String(index).padStart(4, "0")}z`)
    const elements = [...names, ...names]
    expect(scan(cut(`<r>${elements.map((name) => `<${name}/>`).join("")}</r>`, []))).toEqual([
      "<r>",
      ...elements.flatMap((name) => [`<${name}>`, `</${name}>`]),
      "</r>"
    ])
  })

  it("holds the limit on a text in UTF-16 units, within a piece and over several", () => {
    const most = defaultImportLimits.textUnits
    for (const pieces of [[], [most], [most, 2 * most]]) {
      expect(scan(cut(`<a>${"가".repeat(most)}</a>`, pieces))).toHaveLength(3)
      expect(() => scan(cut(`<a>${"가".repeat(most + 1)}</a>`, pieces))).toThrow(/more than 1048576 characters/)
    }
  })
})
