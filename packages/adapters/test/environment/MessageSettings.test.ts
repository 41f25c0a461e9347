import { assert, describe, it } from "@effect/vitest"
import { defaultMessageLimits, defaultQuietHours } from "@lectern/domain"
import { Effect, Option, Redacted } from "effect"
import { messageContradictions, messageSettings, messageVariables, readEnvironment } from "../../src/environment/index.ts"

const read = (variables: Readonly<Record<string, string>>) =>
  Effect.map(readEnvironment(messageVariables, variables, messageContradictions), messageSettings)

const faultsOf = (variables: Readonly<Record<string, string>>) =>
  Effect.map(Effect.flip(read(variables)), ({ faults }) => faults)

describe("The settings of messages", () => {
  it.effect("send nothing to anybody where nothing is set, and keep the night quiet", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read({}), {
        solapi: Option.none(),
        smtp: Option.none(),
        production: false,
        limits: defaultMessageLimits,
        quietHours: defaultQuietHours,
        prices: {},
        retentionMillis: 90 * 86_400_000
      })
    }))

  it.effect("are taken from the environment", () =>
    Effect.gen(function*() {
      const settings = yield* read({
        SOLAPI_API_KEY: "key",
        SOLAPI_API_SECRET: "s3cret",
        SOLAPI_SENDER: "0212345678",
        SOLAPI_KAKAO_CHANNEL: "KA01PF",
        SMTP_URL: "smtps://user:s3cret@mail.example:465",
        SMTP_SENDER: "학원 <office@example.com>",
        MESSAGE_DAILY_CAP: "500",
        MESSAGE_PER_MINUTE: "60",
        MESSAGE_QUIET_HOURS: "off",
        MESSAGE_PRICES: "sms=18,alimtalk=8.4",
        MESSAGE_RETENTION_DAYS: "30",
        LECTERN_ENV: "production"
      })
      assert.deepInclude(settings, {
        production: true,
        limits: { perMinute: 60, perDay: 500 },
        quietHours: null,
        prices: { sms: 180, alimtalk: 84 },
        retentionMillis: 30 * 86_400_000
      })
      const solapi = Option.getOrThrow(settings.solapi)
      assert.deepInclude(solapi, { apiKey: "key", sender: "0212345678", kakaoChannel: "KA01PF", baseUrl: null })
      assert.strictEqual(Redacted.value(solapi.apiSecret), "s3cret")
      assert.notInclude(JSON.stringify(settings), "s3cret")
    }))

  it.effect("are refused with every fault at once, and no secret in any of them", () =>
    Effect.gen(function*() {
      const faults = yield* faultsOf({
        SOLAPI_API_KEY: "key",
        SOLAPI_API_SECRET: "s3cret",
        SMTP_URL: "http://s3cret",
        MESSAGE_DAILY_CAP: "0",
        MESSAGE_QUIET_HOURS: "late",
        MESSAGE_PRICES: "fax=1"
      })
      const named = ["SMTP_URL", "MESSAGE_DAILY_CAP", "MESSAGE_QUIET_HOURS", "MESSAGE_PRICES", "SOLAPI_SENDER", "SMTP_SENDER"]
      assert.deepStrictEqual(faults.map((fault) => fault.split(":")[0]).toSorted(), named.toSorted())
      assert.notInclude(faults.join(), "s3cret")
    }))
})
