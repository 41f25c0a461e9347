import { Redis } from "ioredis"
import * as Result from "effect/Result"
import { changesChannel } from "./mirrorScript.ts"
import { redisOptions } from "./redisOptions.ts"
import { parseRedisUrl, targetOptions } from "./RedisTarget.ts"

export interface RedisChangeListener {
  /** `tenant:{t}:video:{v}` or `tenant:{t}:job:{j}`: its mirrored value is another one. */
  readonly changed: (key: string) => void
  /** Whether news come; what changed while they did not is not told afterwards. */
  readonly connected: (isConnected: boolean) => void
}

/** News of the mirror. Nothing throws; what breaks is begun again for ever. */
export interface RedisProgressChanges {
  /** For the one listener of a process. Opens a connection of its own: one that subscribes can do nothing else. */
  readonly listen: (listener: RedisChangeListener) => void
  readonly close: () => void
}

/** Milliseconds between two questions whether the server is still there: a subscription has silence of its own. */
const pingMillis = 1_000

/** Opens nothing before somebody listens. An address that is none has no news. */
export const makeRedisProgressChanges = (url: string): RedisProgressChanges => {
  let redis: Redis | undefined
  let pinging: ReturnType<typeof setInterval> | undefined

  const close = (): void => {
    clearInterval(pinging)
    redis?.disconnect()
  }

  const listen = ({ changed, connected }: RedisChangeListener): void => {
    const target = parseRedisUrl(url)
    if (redis !== undefined || Result.isFailure(target)) return
    const opened = new Redis({
      ...redisOptions,
      ...targetOptions(target.success),
      // A channel may be quiet for hours.
      socketTimeout: undefined,
      autoResubscribe: false
    })
    redis = opened
    let isConnected = false
    const tell = (is: boolean): void => {
      if (is === isConnected) return
      isConnected = is
      connected(is)
    }
    const startAgain = (): void => opened.disconnect(true)
    opened.on("message", (_channel: string, key: string) => changed(key))
    opened.on("ready", () => {
      opened.subscribe(changesChannel).then(() => tell(true), startAgain)
    })
    opened.on("close", () => tell(false))
    // Without a listener ioredis prints it; that there are no news is told by "close".
    opened.on("error", () => undefined)
    pinging = setInterval(() => {
      if (isConnected) opened.ping().catch(startAgain)
    }, pingMillis)
    opened.connect().catch(() => undefined)
  }

  return { listen, close }
}
