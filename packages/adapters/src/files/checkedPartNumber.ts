import { maxParts } from "@lectern/domain"
import { Effect } from "effect"

/** The number, or a defect: parts are numbered from 1 to `maxParts`. */
export const checkedPartNumber = (number: number): Effect.Effect<number> =>
  Number.isInteger(number) && number >= 1 && number <= maxParts
    ? Effect.succeed(number)
    : Effect.die(new Error(`Cannot number a part ${number}: it goes from 1 to ${maxParts}`))
