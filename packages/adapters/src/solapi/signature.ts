import { Clock, Effect, Redacted } from "effect"
import { newUuid } from "@lectern/domain"
import { createHmac } from "node:crypto"

export interface SolapiCredentials {
  readonly apiKey: string
  readonly apiSecret: Redacted.Redacted<string>
}

/** The `Authorization` of one request: Solapi takes a signature once, and within 15 minutes of its date. */
export const authorization = ({ apiKey, apiSecret }: SolapiCredentials): Effect.Effect<string> =>
  Effect.gen(function*() {
    const date = new Date(yield* Clock.currentTimeMillis).toISOString()
    const salt = yield* newUuid
    const signature = createHmac("sha256", Redacted.value(apiSecret)).update(date + salt).digest("hex")
    return `HMAC-SHA256 apiKey=${apiKey}, date=${date}, salt=${salt}, signature=${signature}`
  })
