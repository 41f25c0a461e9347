import { Effect, Random, Schema } from "effect"

/** Part of every segment's name. A second encode with another token never reuses a name that a cache may hold. */
export const EncodeToken = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9-]{1,64}$/)).pipe(
  Schema.brand("EncodeToken")
)
export type EncodeToken = typeof EncodeToken.Type

const decode = Schema.decodeSync(EncodeToken)

/** A token of 48 random bits, for callers that have no id of their own for the encode. */
export const randomEncodeToken: Effect.Effect<EncodeToken> = Effect.gen(function* () {
  const high = yield* Random.nextIntBetween(0, 0x1000000)
  const low = yield* Random.nextIntBetween(0, 0x1000000)
  return decode(`${high.toString(16).padStart(6, "0")}${low.toString(16).padStart(6, "0")}`)
})
