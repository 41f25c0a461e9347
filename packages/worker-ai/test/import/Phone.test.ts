import { describe, expect, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import { normalisePhone } from "../../src/import/Phone.ts"

const phoneOf = (text: string) => Result.getOrElse(Result.map(normalisePhone(text), ({ phone }) => phone), (fault) => fault)

describe("normalisePhone", () => {
  it.each([
    ["010-1234-5678", "010-1234-5678"],
    ["01012345678", "010-1234-5678"],
    ["1012345678", "010-1234-5678"],
    ["10-2345-6789", "010-2345-6789"],
    ["1012345678.0", "010-1234-5678"],
    ["０１０－１２３４－５６７８", "010-1234-5678"],
    ["010ー1234ー5678", "010-1234-5678"],
    ["(010) 1234.5678", "010-1234-5678"],
    ["+82 10-1234-5678", "010-1234-5678"],
    ["+82 (0)10-1234-5678", "010-1234-5678"],
    ["821012345678", "010-1234-5678"],
    ["0082 10 1234 5678", "010-1234-5678"],
    ["'01012345678", "010-1234-5678"],
    // In no list of number blocks in use that the library knows.
    ["010-5974-4379", "010-5974-4379"],
    ["011-123-4567", "011-123-4567"],
    ["02-345-6789", "02-345-6789"],
    ["212345678", "02-1234-5678"],
    ["82-2-345-6789", "02-345-6789"],
    ["031.123.4567", "031-123-4567"],
    ["070-1234-5678", "070-1234-5678"],
    ["0507-1234-5678", "0507-1234-5678"]
  ])("reads %s as %s", (text, phone) => {
    expect(phoneOf(text)).toBe(phone)
  })

  it.each([
    ["010-12-345", "phone_too_short"],
    ["010-123-4567", "phone_too_short"],
    ["119", "phone_too_short"],
    ["2345-6789", "phone_too_short"],
    ["23456789", "phone_too_short"],
    ["010-1234-56789", "phone_too_long"],
    ["010-1111-2222 / 010-3333-4444", "phone_several"],
    ["010-1111-2222, 010-3333-4444", "phone_several"],
    ["010-0000-0000", "phone_placeholder"],
    ["010-xxxx-xxxx", "phone_placeholder"],
    ["+1 212 555 1234", "phone_foreign"],
    ["1588-1234", "phone_unknown"],
    ["080-123-4567", "phone_unknown"],
    ["1.01235E+09", "phone_not_a_number"],
    ["01O-1234-5678", "phone_not_a_number"],
    ["모름", "phone_not_a_number"],
    ["", "phone_not_a_number"]
  ])("refuses %s as %s", (text, fault) => {
    expect(phoneOf(text)).toBe(fault)
  })

  it("reads every mobile number alike, however it is written", () => {
    const fullWidth = (text: string) => text.replace(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0))
    const eightDigits = fc.integer({ min: 1, max: 99_999_999 }).map((number) => String(number).padStart(8, "0"))
    fc.assert(
      fc.property(
        eightDigits,
        fc.constantFrom("010", "10", "+8210", "+82 010", "8210", "008210"),
        fc.constantFrom("", "-", " ", ".", "–", "－", " - "),
        fc.boolean(),
        (digits, prefix, dash, wide) => {
          const text = [prefix, digits.slice(0, 4), digits.slice(4)].join(dash)
          expect(phoneOf(wide ? fullWidth(text) : text)).toBe(`010-${digits.slice(0, 4)}-${digits.slice(4)}`)
        }
      )
    )
  })

  it("changes nothing in what it has once normalised, and never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[+0-9 ()-]{0,16}$/)), (text) => {
        const once = normalisePhone(text)
        if (Result.isFailure(once)) return
        expect(normalisePhone(once.success.phone)).toEqual(Result.succeed({ phone: once.success.phone, repaired: false }))
      }),
      { numRuns: 1_000 }
    )
  })
})
