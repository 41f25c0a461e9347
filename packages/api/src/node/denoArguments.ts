import { parseRedisUrl, type RedisUrlInvalid } from "@lectern/adapters/redis"
import * as Result from "effect/Result"
import { edgeVariables } from "../edge/edgeVariables.ts"
import { hostAndPort, urlAddress } from "./hostAndPort.ts"

export interface DenoProgram {
  readonly host: string
  readonly port: number
  readonly redisUrl: string
  /** Where keys are fetched from, if anywhere. */
  readonly jwksUrl?: string | undefined
  /** The bundle. */
  readonly file: string
}

/**
 * How the edge is run on Deno: it may listen on its own address, reach Redis (and the host of the keys, where they have an address) and
 * read {@link edgeVariables}, and nothing else. Deno goes by the name that is dialled: `localhost` is not `127.0.0.1`.
 */
export const denoArguments = (program: DenoProgram): Result.Result<ReadonlyArray<string>, RedisUrlInvalid> =>
  Result.map(parseRedisUrl(program.redisUrl), (redis) => [
    "run",
    // In a terminal Deno would ask for what is missing, and somebody might say yes.
    "--no-prompt",
    // The bundle is all there is: nothing around it, and nothing from the network, is to change what runs.
    "--no-config",
    "--no-remote",
    "--no-npm",
    `--allow-net=${
      [hostAndPort(program), hostAndPort(redis), ...(program.jwksUrl === undefined ? [] : [urlAddress(program.jwksUrl)])].join(",")
    }`,
    `--allow-env=${edgeVariables.join(",")}`,
    program.file
  ])
