/** What operators' commands share: which deployment it is, and how it is said that its database is away. */
import { Effect, Schema } from "effect"
import process from "node:process"
import { type CommandFailed, exitCodes, fail } from "../CommandFailed.ts"
import { badConfiguration } from "../logs.ts"
import { explainDatabase } from "./databaseCheck.ts"
import { readOperatorEnvironment } from "./OperatorSystem.ts"

export const encodeJson = Schema.encodeSync(Schema.fromJsonString(Schema.Json))

const needsDatabase = fail(
  exitCodes.configuration,
  "DATABASE_URL is not set: operators' commands work on a deployment; a system of `lectern up` sweeps by itself"
)

/** The services that the process's environment names; without a database there is no deployment. */
export const environment = Effect.gen(function*() {
  const services = yield* readOperatorEnvironment(process.env).pipe(
    Effect.catchTag("BadConfiguration", badConfiguration)
  )
  const { DATABASE_URL } = services
  return DATABASE_URL === undefined ? yield* needsDatabase : { services, databaseUrl: DATABASE_URL }
})

/** Ends a command whose database did not answer. */
export const databaseAway = (url: string) => (error: { readonly _tag: string }): Effect.Effect<never, CommandFailed> => {
  const outcome = explainDatabase(error, url)
  return fail(
    exitCodes.unavailable,
    outcome._tag === "Fail" ? `${outcome.cause.en}; next: ${outcome.next.en}` : error._tag
  )
}
