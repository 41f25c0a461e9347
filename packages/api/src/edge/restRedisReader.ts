import { subjectKeys } from "@lectern/domain"
import type { ReadProgress } from "./SharedReader.ts"
import { objectOf, parseStored } from "./storedJson.ts"

export interface RestRedisOptions {
  /** The address of the REST API, as Upstash gives it: `https://...`. */
  readonly url: string
  /** Sent as a bearer token. A read-only one will do. */
  readonly token: string
  /** Milliseconds that one read may take, 250 by default. */
  readonly timeoutMillis?: number
}

/** The REST API did not answer with what was asked for. The message holds neither the token nor what was stored. */
export class RestRedisFault extends Error {
  override readonly name = "RestRedisFault"
}

const defaultTimeoutMillis = 250

const isText = (value: unknown): value is string | null => value === null || typeof value === "string"

const textsOf = (body: string, status: number, count: number): ReadonlyArray<string | null> => {
  const answer = objectOf(parseStored(body))
  const result = answer?.["result"]
  if (Array.isArray(result) && result.length === count && result.every(isText)) return result
  const error = answer?.["error"]
  throw new RestRedisFault(
    typeof error === "string"
      ? `Cannot read progress over REST: status ${status}, ${error}`
      : `Cannot read progress over REST: status ${status}, and no list of ${count} texts`
  )
}

/**
 * Reads the mirror over HTTP, one `MGET` a call, in the form that Upstash and what is compatible with it speak: the command as a JSON
 * array by POST, `{"result": [...]}` or `{"error": "..."}` back. For runtimes that have `fetch` and no lasting connections.
 *
 * Rejects within `timeoutMillis`, then with what `fetch` rejects with or a {@link RestRedisFault}.
 */
export const makeRestRedisReader = ({ timeoutMillis = defaultTimeoutMillis, token, url }: RestRedisOptions): ReadProgress => {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
  return async (tenantId, subjects) => {
    const keys = subjects.flatMap((subject) => {
      const { progress, status } = subjectKeys(tenantId, subject)
      return [status, progress]
    })
    const response = await fetch(url, {
      method: "POST",
      headers,
      body: JSON.stringify(["MGET", ...keys]),
      // A redirect would carry the token to wherever it leads.
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMillis)
    })
    const texts = textsOf(await response.text(), response.status, keys.length)
    return subjects.map((_, index) => ({ status: texts[2 * index] ?? null, progress: texts[2 * index + 1] ?? null }))
  }
}
