import {
  type BadConfiguration,
  logVariables,
  messageContradictions,
  messageSettings,
  messageVariables,
  readEnvironment,
  serverVariables,
  serviceContradictions,
  serviceVariables
} from "@lectern/adapters/environment"
import { OriginHandler, serveOrigin } from "@lectern/api/origin"
import { Context, Effect, Layer, Redacted } from "effect"
import { type DataDirectory, openDataDirectory, tokenSecret } from "./DataDirectory.ts"
import { systemLayer } from "./System.ts"

export interface ServedSystem {
  readonly url: string
  readonly secret: Redacted.Redacted<string>
  /** Which parts are real services and which their stand-ins, a line each. */
  readonly parts: ReadonlyArray<string>
}

export interface ServeSystemOptions {
  readonly data: string
  readonly host: string
  /** `null`: `PORT`, or 8787. */
  readonly port: number | null
  readonly encodes: number
  readonly accessLog: boolean
}

export const defaultPort = 8787

/** Everything that the environment says about a system of one machine. */
export const readSystemEnvironment = (
  variables: Readonly<Record<string, string | undefined>>
) =>
  readEnvironment(
    { ...serviceVariables, ...serverVariables, ...messageVariables, ...logVariables },
    variables,
    (isSet) => [...serviceContradictions(isSet), ...messageContradictions(isSet)]
  )

type SystemEnvironment = Effect.Success<ReturnType<typeof readSystemEnvironment>>

const partsOf = (environment: SystemEnvironment, data: DataDirectory): ReadonlyArray<string> => [
  `database  ${environment.DATABASE_URL === undefined ? "PGlite in the data directory" : "DATABASE_URL"}`,
  `mirror    ${environment.REDIS_URL === undefined ? "in memory" : "REDIS_URL"}`,
  `objects   ${
    environment.R2_ENDPOINT !== undefined
      ? "R2_ENDPOINT"
      : environment.S3_ENDPOINT !== undefined
      ? "S3_ENDPOINT"
      : "a folder in the data directory"
  }`,
  `queue     ${environment.SQS_QUEUE_URL_BASIC === undefined ? "in process" : "SQS_QUEUE_URL_*"}`,
  `encodes   ${environment.VIDEO_BATCH_JOB_QUEUE === undefined ? "child processes" : "VIDEO_BATCH_JOB_QUEUE"}`,
  `messages  ${environment.SOLAPI_API_KEY === undefined ? `SANDBOX, nothing is sent: ${data.sandboxMessages}` : "SOLAPI_API_KEY"}`,
  `e-mail    ${environment.SMTP_URL === undefined ? `SANDBOX, nothing is sent: ${data.sandboxMessages}` : "SMTP_URL"}`
]

const starting = (): Promise<Response> =>
  Promise.resolve(Response.json({ detail: "The system is starting" }, { status: 503, headers: { "retry-after": "1" } }))

/**
 * The whole system on this machine, until the scope closes. The port is taken first, because the addresses that the system hands
 * out hold it; until the rest stands every request is answered with 503.
 */
export const serveSystem = Effect.fnUntraced(function*(options: ServeSystemOptions) {
  const environment = yield* readSystemEnvironment(process.env)
  const data = yield* openDataDirectory(options.data)
  const secret = environment.AUTH_JWT_SECRET === undefined
    ? yield* tokenSecret(data.root)
    : Redacted.make(environment.AUTH_JWT_SECRET)
  let handler: (request: Request) => Promise<Response> = starting
  const server = yield* serveOrigin({
    host: options.host,
    port: options.port ?? environment.PORT ?? defaultPort,
    handler: (request) => handler(request)
  })
  const publicUrl = (environment.PUBLIC_URL ?? server.url).replace(/\/+$/, "")
  const system = yield* Layer.build(
    systemLayer({
      services: environment,
      messages: messageSettings(environment),
      data,
      secret,
      publicUrl,
      encodes: options.encodes,
      accessLog: options.accessLog
    })
  )
  handler = Context.get(system, OriginHandler)
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      handler = starting
    })
  )
  return { url: publicUrl, secret, parts: partsOf(environment, data) } satisfies ServedSystem
})

export type ServeSystemFailure = Effect.Error<ReturnType<typeof serveSystem>> | BadConfiguration
