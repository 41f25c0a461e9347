/**
 * Signed permissions to reach objects of a store that has no signatures of its own: what presigned URLs are to S3.
 *
 * A token is `base64url(JSON) + "." + base64url(HMAC-SHA256)`. It names one method and one key, or every key under a prefix.
 */
import { Context, Effect, Layer, Redacted, Schema } from "effect"
import { Base64Url } from "effect/encoding"
import { createHmac, timingSafeEqual } from "node:crypto"
import { isKey } from "./checkedKey.ts"

const GrantFields = {
  /** A key, or a prefix when it ends in `/`. */
  key: Schema.String,
  /** Seconds since 1970-01-01T00:00:00Z; at that second the grant has ended. */
  expiresAt: Schema.Int
}

/** Permission to create one object, with exactly this content type. */
const PutGrant = Schema.Struct({ method: Schema.Literal("PUT"), contentType: Schema.String, ...GrantFields })

/** Permission to store one part of an upload, replacing what was stored as that part before. */
export const PartGrant = Schema.Struct({
  method: Schema.Literal("PUT_PART"),
  uploadId: Schema.String,
  part: Schema.Int,
  ...GrantFields
})
export type PartGrant = typeof PartGrant.Type

/** Permission to read. `downloadName` is the name under which a browser is to keep it. */
const GetGrant = Schema.Struct({
  method: Schema.Literal("GET"),
  downloadName: Schema.NullOr(Schema.String),
  ...GrantFields
})

export const ObjectGrant = Schema.Union([PutGrant, PartGrant, GetGrant])
export type ObjectGrant = typeof ObjectGrant.Type

const GrantJson = Schema.fromJsonString(ObjectGrant)

/** A request as it must be for a grant to cover it. */
export type GrantedRequest =
  | { readonly method: "PUT"; readonly key: string; readonly contentType: string }
  | { readonly method: "GET"; readonly key: string }

/** A token that grants nothing. `Expired` and `Mismatch` were signed by us; `Malformed` and `Forged` were not. */
export class GrantRefused extends Schema.TaggedError<GrantRefused>()("GrantRefused", {
  reason: Schema.Literals(["Malformed", "Forged", "Expired", "Mismatch"]),
  detail: Schema.String
}) {
  override get message(): string {
    return `Cannot accept the address of an object: ${this.detail}`
  }
}

/** The shortest secret that is accepted, in bytes: that of the hash. */
const minSecretBytes = 32

/** The secret is missing or too short to sign with (INCIDENTS.md, 34). */
export class GrantSecretRefused extends Schema.TaggedError<GrantSecretRefused>()("GrantSecretRefused", {
  bytes: Schema.Int
}) {
  override get message(): string {
    return `Cannot sign addresses of objects with a secret of ${this.bytes} bytes: it needs ${minSecretBytes}`
  }
}

/** Whether the grant covers the request: its method, its key or a key under its prefix, its content type to the letter. */
export const covers = (grant: ObjectGrant, request: GrantedRequest): boolean =>
  // A key with `..` in it could start with the prefix and lead out of it.
  isKey(request.key) && (grant.key.endsWith("/") ? request.key.startsWith(grant.key) : request.key === grant.key) &&
  (grant.method === "PUT"
    ? request.method === "PUT" && request.contentType === grant.contentType
    : grant.method === request.method)

export class ObjectGrants extends Context.Service<ObjectGrants, {
  readonly sign: (grant: ObjectGrant) => Effect.Effect<string>
  /** The grant in a token of ours that has not ended. `now` is in milliseconds since 1970-01-01T00:00:00Z. */
  readonly verify: (token: string, now: number) => Effect.Effect<ObjectGrant, GrantRefused>
  /** As `verify`, and the grant covers this request. */
  readonly authorize: (
    token: string,
    request: GrantedRequest,
    now: number
  ) => Effect.Effect<ObjectGrant, GrantRefused>
}>()("@lectern/adapters/ObjectGrants") {
  /** Tokens signed with this secret, of 32 bytes at least. Another secret ends every token. */
  static readonly layer = (secret: Redacted.Redacted<string>): Layer.Layer<ObjectGrants, GrantSecretRefused> =>
    Layer.effect(
      ObjectGrants,
      Effect.gen(function*() {
        const bytes = Buffer.byteLength(Redacted.value(secret))
        if (bytes < minSecretBytes) return yield* new GrantSecretRefused({ bytes })

        const mac = (text: string): Buffer => createHmac("sha256", Redacted.value(secret)).update(text).digest()

        const verify = Effect.fnUntraced(function*(token: string, now: number) {
          const [payload, signature, ...rest] = token.split(".")
          if (payload === undefined || signature === undefined || rest.length > 0) {
            return yield* new GrantRefused({ reason: "Malformed", detail: "it holds no token" })
          }
          const given = Buffer.from(signature, "base64url")
          const expected = mac(payload)
          if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
            return yield* new GrantRefused({ reason: "Forged", detail: "its signature is not ours" })
          }
          const grant = yield* Effect.fromResult(Base64Url.decodeString(payload)).pipe(
            Effect.flatMap(Schema.decodeUnknownEffect(GrantJson)),
            Effect.mapError(() => new GrantRefused({ reason: "Malformed", detail: "its token says nothing known" }))
          )
          if (now >= grant.expiresAt * 1000) {
            return yield* new GrantRefused({ reason: "Expired", detail: "its time is over" })
          }
          return grant
        })

        return ObjectGrants.of({
          sign: (grant) =>
            Effect.map(Effect.orDie(Schema.encodeEffect(GrantJson)(grant)), (json) => {
              const payload = Base64Url.encode(json)
              return `${payload}.${mac(payload).toString("base64url")}`
            }),
          verify,
          authorize: (token, request, now) =>
            Effect.filterOrFail(
              verify(token, now),
              (grant) => covers(grant, request),
              () => new GrantRefused({ reason: "Mismatch", detail: `it does not grant ${request.method} of "${request.key}"` })
            )
        })
      })
    )
}
