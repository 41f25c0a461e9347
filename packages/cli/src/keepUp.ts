import { Console, Effect, Option } from "effect"
import { badConfiguration, withLogs } from "./logs.ts"
import { missingPrograms } from "./missingPrograms.ts"
import { readSystemEnvironment, serveSystem } from "./serveSystem.ts"
import { shellWord } from "./shellWord.ts"
import { startFailure } from "./startFailure.ts"

export interface UpRequest {
  readonly data: string
  readonly encodes: number
  readonly host: string
  readonly port: Option.Option<number>
}

/** The whole system, until it is told to stop. */
export const keepUp = Effect.fn(function*({ data, encodes, host, port }: UpRequest) {
  yield* Effect.catchTag(readSystemEnvironment(process.env), "BadConfiguration", badConfiguration)
  const missing = process.env["VIDEO_BATCH_JOB_QUEUE"] ? null : yield* missingPrograms
  if (missing !== null) yield* Console.error(`lectern: ${missing}`)
  return yield* withLogs(Effect.scoped(Effect.gen(function*() {
    const system = yield* serveSystem({
      data,
      encodes,
      host,
      accessLog: true,
      port: Option.getOrNull(port)
    }).pipe(Effect.catch(startFailure))
    yield* Console.log([
      `Lectern is up at ${system.url}`,
      ...system.parts.map((part) => `  ${part}`),
      `  reference ${system.url}/docs`,
      `  a token   npx lectern token --tenant 1${data === ".lectern" ? "" : ` --data ${shellWord(data)}`}`,
      "Ctrl-C ends it; what is under way goes on with the next start"
    ].join("\n"))
    return yield* Effect.never
  })))
})
