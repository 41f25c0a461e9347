import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { XmlBytes } from "../../src/import/XmlBytes.ts"

/** What comes out of bytes that go in in pieces of a size. */
const through = (bytes: Uint8Array, size: number): string => {
  const xml = new XmlBytes()
  const out: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length; at += size) out.push(Uint8Array.from(xml.push(bytes.subarray(at, at + size))))
  return Buffer.concat([...out, xml.end()]).toString("utf8")
}

const sizes = fc.integer({ min: 1, max: 7 })

describe("XmlBytes", () => {
  it("gives the same bytes however they are cut, of UTF-8 and of UTF-16", () => {
    const text = `<?xml version="1.0"?><a>가뷁😀한</a>`
    const utf16 = Buffer.from(text, "utf16le")
    const encodings = [Buffer.from(text), Buffer.from(`\ufeff${text}`, "utf16le"), Buffer.from(utf16).swap16(), utf16]
    fc.assert(
      fc.property(fc.constantFrom(...encodings), sizes, (bytes, size) => {
        expect(through(bytes, size)).toBe(text)
      })
    )
  })

  it("refuses just those bytes that a decoder refuses, however they are cut", () => {
    const decoder = new TextDecoder("utf-8", { fatal: true })
    const isRefused = (work: () => void): boolean => {
      try {
        work()
        return false
      } catch {
        return true
      }
    }
    const starts = ["61", "c3", "ea", "ed", "f0", "c0", "ff"]
    const pieces = fc.array(fc.constantFrom(...starts, "a9", "b0", "80", "9f", "98", "eab080"), { maxLength: 8 })
    fc.assert(
      fc.property(pieces, sizes, (hex, size) => {
        const bytes = Buffer.concat([Buffer.from("<a>b"), Buffer.from(hex.join(""), "hex")])
        expect(isRefused(() => through(bytes, size))).toBe(isRefused(() => decoder.decode(bytes)))
      }),
      { numRuns: 2_000 }
    )
  })

  it("refuses a character that ends in the middle, and encodings that no workbook has", () => {
    const half = new XmlBytes()
    half.push(Buffer.from("<a>가").subarray(0, 5))
    expect(() => half.end()).toThrow(/not valid Unicode/)
    expect(() => new XmlBytes().push(Buffer.from(`<?xml version="1.0" encoding="euc-kr"?>`))).toThrow(/euc-kr/)
  })
})
