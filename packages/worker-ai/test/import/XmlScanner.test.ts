import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { defaultImportLimits } from "../../src/import/ImportLimits.ts"
import { attributeOf, XmlScanner, XmlText } from "../../src/import/XmlScanner.ts"

/** What a scanner says of a text that comes in these pieces; pieces of one text are joined, as they may come apart. */
const scan = (pieces: ReadonlyArray<string>): ReadonlyArray<string> => {
  const events: Array<string> = []
  const scanner = new XmlScanner(
    {
      wantsText: true,
      open: (name, attributes) => events.push(`<${name}${attributes}>`),
      text: (text) => {
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

const cut = (text: string, at: ReadonlyArray<number>): ReadonlyArray<string> => {
  const places = [0, ...[...at].sort((a, b) => a - b), text.length]
  return places.slice(1).map((end, index) => text.slice(places[index], end))
}

const sample =
  `<?xml version="1.0"?><!-- a > b --><x:a q="1 > 2" r='"'><b/>가&amp;나&#44032;<c  s="t" ></c ><![CDATA[<&>]]>끝</x:a>\n`

describe("XmlScanner", () => {
  it("tells elements by their local names, and text decoded", () => {
    expect(scan([sample])).toEqual([
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
    const whole = scan([sample])
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: sample.length })), (at) => {
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
        expect(scan(cut(xml, at.map((place) => Math.min(place, xml.length))))).toEqual(["<a>", `'${text}`, "</a>"])
      })
    )
  })

  it("finds attributes by their whole name, and under any prefix where asked", () => {
    const attributes = ` s="r" x:id='a "b"' sheetId = "7" r="C&#51;"`
    expect(attributeOf(attributes, "r")).toBe("C3")
    expect(attributeOf(attributes, "id")).toBeUndefined()
    expect(attributeOf(attributes, ":id")).toBe(`a "b"`)
    expect(attributeOf(attributes, "sheetId")).toBe("7")
  })
})

describe("XmlText", () => {
  it("gives the same text however its bytes are cut, in UTF-8 and in UTF-16", () => {
    const text = `<?xml version="1.0"?><a>가뷁😀한</a>`
    fc.assert(
      fc.property(
        fc.constantFrom(Buffer.from(text), Buffer.from(`\ufeff${text}`, "utf16le"), Buffer.from(text, "utf16le").swap16()),
        fc.integer({ min: 1, max: 7 }),
        (bytes, size) => {
          const decoder = new XmlText()
          let decoded = ""
          for (let at = 0; at < bytes.length; at += size) decoded += decoder.push(bytes.subarray(at, at + size))
          expect(decoded + decoder.end()).toBe(text)
        }
      )
    )
  })

  it("refuses a character that ends in the middle, and encodings that no workbook has", () => {
    const half = new XmlText()
    half.push(Buffer.from("<a>가").subarray(0, 5))
    expect(() => half.end()).toThrow(/not valid Unicode/)
    expect(() => new XmlText().push(Buffer.from(`<?xml version="1.0" encoding="euc-kr"?>`))).toThrow(/euc-kr/)
  })
})
