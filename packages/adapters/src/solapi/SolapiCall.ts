/** One request to Solapi's API: an answer that could be read, or what is known of why there is none. */
import { Effect, Schema } from "effect"
import { authorization, type SolapiCredentials } from "./signature.ts"

export interface SolapiOptions extends SolapiCredentials {
  /** `https://api.solapi.com` by default. */
  readonly baseUrl?: string
  /** How long one request may take, in milliseconds; 10,000 by default. */
  readonly requestTimeoutMillis?: number
}

/** Solapi answered that it did not do it. `code` is its own word. */
export class SolapiRefused extends Schema.TaggedError<SolapiRefused>()("SolapiRefused", {
  status: Schema.Int,
  code: Schema.String,
  retryAfterMillis: Schema.NullOr(Schema.Int)
}) {
  override get message(): string {
    return `Solapi answers ${this.status} ${this.code}`
  }
}

/** No answer that can be read: the request may have been done all the same. Nothing of the request is in it. */
export class SolapiUnanswered extends Schema.TaggedError<SolapiUnanswered>()("SolapiUnanswered", {
  detail: Schema.String
}) {
  override get message(): string {
    return `Solapi gives no answer: ${this.detail}`
  }
}

const defaultBaseUrl = "https://api.solapi.com"
const defaultTimeoutMillis = 10_000

const Refusal = Schema.fromJsonString(Schema.Struct({ errorCode: Schema.String }))
const decodeRefusal = Schema.decodeUnknownOption(Refusal)

/** `Retry-After` in seconds; a date is as good as none. */
const retryAfterMillis = (header: string | null): number | null =>
  header !== null && /^\d{1,5}$/.test(header) ? Number(header) * 1000 : null

/** The short name of what went wrong on the way: a message may hold what was sent. */
const faultOf = (cause: unknown): string => {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  return inner instanceof Error ? ("code" in inner ? String(inner.code) : inner.name) : "unknown"
}

export type SolapiCall = <A, I>(
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  answer: Schema.Codec<A, I>,
  body?: Schema.Json
) => Effect.Effect<A, SolapiRefused | SolapiUnanswered>

export const makeSolapiCall = (options: SolapiOptions): SolapiCall => {
  const base = (options.baseUrl ?? defaultBaseUrl).replace(/\/+$/, "")
  const timeout = options.requestTimeoutMillis ?? defaultTimeoutMillis
  return Effect.fnUntraced(function*(method, path, answer, body) {
    const headers = { authorization: yield* authorization(options), "content-type": "application/json" }
    const { retryAfter, status, text } = yield* Effect.tryPromise({
      try: async (signal) => {
        const response = await fetch(`${base}${path}`, {
          method,
          headers,
          redirect: "error",
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        })
        return { status: response.status, retryAfter: response.headers.get("retry-after"), text: await response.text() }
      },
      catch: (cause) => new SolapiUnanswered({ detail: faultOf(cause) })
    })
    if (status >= 500) return yield* new SolapiUnanswered({ detail: `status ${status}` })
    if (status >= 400) {
      const refusal = decodeRefusal(text)
      return yield* new SolapiRefused({
        status,
        code: refusal._tag === "Some" ? refusal.value.errorCode : `HTTP_${status}`,
        retryAfterMillis: retryAfterMillis(retryAfter)
      })
    }
    return yield* Effect.mapError(
      Schema.decodeUnknownEffect(Schema.fromJsonString(answer))(text),
      // A decoder's message quotes what it got.
      () => new SolapiUnanswered({ detail: `status ${status} with a body that is not what Solapi documents` })
    )
  })
}
