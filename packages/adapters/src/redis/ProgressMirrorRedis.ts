import {
  type Committed,
  defaultMirrorTimeToLive,
  type MirrorEntry,
  type MirroredRecord,
  type MirrorTimeToLive,
  MirrorUnavailable,
  type MirrorWrite,
  ProgressMirror,
  receiptEntries,
  type Tick
} from "@lectern/domain"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { Redis } from "ioredis"
import { mirrorScript, mirrorScriptSha } from "./mirrorScript.ts"
import { RedisConnection } from "./RedisConnection.ts"
import { redisPing } from "./redisPing.ts"

const isUnknownScript = (cause: unknown): boolean => cause instanceof Error && cause.message.startsWith("NOSCRIPT")

/** One command; two where the server has lost the script by a restart or `SCRIPT FLUSH`. */
const runScript = async (redis: Redis, keys: ReadonlyArray<string>, args: ReadonlyArray<string>): Promise<unknown> => {
  try {
    return await redis.evalsha(mirrorScriptSha, keys.length, ...keys, ...args)
  } catch (cause) {
    if (!isUnknownScript(cause)) throw cause
    return redis.eval(mirrorScript, keys.length, ...keys, ...args)
  }
}

const scriptArguments = (entry: MirrorEntry, timeToLive: MirrorTimeToLive): ReadonlyArray<string> => [
  String(entry.version.revision),
  String(entry.version.attempt),
  String(entry.version.tick),
  String(entry.terminal ? timeToLive.terminal : timeToLive.active),
  String(timeToLive.progress),
  entry.status,
  entry.progress ?? ""
]

const make = (timeToLive: MirrorTimeToLive) =>
  Effect.gen(function*() {
    const connection = yield* RedisConnection

    const put = Effect.fnUntraced(function*(
      operation: string,
      receipt: Committed<MirroredRecord>,
      tick: Tick | null
    ): Effect.fn.Return<MirrorWrite, MirrorUnavailable> {
      const entries = receiptEntries(receipt, tick, yield* Clock.currentTimeMillis)
      if (entries.length === 0) return "Stale"
      const keys = entries.flatMap(({ keys }) => [keys.status, keys.progress])
      const args = entries.flatMap((entry) => scriptArguments(entry, timeToLive))
      const reply = yield* connection.use(operation, (redis) => runScript(redis, keys, args))
      if (reply === 1) return "Written"
      if (reply === 0) return "Stale"
      return yield* new MirrorUnavailable({
        operation,
        cause: new Error(`Cannot understand the reply of the mirror's script: ${String(reply)}`)
      })
    })

    return ProgressMirror.of({
      publish: Effect.fn("ProgressMirror.publish")((receipt) => put("publish progress", receipt, null)),
      tick: Effect.fn("ProgressMirror.tick")((receipt, tick) => put("publish a sample of progress", receipt, tick)),
      ping: Effect.provideService(redisPing, RedisConnection, connection)
    })
  })

/** The mirror on a connection that others use too. Times to live in seconds, whole and positive. */
export const layerWith = (
  timeToLive: MirrorTimeToLive = defaultMirrorTimeToLive
): Layer.Layer<ProgressMirror, never, RedisConnection> => Layer.effect(ProgressMirror, make(timeToLive))

/**
 * The mirror in Redis (one server, with replicas or not; not a cluster).
 *
 * Built without Redis: its address is dialled by the first write. A write takes one round trip for all entries of a record, fails
 * within 250 ms (500 ms for the very first, and where a restarted server has to be sent the script), and is never sent
 * after it has failed.
 */
export const layer = (options: {
  readonly url: Redacted.Redacted<string>
  readonly timeToLive?: MirrorTimeToLive
  /** As of `RedisConnection.layer`. */
  readonly eager?: boolean
}): Layer.Layer<ProgressMirror> => Layer.provide(layerWith(options.timeToLive), RedisConnection.layer(options))
