import { TenantId } from "@lectern/domain"
import { readEnvironment, serverVariables } from "@lectern/adapters/environment"
import { signToken } from "@lectern/api/tokens"
import { Console, Effect, Option, Redacted, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { exitCodes, fail } from "../CommandFailed.ts"
import { existingTokenSecret } from "../DataDirectory.ts"
import { dataFlag } from "../flags.ts"

export const token = Command.make(
  "token",
  {
    tenant: Flag.Int("tenant").pipe(
      Flag.withDescription("The tenant that the token speaks for: a positive integer"),
      Flag.withSchema(TenantId)
    ),
    subject: Flag.String("subject").pipe(
      Flag.withDescription("Who the token is for; part of the token, shown to nobody"),
      Flag.optional
    ),
    hours: Flag.Int("hours").pipe(
      Flag.withDescription("How long the token is valid, 1 to 8760 (a year)"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 8_760 }))),
      Flag.withDefault(12)
    ),
    data: dataFlag
  },
  Effect.fn(function*({ data, hours, subject, tenant }) {
    const environment = yield* readEnvironment(serverVariables, process.env).pipe(
      Effect.catchTag("BadConfiguration", (error) => fail(exitCodes.configuration, error.message))
    )
    const secret = environment.AUTH_JWT_SECRET === undefined
      ? yield* existingTokenSecret(data)
      : Redacted.make(environment.AUTH_JWT_SECRET)
    if (secret === null) {
      return yield* fail(
        exitCodes.configuration,
        `there is no secret to sign with: set AUTH_JWT_SECRET (32 characters or more), or start \`lectern up\` once with --data ${data}`
      )
    }
    yield* Console.log(
      yield* Effect.promise(() =>
        signToken({
          tenantId: tenant,
          secret: Redacted.value(secret),
          expiresInSeconds: hours * 3_600,
          ...Option.match(subject, { onNone: () => ({}), onSome: (value) => ({ subject: value }) })
        })
      )
    )
  })
).pipe(
  Command.withDescription("Sign a token for the API with AUTH_JWT_SECRET and print it alone"),
  Command.withExamples([{ command: "lectern token --tenant 1", description: "A token for tenant 1, valid for 12 hours" }])
)
