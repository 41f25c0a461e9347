import { parseRedisUrl, type RedisUrlInvalid } from "@lectern/adapters/redis"
import * as Result from "effect/Result"
import type { WorkerdSettings } from "../edge/WorkerdSettings.ts"
import { hostAndPort, urlAddress } from "./hostAndPort.ts"

/** The worker's only way out. Over TLS it is a network: workerd has no way to one address that the worker encrypts by itself. */
const wayOut = ({ edge, mirror }: WorkerdSettings): Result.Result<ReadonlyArray<string>, RedisUrlInvalid> => {
  if (mirror._tag === "Rest") {
    const { host, protocol } = new URL(mirror.url)
    return Result.succeed(protocol === "https:" ? ["tls"] : ["rest", `--external-addr=rest=${host}`])
  }
  return Result.map(parseRedisUrl(edge.redisUrl), (redis) =>
    redis.tls ? ["tls"] : ["redis", `--external-addr=redis=${hostAndPort(redis)}`])
}

/** The way to the keys, where they have an address. */
const wayToKeys = (jwksUrl: string | undefined): ReadonlyArray<string> => {
  if (jwksUrl === undefined) return []
  return [`--external-addr=${jwksUrl.startsWith("https:") ? "keys-over-tls" : "keys"}=${urlAddress(jwksUrl)}`]
}

/** How the edge is run on workerd with the configuration `file` (`workerd.capnp`). It tells its port on the standard output. */
export const workerdArguments = (
  settings: WorkerdSettings,
  file: string
): Result.Result<ReadonlyArray<string>, RedisUrlInvalid> =>
  Result.map(wayOut(settings), ([name = "", ...options]) => [
    "serve",
    file,
    name,
    `--socket-addr=http=${hostAndPort(settings.edge)}`,
    ...options,
    ...wayToKeys(settings.edge.jwksUrl),
    "--control-fd=1"
  ])
