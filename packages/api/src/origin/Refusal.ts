/**
 * What the origin answers when it does not do what was asked: `{"detail": string, "code"?: string}` and a status
 * (CONTRACT.md, section 1). `detail` is a sentence for people; `code` is stable, for programs.
 */
import { Schema } from "effect"

export const RefusalBody = Schema.Struct({ detail: Schema.String, code: Schema.optionalKey(Schema.String) }).annotate({
  identifier: "Refusal"
})

const refusal = (httpApiStatus: number, description: string) => ({ httpApiStatus, description })

/** 400: the request itself is at fault, and no repetition helps. */
export class BadRequest extends Schema.Error<BadRequest>("BadRequest")(
  RefusalBody,
  refusal(400, "The request is malformed")
) {
  override get message(): string {
    return this.detail
  }
}

/** 401: no token, or none that is valid now. */
export class Unauthorized extends Schema.Error<Unauthorized>("Unauthorized")(
  RefusalBody,
  refusal(401, "The token is missing, forged or expired")
) {
  override get message(): string {
    return this.detail
  }
}

/** 403: a valid token that does not grant this. */
export class Forbidden extends Schema.Error<Forbidden>("Forbidden")(
  RefusalBody,
  refusal(403, "The token does not grant this")
) {
  override get message(): string {
    return this.detail
  }
}

/** 404: nothing of that name for this tenant; what belongs to another tenant counts as nothing. */
export class NotFound extends Schema.Error<NotFound>("NotFound")(
  RefusalBody,
  refusal(404, "There is no such thing for this tenant")
) {
  override get message(): string {
    return this.detail
  }
}

/** 409: not in the present state. */
export class Conflict extends Schema.Error<Conflict>("Conflict")(
  RefusalBody,
  refusal(409, "The present state does not allow it")
) {
  override get message(): string {
    return this.detail
  }
}

/** 413: more bytes than the route takes. The body is not read. */
export class ContentTooLarge extends Schema.Error<ContentTooLarge>("ContentTooLarge")(
  RefusalBody,
  refusal(413, "The body is larger than the route takes")
) {
  override get message(): string {
    return this.detail
  }
}

/** 415: a kind of file or body that the route does not take. */
export class UnsupportedMediaType extends Schema.Error<UnsupportedMediaType>("UnsupportedMediaType")(
  RefusalBody,
  refusal(415, "The kind of file or body is not taken")
) {
  override get message(): string {
    return this.detail
  }
}

/** 429: more than the tenant may have now; the same request may succeed after `retry_after_seconds`. */
export class TooManyRequests extends Schema.Error<TooManyRequests>("TooManyRequests")(
  Schema.Struct({ ...RefusalBody.fields, retry_after_seconds: Schema.Int }).annotate({ identifier: "TooMany" }),
  refusal(429, "More than the tenant may have now")
) {
  override get message(): string {
    return this.detail
  }
}

/** 503: the database or the object store is away; the same request may succeed later. */
export class Unavailable extends Schema.Error<Unavailable>("Unavailable")(
  RefusalBody,
  refusal(503, "The database or the object store is away; try again later")
) {
  override get message(): string {
    return this.detail
  }
}
