import { Redis } from "ioredis"
import * as Result from "effect/Result"
import { firstConnectMillis, redisOptions } from "./redisOptions.ts"
import { parseRedisUrl, type RedisTarget, targetOptions } from "./RedisTarget.ts"

/** Nothing was sent: there is no connection at the moment. `cause` is what the last attempt at one ended with. */
export class RedisNotConnected extends Error {
  override readonly name = "RedisNotConnected"

  constructor(target: RedisTarget, cause: unknown) {
    super(`Cannot reach Redis at ${target.host}:${target.port}: there is no connection at the moment`, { cause })
  }
}

/** A connection that is opened by its first use, is opened again for ever in the background, and never throws by itself. */
export interface LazyRedis {
  /**
   * Runs commands on the connection. Rejects at once where there is none that has ever answered: a server that accepts and
   * stays silent costs its waiting once, not with every command. The very first use waits for it, up to 250 ms. Each
   * command is bounded by 250 ms.
   */
  readonly use: <A>(run: (redis: Redis) => Promise<A>) => Promise<A>
  /** Begins to open the connection and waits for nothing, so that the first use finds it open, or known to be silent. */
  readonly start: () => void
  /** Whether the connection stands and has answered, as far as is known. */
  readonly isConnected: () => boolean
  /** Ends the connection for good. */
  readonly close: () => void
}

/** Settles with `promise`, its failure included, and after `millis` at the latest. */
const settledWithin = (millis: number, promise: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, millis)
    const settle = (): void => {
      clearTimeout(timer)
      resolve()
    }
    promise.then(settle, settle)
  })

/** Opens nothing yet. Rejects every use of an address that is none, with `RedisUrlInvalid`. */
export const makeLazyRedis = (url: string): LazyRedis => {
  const parsed = parseRedisUrl(url)
  if (Result.isFailure(parsed)) {
    return { use: () => Promise.reject(parsed.failure), start: () => undefined, isConnected: () => false, close: () => undefined }
  }
  const target = parsed.success
  let redis: Redis | undefined
  let opening: Promise<void> | undefined
  let closed = false
  /** Whether the present connection has answered a first PING; an accepted connection alone says nothing. */
  let answering = false
  let lastFault: unknown

  const open = (): Redis => {
    const opened = new Redis({ ...redisOptions, ...targetOptions(target) })
    // Every caller gets a failure of its own; this one is kept as their reason. Without a listener ioredis prints it.
    opened.on("error", (fault: unknown) => {
      lastFault = fault
    })
    opened.on("close", () => {
      answering = false
    })
    const answered = new Promise<void>((resolve) => {
      opened.on("ready", () => {
        opened.ping().then(() => {
          answering = true
          resolve()
        }, (fault: unknown) => {
          lastFault = fault
        })
      })
    })
    // Why it failed comes as an event; the promise says no more than that the connection is closed.
    opened.connect().catch(() => undefined)
    opening = settledWithin(firstConnectMillis, answered).then(() => {
      opening = undefined
    })
    return opened
  }

  const isOpen = (current: Redis): boolean => answering && current.status === "ready"

  const notConnected = (): Promise<never> => Promise.reject(new RedisNotConnected(target, lastFault))

  const use = <A>(run: (redis: Redis) => Promise<A>): Promise<A> => {
    if (closed) return notConnected()
    redis ??= open()
    const current = redis
    if (isOpen(current)) return run(current)
    if (opening === undefined) return notConnected()
    return opening.then(() => isOpen(current) ? run(current) : notConnected())
  }

  return {
    use,
    start: () => {
      if (!closed) redis ??= open()
    },
    isConnected: () => redis !== undefined && isOpen(redis),
    close: () => {
      closed = true
      redis?.disconnect()
    }
  }
}
