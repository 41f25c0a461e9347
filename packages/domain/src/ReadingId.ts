import * as Schema from "effect/Schema"

/**
 * What a person says of a class list that can be read in more than one way: `guardian:C` (column C has the guardians' numbers),
 * `student:C` (it has the students' own), `encoding:cp949`, `encoding:utf-8`, `sheet:2` (the second of the visible sheets).
 */
export const ReadingId = Schema.String.check(
  Schema.isPattern(/^(?:(?:guardian|student):[A-Z]{1,3}|encoding:(?:utf-8|cp949)|sheet:[1-9]\d{0,3})$/)
)
export type ReadingId = typeof ReadingId.Type
