import { Result } from "effect"
import { parsePhoneNumberFromString } from "libphonenumber-js/max"

/** Why a text is no number to which a message can be sent. */
export type PhoneFault =
  | "phone_too_short"
  | "phone_too_long"
  | "phone_not_a_number"
  | "phone_several"
  | "phone_foreign"
  | "phone_placeholder"
  | "phone_unknown"

export interface Phone {
  /** As written in Korea: `010-1234-5678`, `02-345-6789`, `0507-1234-5678`. */
  readonly phone: string
  /** Whether the text had to be changed, be it by dashes alone. */
  readonly repaired: boolean
}

/** Dashes, dots, spaces and brackets of all kinds that people put between digits, once compatibility forms are gone. */
const separators = /[\s\-.()[\]\u00b7\u2010-\u2015\u2212\u2500\u3161\u30fc~\u200b-\u200d\ufeff]/g

/** The kinds of number to which a message or a call can go. */
const reachable: ReadonlySet<string | undefined> = new Set(["MOBILE", "FIXED_LINE", "VOIP", "PERSONAL_NUMBER"])

/** libphonenumber writes 0507-1234-5678 as 050-71234-5678, which nobody in Korea does. */
const written = (national: string, formatted: string): string =>
  /^50\d{9}$/.test(national) ? `0${national.slice(0, 3)}-${national.slice(3, 7)}-${national.slice(7)}` : formatted

/**
 * Normalises a Korean number: full-width digits, any separators, a lost leading zero, +82, 0082 and a bare 82 are
 * repaired; what is too short, too long, foreign, a service number, several numbers in one cell or a template's
 * placeholder is refused with its own fault.
 */
export const normalisePhone = (raw: string): Result.Result<Phone, PhoneFault> => {
  // A spreadsheet's number saved through a program that knows only fractions: 1012345678.0
  const text = raw.normalize("NFKC").trim().replace(/^'/, "").replace(/^(\d{9,})\.0+$/, "$1")
  if (/\d[\d\s\-.()]{6,}\s*[,/;&\n|]\s*\+?\(?\d[\d\s\-.()]{6,}/.test(text)) return Result.fail("phone_several")
  const compact = text.replace(separators, "")
  if (/^[0oOxX*#○●◯□?]+$/.test(compact) || /^01[016789][0oOxX*#○●◯□?]{7,8}$/.test(compact)) {
    return Result.fail("phone_placeholder")
  }
  if (!/^\+?\d+$/.test(compact)) return Result.fail("phone_not_a_number")
  const digits = compact.replace(/^\+/, "")
  if (compact.startsWith("+") && !digits.startsWith("82")) return Result.fail("phone_foreign")
  const national = digits.replace(/^(0082|82(?=0?(1[016789]|[2-7])\d{7,9}$))/, "").replace(/^0/, "")
  if (compact.startsWith("00") && !compact.startsWith("0082")) return Result.fail("phone_unknown")
  if (national.length < 8) return Result.fail("phone_too_short")
  if (national.length > 11) return Result.fail("phone_too_long")
  // 010 is followed by eight digits, any eight: libphonenumber takes seven too, and its list of blocks in use ages.
  if (national.startsWith("10")) {
    if (national.length !== 10) return Result.fail(national.length < 10 ? "phone_too_short" : "phone_too_long")
    const phone = `010-${national.slice(2, 6)}-${national.slice(6)}`
    return Result.succeed({ phone, repaired: phone !== raw.trim() })
  }
  const parsed = parsePhoneNumberFromString(`+82${national}`)
  if (parsed === undefined || !parsed.isValid() || !reachable.has(parsed.getType())) return Result.fail("phone_unknown")
  // "2345-6789": a mobile's end, a number in some town, or one in Seoul whose 02 lost its zero; only the last is valid.
  if (national.length === 8 && national === digits) return Result.fail("phone_too_short")
  const phone = written(national, parsed.formatNational())
  return Result.succeed({ phone, repaired: phone !== raw.trim() })
}
