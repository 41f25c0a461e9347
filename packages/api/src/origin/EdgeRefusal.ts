/** What the edge alone refuses, as documentation: it writes its answers without anything of Effect's. */
import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"
import { RefusalBody } from "./Refusal.ts"

const later = <S extends Schema.Top>(refusal: S) =>
  HttpApiSchema.WithHeaders(refusal, {
    "retry-after": Schema.String.annotate({ description: "Seconds until it is worth asking again" })
  })

class TooOften extends Schema.Error<TooOften>("TooOften")(RefusalBody, {
  httpApiStatus: 429,
  description: "This token or tenant asks too often"
}) {}

class TooMany extends Schema.Error<TooMany>("TooMany")(RefusalBody, {
  httpApiStatus: 429,
  description: "This token or tenant asks too often or has too many streams: poll, and come back later"
}) {}

class NoRoom extends Schema.Error<NoRoom>("NoRoom")(RefusalBody, {
  httpApiStatus: 503,
  description: "There are too many streams here: poll, and try again later"
}) {}

/** 429 of a poll. */
export const AskedTooOften = later(TooOften)

/** 429 of a stream. */
export const TooManyStreams = later(TooMany)

/** 503: the process has as many streams as it takes. */
export const NoRoomForStream = later(NoRoom)

/** 404: an edge that reaches Redis over HTTP alone cannot listen to it. */
export class NoEvents extends Schema.Error<NoEvents>("NoEvents")(RefusalBody, {
  httpApiStatus: 404,
  description: "There are no events at this address: poll"
}) {}

/** 500: a fault of ours. */
export class EdgeFailed extends Schema.Error<EdgeFailed>("EdgeFailed")(RefusalBody, {
  httpApiStatus: 500,
  description: "Something went wrong here; the failure was recorded"
}) {}
