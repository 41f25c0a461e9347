import { subjectKeys } from "@lectern/domain"
import type { EdgeMirror } from "./EdgeMirror.ts"
import { objectOf, parseStored, parseStoredList } from "./storedJson.ts"

export interface RestRedisOptions {
  /** The address of the REST API, as Upstash gives it: `https://...`. */
  readonly url: string
  /** Sent as a bearer token. A read-only one will do where nobody is limited: a limit is counted in Redis. */
  readonly token: string
  /** Milliseconds that one exchange may take, 250 by default. */
  readonly timeoutMillis?: number
}

/** The REST API did not answer with what was asked for. The message holds neither the token nor what was stored. */
export class RestRedisFault extends Error {
  override readonly name = "RestRedisFault"
}

const defaultTimeoutMillis = 250

const isText = (value: unknown): value is string | null => value === null || typeof value === "string"

const faultOf = (action: string, status: number, error: unknown, wanted: string): RestRedisFault =>
  new RestRedisFault(
    typeof error === "string"
      ? `Cannot ${action} over REST: status ${status}, ${error}`
      : `Cannot ${action} over REST: status ${status}, and no list of ${wanted}`
  )

const textsOf = ({ body, status }: RestAnswer, count: number): ReadonlyArray<string | null> => {
  const answer = objectOf(parseStored(body))
  const result = answer?.["result"]
  if (Array.isArray(result) && result.length === count && result.every(isText)) return result
  throw faultOf("read progress", status, answer?.["error"], `${count} texts`)
}

/** The results of the first of every two commands. */
const totalsOf = ({ body, status }: RestAnswer, count: number): ReadonlyArray<number> => {
  const answers = parseStoredList(body)
  return Array.from({ length: count }, (_, index) => {
    const total = objectOf(answers?.[2 * index])?.["result"]
    if (typeof total === "number") return total
    const error = objectOf(answers?.[2 * index])?.["error"] ?? objectOf(parseStored(body))?.["error"]
    throw faultOf("count requests", status, error, `${count} totals`)
  })
}

interface RestAnswer {
  readonly status: number
  readonly body: string
}

type Command = ReadonlyArray<string | number>

/**
 * The mirror over HTTP, in the form that Upstash and what is compatible with it speak: a command as a JSON array by POST, `{"result": ...}` or
 * `{"error": "..."}` back; several to `/pipeline`. For a Redis that cannot be reached otherwise. There are no news over HTTP.
 *
 * Rejects within `timeoutMillis`, then with what `fetch` rejects with or a {@link RestRedisFault}.
 */
export const restMirror = ({ timeoutMillis = defaultTimeoutMillis, token, url }: RestRedisOptions): EdgeMirror => {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }

  const post = async (address: string, commands: Command | ReadonlyArray<Command>): Promise<RestAnswer> => {
    const response = await fetch(address, {
      method: "POST",
      headers,
      body: JSON.stringify(commands),
      // A redirect would carry the token to wherever it leads.
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMillis)
    })
    return { status: response.status, body: await response.text() }
  }

  return {
    read: async (tenantId, subjects) => {
      const keys = subjects.flatMap((subject) => {
        const { progress, status } = subjectKeys(tenantId, subject)
        return [status, progress]
      })
      const texts = textsOf(await post(url, ["MGET", ...keys]), keys.length)
      return subjects.map((_, index) => ({ status: texts[2 * index] ?? null, progress: texts[2 * index + 1] ?? null }))
    },
    count: async (hits, expireSeconds) =>
      totalsOf(
        await post(
          `${url.replace(/\/$/, "")}/pipeline`,
          hits.flatMap(({ count, key }) => [["INCRBY", key, count], ["EXPIRE", key, expireSeconds]])
        ),
        hits.length
      ),
    close: () => undefined
  }
}
