import type { OpenEvents } from "./EventSink.ts"

/** What the edge needs of a request: plain values, so that no runtime has to build a `Request` for a poll. */
export interface EdgeQuestion {
  readonly method: string
  /** The path alone or the whole address, percent-encoded as it was sent. */
  readonly url: string
  readonly authorization: string | null
  readonly tenantCode: string | null
  readonly origin: string | null
  /** `If-None-Match` */
  readonly ifNoneMatch: string | null
  /** `Last-Event-ID` */
  readonly lastEventId: string | null
}

/** An answer as plain values. `headers` objects are shared between answers: never change one. */
export interface EdgeAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON; `null` where there is no body. */
  readonly body: string | null
  /** A stream in place of a body. Whoever sends the answer starts it, or nothing is held. */
  readonly events?: OpenEvents
}
