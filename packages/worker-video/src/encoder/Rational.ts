/** An exact positive ratio in lowest terms, as frame rates and pixel shapes are. */
export interface Rational {
  readonly num: number
  readonly den: number
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b))

/** Reduces `num / den`; both are positive integers. */
export const rational = (num: number, den: number): Rational => {
  const divisor = greatestCommonDivisor(num, den)
  return { num: num / divisor, den: den / divisor }
}

export const toNumber = (value: Rational): number => value.num / value.den

/** Reads "30000/1001" or "4:3". `null` for what is no positive ratio of integers, such as ffprobe's "0/0". */
export const parseRational = (text: string): Rational | null => {
  const match = /^(\d+)[/:](\d+)$/.exec(text)
  const num = Number(match?.[1] ?? 0)
  const den = Number(match?.[2] ?? 0)
  return Number.isSafeInteger(num) && Number.isSafeInteger(den) && num > 0 && den > 0 ? rational(num, den) : null
}
