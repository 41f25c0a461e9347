import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"

/** A directory by its path. An empty one, as of a script's unset variable, would mean the one that the caller is in. */
export const directoryFlag = (name: string): Flag.Flag<string> =>
  Flag.String(name).pipe(Flag.withSchema(Schema.NonEmptyString))

/** Where the embedded stand-ins keep what they hold. */
export const dataFlag = directoryFlag("data").pipe(
  Flag.withDescription(
    "Directory of the embedded database, the objects and the token secret; .lectern where it is not given"
  ),
  Flag.withDefault(".lectern")
)
