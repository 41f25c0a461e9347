import { fileFault, TenantId } from "@lectern/domain"
import { readEnvironment, serverVariables } from "@lectern/adapters/environment"
import { signToken } from "@lectern/api/tokens"
import { Console, Effect, Option, Redacted } from "effect"
import { exitCodes, fail } from "./CommandFailed.ts"
import { existingTokenSecret } from "./DataDirectory.ts"
import { shellWord } from "./shellWord.ts"

export interface TokenRequest {
  readonly data: string
  readonly hours: number
  readonly subject: Option.Option<string>
  readonly tenant: number
}

/** Signs a token and prints it alone. */
export const printToken = Effect.fn(function*({ data, hours, subject, tenant }: TokenRequest) {
  const environment = yield* readEnvironment({ AUTH_JWT_SECRET: serverVariables.AUTH_JWT_SECRET }, process.env).pipe(
    Effect.catchTag("BadConfiguration", (error) => fail(exitCodes.configuration, error.message))
  )
  const secret = environment.AUTH_JWT_SECRET === undefined
    ? yield* existingTokenSecret(data).pipe(
      Effect.catchTag("PlatformError", (error) => fail(exitCodes.unavailable, `Cannot read the token secret: ${fileFault(error)}`))
    )
    : Redacted.make(environment.AUTH_JWT_SECRET)
  if (secret === null) {
    return yield* fail(
      exitCodes.configuration,
      `Cannot sign a token without a secret: set AUTH_JWT_SECRET (32 characters or more), or start \`lectern up\` once with --data ${shellWord(data)}`
    )
  }
  yield* Console.log(
    yield* Effect.promise(() =>
      signToken({
        tenantId: TenantId.make(tenant),
        secret: Redacted.value(secret),
        expiresInSeconds: hours * 3_600,
        ...Option.match(subject, { onNone: () => ({}), onSome: (value) => ({ subject: value }) })
      })
    )
  )
})
