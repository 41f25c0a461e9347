import { Schema } from "effect"
import { readdirSync, readFileSync } from "node:fs"

const folder = new URL("./fixtures/", import.meta.url)

/** The fixtures of a folder by name, decoded as a whole: a fixture that does not fit its shape fails its suite. */
export const readFixtures = <S extends Schema.ConstraintDecoder<unknown>>(
  name: string,
  schema: S
): ReadonlyArray<readonly [string, S["Type"]]> =>
  readdirSync(new URL(`${name}/`, folder)).toSorted().map((file) => [
    file.replace(/\.json$/, ""),
    Schema.decodeUnknownSync(Schema.fromJsonString(schema))(readFileSync(new URL(`${name}/${file}`, folder), "utf8"))
  ])
