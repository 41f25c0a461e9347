import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** An address of Redis that cannot be used. Its message never holds the address: there may be a password in it. */
export class RedisUrlInvalid extends Schema.TaggedError<RedisUrlInvalid>()("RedisUrlInvalid", {
  reason: Schema.String
}) {
  override get message(): string {
    return `Cannot use the address of Redis: ${this.reason}; expected redis[s]://[[user]:password@]host[:port][/database]`
  }
}

/** Where Redis is and as whom to go there. */
export interface RedisTarget {
  readonly host: string
  readonly port: number
  readonly username: string | undefined
  readonly password: string | undefined
  /** The number of the database, 0 by default. */
  readonly db: number
  readonly tls: boolean
}

const decoded = (text: string): string | undefined => {
  if (text === "") return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    // A percent sign that encodes nothing is part of a password that nobody encoded.
    return text
  }
}

/**
 * Reads `redis://` and `rediss://` addresses (TLS). Strict, because ioredis takes whatever it does not understand for a host or
 * for the path of a socket, and then tries for ever.
 */
export const parseRedisUrl = (text: string): Result.Result<RedisTarget, RedisUrlInvalid> => {
  const refuse = (reason: string) => Result.fail(new RedisUrlInvalid({ reason }))
  if (!URL.canParse(text)) return refuse("it is no URL")
  const url = new URL(text)
  if (url.protocol !== "redis:" && url.protocol !== "rediss:") return refuse(`the scheme is "${url.protocol}"`)
  if (url.hostname === "") return refuse("it names no host")
  const db = url.pathname.replace(/^\//, "")
  if (!/^\d{0,6}$/.test(db)) return refuse("the database is no number")
  if (url.search !== "" || url.hash !== "") return refuse("it has a query or a fragment")
  return Result.succeed({
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? 6379 : Number(url.port),
    username: decoded(url.username),
    password: decoded(url.password),
    db: Number(db),
    tls: url.protocol === "rediss:"
  })
}

/** Where a client is to go, in the words of ioredis. */
export const targetOptions = (target: RedisTarget) => ({
  host: target.host,
  port: target.port,
  db: target.db,
  ...(target.username === undefined ? {} : { username: target.username }),
  ...(target.password === undefined ? {} : { password: target.password }),
  ...(target.tls ? { tls: {} } : {})
})

/** A text that {@link parseRedisUrl} accepts: for the configuration of a process, which refuses to start without one. */
export const RedisUrl = Schema.String.check(
  Schema.makeFilter((text: string) => Result.match(parseRedisUrl(text), {
    onSuccess: () => undefined,
    onFailure: (error) => error.message
  }))
)
