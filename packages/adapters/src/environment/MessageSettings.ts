import {
  defaultMessageLimits,
  defaultQuietHours,
  type MessageLimits,
  type MessagePrices,
  parseMessagePrices,
  parseQuietHours,
  type QuietHours
} from "@lectern/domain"
import { Option, Redacted, Schema } from "effect"

const optional = Schema.optionalKey
const wholeNumber = (minimum: number, maximum: number) =>
  optional(Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum, maximum })))
const text = (expected: string, holds: (text: string) => boolean) =>
  optional(Schema.String.check(Schema.makeFilter((text) => holds(text) ? undefined : expected)))
const address = (...schemes: ReadonlyArray<string>) =>
  text(
    `an address that starts with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`,
    (value) => schemes.some((scheme) => value.startsWith(`${scheme}://`)) && URL.canParse(value)
  )

/** What a process may be told of messages to people. */
export const messageVariables = {
  SOLAPI_API_KEY: optional(Schema.NonEmptyString),
  SOLAPI_API_SECRET: optional(Schema.NonEmptyString),
  SOLAPI_SENDER: text("a telephone number in digits", (value) => /^0\d{7,10}$/.test(value)),
  SOLAPI_KAKAO_CHANNEL: optional(Schema.NonEmptyString),
  SOLAPI_BASE_URL: address("https", "http"),
  SMTP_URL: address("smtp", "smtps"),
  SMTP_SENDER: text("an e-mail address, or a name and one in <>", (value) => /\S@\S+>?$/.test(value)),
  MESSAGE_DAILY_CAP: wholeNumber(1, 10_000_000),
  MESSAGE_PER_MINUTE: wholeNumber(1, 1_000_000),
  MESSAGE_QUIET_HOURS: text(
    "two times such as 21:00-08:00, or off",
    (value) => value === "off" || parseQuietHours(value) !== null
  ),
  MESSAGE_PRICES: text(
    "won by mode, such as sms=18,lms=45,alimtalk=8.4",
    (value) => parseMessagePrices(value) !== null
  ),
  MESSAGE_RETENTION_DAYS: wholeNumber(1, 3_650),
  NODE_ENV: optional(Schema.String),
  LECTERN_ENV: optional(Schema.String)
}
type MessageEnvironment = Schema.Struct.Type<typeof messageVariables>

export interface SolapiSettings {
  readonly apiKey: string
  readonly apiSecret: Redacted.Redacted<string>
  readonly sender: string
  readonly kakaoChannel: string | null
  readonly baseUrl: string | null
}

export interface SmtpSettings {
  readonly url: Redacted.Redacted<string>
  readonly sender: string
}

export interface MessageSettings {
  /** Where one is missing messages go into the sandbox; in production nowhere. */
  readonly solapi: Option.Option<SolapiSettings>
  readonly smtp: Option.Option<SmtpSettings>
  readonly production: boolean
  readonly limits: MessageLimits
  readonly quietHours: QuietHours | null
  readonly prices: MessagePrices
  /** How long addresses and texts are kept after the end of their job, in milliseconds. */
  readonly retentionMillis: number
}

const defaultRetentionDays = 90
const dayMillis = 86_400_000

/** Message settings that cannot work together. */
export const messageContradictions = (isSet: (name: string) => boolean): ReadonlyArray<string> => {
  const faults: Array<string> = []
  for (const names of [["SOLAPI_API_KEY", "SOLAPI_API_SECRET", "SOLAPI_SENDER"], ["SMTP_URL", "SMTP_SENDER"]]) {
    const missing = names.filter((name) => !isSet(name))
    if (missing.length > 0 && missing.length < names.length) {
      faults.push(`${missing.join(", ")}: needed together with ${names.filter(isSet).join(", ")}`)
    }
  }
  return faults
}

/** What the environment says of messages, with everything that it leaves to us. */
export const messageSettings = (found: MessageEnvironment): MessageSettings => {
  const { SMTP_SENDER, SMTP_URL, SOLAPI_API_KEY, SOLAPI_API_SECRET, SOLAPI_SENDER } = found
  return {
    solapi: SOLAPI_API_KEY === undefined || SOLAPI_API_SECRET === undefined || SOLAPI_SENDER === undefined
      ? Option.none()
      : Option.some({
        apiKey: SOLAPI_API_KEY,
        apiSecret: Redacted.make(SOLAPI_API_SECRET),
        sender: SOLAPI_SENDER,
        kakaoChannel: found.SOLAPI_KAKAO_CHANNEL ?? null,
        baseUrl: found.SOLAPI_BASE_URL ?? null
      }),
    smtp: SMTP_URL === undefined || SMTP_SENDER === undefined
      ? Option.none()
      : Option.some({ url: Redacted.make(SMTP_URL), sender: SMTP_SENDER }),
    production: found.NODE_ENV === "production" || found.LECTERN_ENV === "production",
    limits: {
      perMinute: found.MESSAGE_PER_MINUTE ?? defaultMessageLimits.perMinute,
      perDay: found.MESSAGE_DAILY_CAP ?? defaultMessageLimits.perDay
    },
    quietHours: found.MESSAGE_QUIET_HOURS === undefined
      ? defaultQuietHours
      : parseQuietHours(found.MESSAGE_QUIET_HOURS),
    prices: found.MESSAGE_PRICES === undefined ? {} : parseMessagePrices(found.MESSAGE_PRICES) ?? {},
    retentionMillis: (found.MESSAGE_RETENTION_DAYS ?? defaultRetentionDays) * dayMillis
  }
}
