/** How the doctor asks AWS: every call has an end, and a call without an answer says what kind of silence it was. */
import { Effect, Option, Schema } from "effect"
import { Evidence, type MissingAnswer } from "./Evidence.ts"

const Fault = Schema.Struct({
  name: Schema.String,
  message: Schema.String,
  $metadata: Schema.optional(Schema.Struct({ httpStatusCode: Schema.optional(Schema.Finite) }))
})
const asFault = Schema.decodeUnknownOption(Fault)

/** Names under which AWS says that it does not know who is asking. */
const credentialFaults: ReadonlySet<string> = new Set([
  "CredentialsProviderError",
  "UnrecognizedClientException",
  "InvalidSignatureException",
  "IncompleteSignature",
  "IncompleteSignatureException",
  "InvalidClientTokenId",
  "ExpiredToken",
  "ExpiredTokenException",
  "MissingAuthenticationToken",
  "MissingAuthenticationTokenException"
])
const throttling = /^(Throttl|TooManyRequests|RequestLimitExceeded|SlowDown)/

/** What kind of silence it was. A refusal is never "there is no such job" (INCIDENTS.md, 16). */
export const missingAnswer = (call: string, cause: unknown): MissingAnswer =>
  Option.match(asFault(cause), {
    onNone: () => ({ call, kind: "unreachable", fault: "unknown", message: String(cause) }),
    onSome: ({ $metadata, message, name }) => {
      const status = $metadata?.httpStatusCode
      const kind = credentialFaults.has(name) || /region is missing/i.test(message)
        ? "configuration"
        : throttling.test(name) || status === undefined || status >= 500 || status === 408 || status === 429
        ? "unreachable"
        : status === 401 || status === 403 || name.startsWith("AccessDenied")
        ? "refused"
        : "rejected"
      return { call, kind, fault: name, message }
    }
  })

const decodeEvidence = Schema.decodeUnknownEffect(Evidence)

/** An answer that is not of the shape of the service is no answer. */
const part = (call: string, fields: unknown): Effect.Effect<Evidence> =>
  decodeEvidence(fields).pipe(
    Effect.catch((error) =>
      Effect.succeed<Evidence>({ missing: [{ call, kind: "unreachable", fault: "UnexpectedAnswer", message: error.message }] })
    )
  )

/**
 * One call's answer under the field of the evidence that it fills, or that it has none: a call that was refused is part of the
 * evidence and ends nothing.
 */
export const ask = <A>(
  call: string,
  send: (abortSignal: AbortSignal) => Promise<A>,
  fields: (answer: A) => unknown
): Effect.Effect<Evidence> =>
  Effect.tryPromise({ try: (signal) => send(signal), catch: (cause) => missingAnswer(call, cause) }).pipe(
    Effect.matchEffect({
      onFailure: (missing) => Effect.succeed<Evidence>({ missing: [missing] }),
      onSuccess: (answer) => part(call, fields(answer))
    })
  )

/** Evidence of several calls as one; of the same answer the later stays. */
export const together = (parts: ReadonlyArray<Evidence>): Evidence => ({
  ...parts.reduce((all, part) => ({ ...all, ...part }), {}),
  missing: parts.flatMap(({ missing }) => missing ?? [])
})
