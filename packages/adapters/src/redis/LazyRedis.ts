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
   * Runs commands on the connection. Rejects at once where there is none; the very first use waits for it, up to
   * 250 ms. Each command is bounded by 250 ms.
   */
  readonly use: <A>(run: (redis: Redis) => Promise<A>) => Promise<A>
  /** Whether the connection stands as far as is known. */
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
    return { use: () => Promise.reject(parsed.failure), isConnected: () => false, close: () => undefined }
  }
  const target = parsed.success
  let redis: Redis | undefined
  let opening: Promise<void> | undefined
  let closed = false
  let lastFault: unknown

  const open = (): Redis => {
    const opened = new Redis({ ...redisOptions, ...targetOptions(target) })
    // Every caller gets a failure of its own; this one is kept as their reason. Without a listener ioredis prints it.
    opened.on("error", (fault: unknown) => {
      lastFault = fault
    })
    opening = settledWithin(firstConnectMillis, opened.connect()).then(() => {
      opening = undefined
    })
    return opened
  }

  const notConnected = (): Promise<never> => Promise.reject(new RedisNotConnected(target, lastFault))

  const use = <A>(run: (redis: Redis) => Promise<A>): Promise<A> => {
    if (closed) return notConnected()
    redis ??= open()
    const current = redis
    if (current.status === "ready") return run(current)
    if (opening === undefined) return notConnected()
    return opening.then(() => current.status === "ready" ? run(current) : notConnected())
  }

  return {
    use,
    isConnected: () => redis?.status === "ready",
    close: () => {
      closed = true
      redis?.disconnect()
    }
  }
}
