import { Schema } from "effect"

/** Digits alone, as at the edge: `1e3`, ` 1` and `0x1` are numbers for JavaScript and no ids for anybody. */
export const decimal = (description: string, maxDigits: number) =>
  Schema.String.check(
    Schema.isPattern(new RegExp(`^(?=[0-9]*[1-9])[0-9]{1,${maxDigits}}$`), { expected: "a positive integer" })
  ).annotate({ description })
