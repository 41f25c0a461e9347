import { assert } from "@effect/vitest"
import type { CheckOutcome } from "../../src/operations/CheckOutcome.ts"

/** The English cause of a check that has failed; both languages have both sentences, on one line each. */
export const causeOf = (outcome: CheckOutcome): string => {
  if (outcome._tag !== "Fail") return assert.fail(`the check did not fail: ${JSON.stringify(outcome)}`)
  for (const text of [outcome.cause.ko, outcome.cause.en, outcome.next.ko, outcome.next.en]) {
    assert.match(text, /^[^\n]{5,400}$/)
    assert.notMatch(text, /\bat .+:\d+:\d+|s3cret/)
  }
  return outcome.cause.en
}

export const passOf = (outcome: CheckOutcome): Extract<CheckOutcome, { readonly _tag: "Pass" }> =>
  outcome._tag === "Pass" ? outcome : assert.fail(`the check did not pass: ${JSON.stringify(outcome)}`)
